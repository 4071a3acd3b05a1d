#!/bin/bash
# SPDX-License-Identifier: MIT
#
# An installation works where it was put, where it was moved to, and beside a foreign library of that name.
set -u
. tests/lib.sh

make_install() { make -s O="$build" DEPS=skip DESTDIR="$tmp/root" "$@" >"$tmp/log" 2>&1; }

check "make install" make_install install PREFIX=/opt/t
same "what is installed" "bin/tracemalloc include/tracemalloc.h include/tracemalloc_cmocka.h lib/libtrace.so lib/pkgconfig/tracemalloc.pc \
share/bash-completion/completions/tracemalloc share/man/man1/tracemalloc.1 share/zsh/site-functions/_tracemalloc" "$(cd "$tmp/root/opt/t" && find . -type f | sed 's,^\./,,' | sort | xargs)"
mv "$tmp/root/opt/t" "$tmp/elsewhere"
cd "$tmp" || exit 1
same "moved: run works" "exited 0" "$("$tmp/elsewhere/bin/tracemalloc" run -q -o "$tmp/trace" /bin/true && json .state)"
same "moved: pkg-config" "-I$tmp/elsewhere/lib/pkgconfig/../../include" \
    "$(PKG_CONFIG_PATH="$tmp/elsewhere/lib/pkgconfig" pkg-config --cflags tracemalloc | sed 's/ $//')"
cd "$OLDPWD" || exit 1
command -v man >/dev/null || skip "the man page has no faults" "no man here"
command -v man >/dev/null && check "the man page has no faults" bash -c "! man --warnings -l -Tutf8 analyzer/tracemalloc.1 2>&1 >/dev/null | grep ."

mkdir -p "$tmp/root/opt/u/lib"
echo "another library" >"$tmp/root/opt/u/lib/libtrace.so"
make_install install PREFIX=/opt/u
same "a foreign libtrace.so stays" "another library" "$(cat "$tmp/root/opt/u/lib/libtrace.so")"
check "it is said" grep -q "another library" "$tmp/log"
rm -f "$tmp"/trace*
same "ours beside it is found" "exited 0" \
    "$("$tmp/root/opt/u/bin/tracemalloc" run -q -o "$tmp/trace" /bin/true && json .state)"
make_install uninstall PREFIX=/opt/u
same "uninstall leaves only what is foreign" "./lib/libtrace.so" "$(cd "$tmp/root/opt/u" && find . -type f)"
finish
