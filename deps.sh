#!/bin/sh
# SPDX-License-Identifier: MIT
# Sees to it that what a build needs is there: `sh deps.sh [test|bench ...]`.
#
# All there: the package system is not asked.  As root with apt-get: installs what is missing and says so.
# Else: says what is missing and exits 2.  DEPS=skip: for packagers, who know themselves.
set -u

[ "${DEPS:-install}" = skip ] && exit 0

missing=
names=

# need PACKAGE NAME TEST...: NAME is what a system without apt would look for.
need() {
    package=$1 name=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    missing="$missing $package"
    names="$names $name"
}
command_there() { command -v "$1"; }
module() { pkg-config --exists "$1"; }
# Headers without a pkg-config module; the compiler knows where it looks.
header() { echo "#include <$1>" | ${CC:-gcc} -E -x c -; }
# Whether a compiler links what needs no main of ours.
links() { echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | "$@" -x c -o /dev/null -; }
file_there() { [ -e "$1" ]; }

need gcc gcc command_there "${CC:-gcc}"
need libc6-dev libc header stdlib.h
need pkg-config pkg-config command_there pkg-config
need libunwind-dev libunwind module libunwind
need libelf-dev libelf module libelf
need libdw-dev libdw module libdw
need uthash-dev uthash.h header uthash.h
need libncurses-dev ncursesw module ncursesw
need libiberty-dev libiberty/demangle.h header libiberty/demangle.h
need libjs-dygraphs dygraph.min.js file_there /usr/share/javascript/dygraphs/dygraph.min.js

for purpose; do
    case $purpose in
    test)
        need libcmocka-dev cmocka module cmocka
        need g++ g++ command_there g++
        need python3 python3 command_there python3
        need perl perl command_there perl
        need sqlite3 sqlite3 command_there sqlite3
        need binutils objdump command_there objdump
        need jq jq command_there jq
        need procps ps command_there ps
        need tmux tmux command_there tmux
        need valgrind valgrind command_there valgrind
        need musl-tools musl-gcc command_there musl-gcc
        need libjemalloc2 libjemalloc file_there /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
        need libtcmalloc-minimal4 libtcmalloc_minimal file_there /usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4
        need libmimalloc2.0 libmimalloc file_there /usr/lib/x86_64-linux-gnu/libmimalloc.so.2
        need heaptrack heaptrack command_there heaptrack
        need libboost-context1.74.0 libboost_context file_there /usr/lib/x86_64-linux-gnu/libboost_context.so.1.74.0
        need eatmydata libeatmydata file_there /usr/lib/x86_64-linux-gnu/libeatmydata.so
        need faketime libfaketime file_there /usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1
        need fakeroot fakeroot command_there fakeroot
        need zsh zsh command_there zsh
        need libdebuginfod1 libdebuginfod file_there /usr/lib/x86_64-linux-gnu/libdebuginfod.so.1
        need python3-greenlet greenlet /usr/bin/python3 -c 'import greenlet'
        need chromium chromium command_there chromium
        need chromium-driver chromedriver command_there chromedriver
        need python3-selenium selenium /usr/bin/python3 -c 'import selenium'
        ;;
    fuzz)
        need libcmocka-dev cmocka module cmocka
        need clang clang command_there clang
        need libclang-rt-14-dev libclang_rt.fuzzer links clang -fsanitize=fuzzer
        ;;
    article)
        need python3 python3 command_there python3
        ;;
    article-python)
        need python3 python3 file_there /usr/bin/python3
        need python3-pandas pandas /usr/bin/python3 -c 'import pandas'
        need python3-lxml lxml /usr/bin/python3 -c 'import lxml.etree'
        ;;
    bench)
        need python3 python3 command_there python3
        need g++ g++ command_there g++
        need perl perl command_there perl
        need sqlite3 sqlite3 command_there sqlite3
        need binutils objcopy command_there objcopy
        ;;
    esac
done

[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing:$names (as pkg-config modules, headers or programs): please install them" >&2
    exit 2
fi
line="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" != 0 ]; then
    echo "missing packages; please run as root: $line" >&2
    exit 2
fi
echo "installing what is missing: $line"
export DEBIAN_FRONTEND=noninteractive
$line >/dev/null 2>&1 && exit 0
# A new machine may have no list of packages, or an old one.
{ apt-get update && $line; } >/tmp/tracemalloc-deps.$$ 2>&1 && rm -f /tmp/tracemalloc-deps.$$ && exit 0
cat /tmp/tracemalloc-deps.$$ >&2
rm -f /tmp/tracemalloc-deps.$$
exit 2
