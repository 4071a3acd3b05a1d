#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The recorder's own memory: little for each thread; and of limits the program has its share.
set -u
. tests/hazards/lib.sh

# resident N: KiB of a process with so many threads that allocated once, as it was just run.
declare -A untraced traced
for n in 1 1001; do
    unhurt "$n threads that wait" "" "$hazards/parked_threads" $n "$tmp/resident"
    traced[$n]=$(cat "$tmp/resident")
    limited "$hazards/parked_threads" $n "$tmp/resident" >/dev/null
    untraced[$n]=$(cat "$tmp/resident")
done
each=$((traced[1001] - traced[1] - (untraced[1001] - untraced[1])))
check "a thread that waits: $each KiB for 1000" [ $each -le 16000 ]

# A limit in KiB, and how much of it the program wants.
within() {
    local name="$2 MiB of $(($1 / 1024)) by ulimit -$3"
    (ulimit -"$3" "$1" && limited "$hazards/needs_memory" $(($2 * 1024))) >"$tmp/out.0" 2>&1
    rm -f "$tmp"/trace*
    (ulimit -"$3" "$1" && recording "" "$hazards/needs_memory" $(($2 * 1024))) >"$tmp/out" 2>"$tmp/err"
    same "$name: as untraced" "$(cat "$tmp/out.0")" "$(cat "$tmp/out")"
    if [ -e "$tmp/trace" ]; then
        same "$name: no message, nothing missed" "0" "$(cat "$tmp/err")$(json .totals.missed_events)"
    else
        same "$name: said once" \
            "tracemalloc: not recording: memory is limited to less than 512 MiB (ulimit -v or -d)" \
            "$(cat "$tmp/err")"
    fi
}

for kind in v d; do
    for limit in 16 32 64 128 256 511 512 1024 2048; do
        within $((limit * 1024)) $((limit / 2)) $kind
    done
done
for limit in 512 1024 2048; do
    within $((limit * 1024)) $((limit / 8 * 5)) v
    check "five eighths of $limit MiB are the program's, and it is recorded" [ -e "$tmp/trace" ]
done
finish
