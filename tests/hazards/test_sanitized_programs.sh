#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Programs that were built with a sanitizer: where its runtime suffers nobody before it they run without us,
# and a line says so; in any case it finds what it finds.
set -u
. tests/hazards/oracle.sh
source=$PWD/tests/hazards/sources/sanitized.c

# The reports have addresses; what matters of them is what was found.
found() { grep -oE 'ERROR: [A-Za-z]+Sanitizer: [a-z-]+' "$tmp/$1.err" | sort -u; }

# sanitized NAME SAYS COMPILER OPTION...
sanitized() {
    local name=$1 program=$tmp/program what
    says=$2
    shift 2
    if ! command -v "$1" >/dev/null || ! "$@" -g -o "$program" "$source" 2>/dev/null; then
        skip "$name" "it cannot be built here"
        return
    fi
    as_untraced "$name" "$program" "an argument" ""
    for what in leak misuse; do
        in_place untraced "$program" $what
        in_place traced env LD_PRELOAD="$lib" LIBTRACE_OPTIONS="out=$trace.$what" "$program" $what
        same "$name, $what: exit status" "$(cat "$tmp/untraced.status")" "$(cat "$tmp/traced.status")"
        same "$name, $what: what is found" "$(found untraced)" "$(found traced)"
    done
}

aside() { echo "not recording: $1 has to be the program's first library"; }
own="malloc is that of $tmp/program: only what it passes on is recorded"

runtime() { basename "$(ldconfig -p | grep -o "/.*/$1\.so\.[0-9]*" | head -n 1)"; }
sanitized "AddressSanitizer, a library" "$(aside "$(runtime libasan)")" gcc -fsanitize=address
check "AddressSanitizer, a library: no trace" [ ! -e "$trace" ]
sanitized "LeakSanitizer, a library" "$(aside "$(runtime liblsan)")" gcc -fsanitize=leak
if [ -x "$tmp/program" ]; then
    in_place traced env LD_PRELOAD="$lib" "$tmp/program" preloads
    same "LeakSanitizer, a library: nothing preloaded is left" none "$(tail -n 1 "$tmp/traced.out")"
    in_place traced env LD_PRELOAD="$lib:libm.so.6 libtrace.so" "$tmp/program" preloads
    same "LeakSanitizer, a library: others stay preloaded" "libm.so.6 " "$(tail -n 1 "$tmp/traced.out")"
fi
sanitized "AddressSanitizer, linked in" "$own" gcc -fsanitize=address -static-libasan
sanitized "AddressSanitizer, linked in by clang" "$own" clang -fsanitize=address
sanitized "UndefinedBehaviorSanitizer" "" gcc -fsanitize=undefined
check "UndefinedBehaviorSanitizer: is recorded" [ -e "$trace" ]
finish
