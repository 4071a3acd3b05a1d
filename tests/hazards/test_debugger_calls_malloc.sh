#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A debugger stops the program, in the recorder too, and has it call malloc and free.
set -u
. tests/hazards/oracle.sh

if ! command -v gdb >/dev/null || ! gdb -nx -batch -ex 'python print(1)' -ex 'info os' >/dev/null 2>&1; then
    skip "a debugger" "no gdb"
    finish
fi

# called: how many of the calls gave a block.
called() { grep -cE '^\$[0-9]+ = \(void \*\) 0x[0-9a-f]{6,}' "$tmp/gdb"; }

# stopped NAME PLACE MISSED: when it comes to the place, late enough that it has learned the code, but not
# every call path.
stopped() {
    rm -f "$trace"
    timeout -k 5 60 gdb -nx -batch -ex "set startup-with-shell off" -ex "set environment LD_PRELOAD = $lib" \
        -ex "set environment LIBTRACE_OPTIONS = out=$trace" -ex "set breakpoint pending on" \
        -ex "break main" -ex run \
        -ex delete -ex "break $2" -ex "ignore 2 60" -ex continue -ex delete \
        -ex "print (void *)((void *(*)(unsigned long))malloc)(100)" \
        -ex 'call ((void (*)(void *))free)($)' \
        -ex "print (void *)((void *(*)(unsigned long, unsigned long))calloc)(10, 10)" -ex continue \
        --args "$hazards/many_sites" 200 >"$tmp/gdb" 2>&1 </dev/null
    same "$1: the calls are answered" 2 "$(called)"
    check "$1: the program goes on to its end" grep -q "exited normally" "$tmp/gdb"
    same "$1: all of the program is recorded, and what is missed is counted" "201 $3" \
        "$(of at_end allocations) $(totals .missed_events)"
}

stopped "in the program" at_end 0
stopped "in the recorder" track_born_slowly 2
stopped "in the recorder, while it holds a lock" tables_drop 2

# ---- attached to while it runs ----
rm -f "$trace"
timeout --foreground 120 env LD_PRELOAD="$lib" LIBTRACE_OPTIONS="out=$trace" "$programs/dies" pause &
for _ in $(seq 600); do
    [ -e "$trace" ] && [ "$(of allocate allocations)" = 1234 ] && break
    sleep 0.1
done
pid=$(json .pid)
timeout -k 5 60 gdb -nx -batch -p "$pid" -ex "print (void *)((void *(*)(unsigned long))malloc)(100)" \
    -ex 'call ((void (*)(void *))free)($)' >"$tmp/gdb" 2>&1 </dev/null
same "attached to: the call is answered" 1 "$(called)"
same "attached to: it is recorded" "1235 1" \
    "$(json '.totals | "\(.allocations) \(.frees)"' "$trace")"
kill $!
wait 2>/dev/null
finish
