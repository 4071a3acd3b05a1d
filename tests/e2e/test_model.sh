#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A million random events, counted by the recorder and by a reference that cannot be wrong: every figure of
# every site is equal; with several threads all but the peak, which is within its bound.
set -u
. tests/lib.sh

# columns 1 to N
first() { sort "$1" | cut -d' ' -f "1-$2"; }

for seed in 1 2; do
    traced "" "$programs/model" 1000000 $seed 1 >"$tmp/expected"
    site_figures >"$tmp/found"
    check "one thread, seed $seed: every figure of every site" diff <(sort "$tmp/expected") "$tmp/found"
    same "one thread, seed $seed: nothing missed" 0 "$(json .totals.missed_events)"
done
for n in 2 8; do
    traced "" "$programs/model" 1000000 $n $n >"$tmp/expected"
    site_figures >"$tmp/found"
    check "$n threads by turns: every figure but the peak's" diff <(first "$tmp/expected" 8) <(first "$tmp/found" 8)
    wanted=$(awk '{s += $10} END {print s}' "$tmp/expected")
    got=$(json '[.sites[] | select(any(.frames[]; .function // "" | startswith("site_"))) | .peak_bytes] | add')
    bound=$(json .totals.peak_error_bytes)
    check "$n threads by turns: the peak within $bound" \
        [ $((wanted > got ? wanted - got : got - wanted)) -le "$bound" ]
done
finish
