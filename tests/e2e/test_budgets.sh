#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What the recorder takes of its host: descriptors, threads, signals, stack, memory, calls of the real
# allocator, cancellation points.  (tests/check_exports.sh has what the library itself shows; `make bench` the
# time.)
set -u
. tests/lib.sh

# ---- descriptors, threads, signals ----
cd "$tmp" || exit 1
"$programs/census" >expected
for children in auto all none; do
    traced children=$children "$programs/census" >found
    check "no descriptor, thread or signal more at any moment, children=$children" diff expected found
    case $children in none) files=1 ;; *) files=2 ;; esac
    same "children=$children: and the traces are there" $files "$(ls "$tmp"/trace* | wc -l)"
done

# ---- stack ----
traced children=all "$programs/painted" >painted
while read -r whose bytes; do
    case $whose in known | again) most=2048 ;; *) most=8192 ;; esac
    check "stack, $whose: $bytes bytes below the caller, of $most" [ "$bytes" -le $most ]
done <painted
same "stack: all five were measured" "unknown known again thread child" "$(cut -d' ' -f1 painted | xargs)"
same "stack: under the recorder" "2 0" "$(ls "$tmp"/trace* | wc -l) $(json .totals.missed_events)"

# ---- memory ----
without=$("$programs/parked" 1000)
with=$(traced "" "$programs/parked" 1000)
each=$(((with - without) / 1000))
check "memory: $each bytes for each parked thread, of 16384" [ $each -le 16384 ]
same "memory: all of them were counted" "1001 1000" "$(json .totals.threads) $(of park allocations)"

# ---- the real allocator ----
LD_PRELOAD=$build/tests/hazards/counting.so "$programs/counted" >own
same "the allocator is called as often as the program asks" "0 0 0" "$(cat own)"
same "... and not once more under the recorder: here, in threads, in a child" "0 0 0" \
    "$(LD_PRELOAD="$lib $build/tests/hazards/counting.so" "$programs/counted")"
same "... which counted all of it" "$(((1 + 3 * 512 * 9) * 4))" \
    "$(of calls allocations "$(ls tracemalloc.counted.* | head -n 1)")"

# ---- cancellation ----
same "a cancelled thread comes to its own cancellation point" "cancelled in time
cancelled in time" "$(traced children=all timeout 60 "$programs/cancelled")"
check "... under the recorder" [ "$(of worker allocations "$tmp/trace.2")" -ge 50000 ]
finish
