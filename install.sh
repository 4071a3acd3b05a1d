#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh install BUILD | uninstall: called by the Makefile with the folders in the environment.
set -eu

version=0.1.0
root=$INSTALL_ROOT
bin=$root$BINDIR lib=$root$LIBDIR include=$root$INCLUDEDIR man=$root$MANDIR/man1
bash=$root$BASHDIR zsh=$root$ZSHDIR

# Ours has an entry point that no other library has.
is_foreign() { [ -e "$1" ] && ! grep -q libtrace_get_traced_memory "$1"; }

# The way from the pkg-config file up to the prefix.
way_up() { echo "${1#"$PREFIX"/}" | sed 's,[^/][^/]*,..,g'; }

case $1 in
install)
    build=$2 libdir=$LIBDIR
    rm -f "$lib/tracemalloc/libtrace.so"
    if is_foreign "$lib/libtrace.so"; then
        libdir=$LIBDIR/tracemalloc
        echo "install: $lib/libtrace.so is another library and stays; ours goes to $root$libdir:"
        echo "install: use \`tracemalloc run\`, or LD_PRELOAD=$libdir/libtrace.so"
    fi
    install -d "$bin" "$root$libdir" "$include" "$man" "$lib/pkgconfig" "$bash" "$zsh"
    install -m 755 "$build/tracemalloc" "$bin/tracemalloc"
    install -m 755 "$build/libtrace.so" "$root$libdir/libtrace.so"
    install -m 644 shim/tracemalloc.h shim/tracemalloc_cmocka.h "$include/"
    install -m 644 analyzer/tracemalloc.1 "$man/tracemalloc.1"
    install -m 644 analyzer/completion/tracemalloc.bash "$bash/tracemalloc"
    install -m 644 analyzer/completion/_tracemalloc "$zsh/_tracemalloc"
    sed "s,@up@,$(way_up "$LIBDIR/pkgconfig"),; s,@libdir@,\${prefix}/${libdir#"$PREFIX"/},; s,@version@,$version," \
        shim/tracemalloc.pc.in >"$lib/pkgconfig/tracemalloc.pc"
    chmod 644 "$lib/pkgconfig/tracemalloc.pc"
    # LD_PRELOAD=libtrace.so, without a path, goes by the loader's cache.
    if [ -z "$root" ] && [ "$(id -u)" = 0 ]; then ldconfig || :; fi
    ;;
uninstall)
    rm -f "$bin/tracemalloc" "$include/tracemalloc.h" "$include/tracemalloc_cmocka.h" "$man/tracemalloc.1" \
        "$lib/pkgconfig/tracemalloc.pc" "$lib/tracemalloc/libtrace.so" "$bash/tracemalloc" "$zsh/_tracemalloc"
    rmdir "$lib/tracemalloc" 2>/dev/null || :
    is_foreign "$lib/libtrace.so" || rm -f "$lib/libtrace.so"
    ;;
esac
