#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A snapshot is interrupted: by the program's end, a handler, a fork that asks nobody, a thread that wants one, too.
set -u
. tests/hazards/lib.sh
preload=$faulty

# taken [FILE]: number of each snapshot, and the bytes of its sites.
taken() {
    local i
    for i in $(json '.snapshots[].number' "${1:-$tmp/trace}"); do
        echo "$i:$(of counted_malloc current_bytes "${1:-$tmp/trace}@$i")"
    done | xargs
}

left=()
for n in 1 2 3; do
    recording "" "$hazards/snapshots" killed $n >"$tmp/out" 2>/dev/null
    same "killed in the midst of number $n: exit status" 137 $?
    same "killed in the midst of number $n: those before are there" "${left[*]}" "$(taken)"
    left+=("$n:${n}00")
    same "killed in the midst of number $n: and the latest figures" "${n}00" "$(of counted_malloc current_bytes)"
done

# 511 are written, then every other of them moves up: to the places 2 to 256.
while read -r n expected; do
    recording "" "$hazards/snapshots" writing $n >"$tmp/out" 2>/dev/null </dev/null
    same "killed at point $n: exit status" 137 $?
    "$tracemalloc" info --records=timeline "$tmp/trace" >"$tmp/out"
    same "killed at point $n: the trace is sound" 0 $?
    found=$(sed -nE 's/^  ([0-9]+) points, .*/\1/p' "$tmp/out")
    check "killed at point $n: $found are there, of $expected" \
        [ $((found - expected)) -ge -2 -a "$found" -le "$expected" ]
done <<'END'
100 99
513 510
650 442
767 256
END

harmless "a handler that allocates and asks for another" "" "$hazards/snapshots" none
recording "" "$hazards/snapshots" handler >"$tmp/out"
same "a handler that allocates and asks for another" \
    "0 one: taken,in the handler: EAGAIN,two: taken,three: taken,done" "$? $(paste -sd , "$tmp/out")"
same "all three are right" "1:100 2:200 3:300" "$(taken)"

recording "" "$hazards/snapshots" jumps >"$tmp/out"
same "a handler that jumps out: the program goes on" "0 done" "$? $(tail -n 1 "$tmp/out")"
same "what was before is there" "1:100" "$(taken)"
check "and the report says that recording ended" \
    eval '"$tracemalloc" report "$tmp/trace" | grep -q "^recording ended early"'

recording "" "$hazards/snapshots" _Fork >"$tmp/out"
same "a fork that asks nobody: the child goes on" "0 1" "$? $(grep -c "^the child's status: 7" "$tmp/out")"
same "and the parent" "1:100 2:200 3:300" "$(taken)"

recording "" "$hazards/snapshots" thread >"$tmp/out"
same "another thread asks meanwhile: it waits" "0 1" "$? $(grep -c "^of the other: taken" "$tmp/out")"
same "all four are there" 4 "$(taken | wc -w)"
finish
