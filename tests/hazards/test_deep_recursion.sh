#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A recursion of 100,000 levels that allocates at each: in bounded time and memory, and what is cut is said to
# be.
set -u
. tests/hazards/oracle.sh

by=function      # whole stacks of these are much to read
as_untraced "whole" "$hazards/recursion" 1000
as_told "whole"
whole "whole"
for depth in 1024 64; do
    options=depth=$depth
    as_untraced "depth=$depth" "$hazards/recursion" 100000
    as_told "depth=$depth"
    cut=$(totals .truncated_stacks)
    check "depth=$depth: what is cut is counted" [ $((100000 - 2 * depth)) -le "$cut" -a "$cut" -lt 100000 ]
    same "depth=$depth: nothing was missed" 0 "$(totals .missed_events)"
    check "depth=$depth: not a tree for each level" [ "$(du -k "$trace" | cut -f1)" -lt 16384 ]
done
finish
