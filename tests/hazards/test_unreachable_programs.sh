#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Programs that a preload does not reach: `tracemalloc run` says why, once, and they run as they always do.
set -u
. tests/hazards/lib.sh
source=$PWD/tests/hazards/sources/plain.c
chmod 755 "$tmp"
cd "$tmp" || exit 1
cp "$source" .

# unreachable NAME SAID PROGRAM: by run, and where nothing can be said, by hand.
unreachable() {
    local name=$1 said=$2 program=$3
    limited "$program" >out.0 2>err.0 </dev/null
    local expected=$? status
    limited "$tracemalloc" run -o by-run "$program" >out 2>err </dev/null
    status=$?
    same "$name: as untraced" "$expected $(cat out.0 err.0)" "$status $(cat out)"
    same "$name: said once" "tracemalloc: $program $said: running it without tracing" "$(cat err)"
    check "$name: no trace" [ ! -e by-run ]
}

# silent NAME PROGRAM: by hand; it is not reached, or not recorded.
silent() {
    limited "$2" >out.0 2>err.0 </dev/null
    local expected=$? status
    recording "" "$2" >out 2>err </dev/null
    status=$?
    same "$1, by hand: as untraced" "$expected $(cat out.0 err.0)" "$status $(cat out err)"
    check "$1, by hand: no trace" [ ! -e trace ]
}

if gcc -static -o static plain.c 2>/dev/null; then
    unreachable "static" "is statically linked" ./static
    silent "static" ./static
else
    skip "static" "there is no static C library"
fi

cat >small.s <<'END'
        .globl _start
_start: movl $1, %eax
        movl $5, %ebx
        int $0x80
END
as --32 -o small.o small.s && ld -m elf_i386 -o small small.o
unreachable "32-bit" "is a 32-bit program" ./small

if command -v musl-gcc >/dev/null; then
    musl-gcc -o musl plain.c
    unreachable "musl" "uses musl instead of the GNU C library" ./musl
else
    skip "musl" "musl-gcc is not installed"
fi

# As another user: its rights are then more than those of who runs it.
gcc -o other_user plain.c
gcc -o linked plain.c "$lib" -Wl,-rpath,"$build" -Wl,--no-as-needed
chown 65534 other_user linked 2>/dev/null && chmod 4755 other_user linked
if [ "$(./other_user | cut -d' ' -f1)" = 65534 ]; then
    unreachable "setuid" "runs with the rights of another user" ./other_user
    silent "setuid" ./other_user
    # Where the loader does take the recorder, it declines.
    LIBTRACE_OPTIONS=out=$tmp/trace limited ./linked >out 2>err
    same "setuid, and reached: as untraced" "$(./other_user)" "$(cat out)"
    same "setuid, and reached: said once" \
        "tracemalloc: not recording: the program has more rights than its user" "$(cat err)"
    check "setuid, and reached: no trace" [ ! -e trace ]
else
    skip "setuid" "only root can make a program of another user's, and not on each file system"
fi
finish
