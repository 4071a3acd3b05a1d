#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A handler that allocates and frees comes at any moment: in each instruction of the recorder, or 10,000 times
# a second.  What it did while the recorder was at work is counted as missed, and nothing else is lost.
set -u
. tests/hazards/oracle.sh

# The program knows how many blocks were born and that none is left; a death that found no room among those
# that are put off is a missed event, too, and leaves its block.
born() { totals '.allocations + .missed_events - .current_blocks'; }

for how in "stepped 8" "timers 2000"; do
    as_untraced "$how" "$hazards/interrupted" $how
    same "$how: born and missed" "$(cat "$tmp/traced/born")" "$(born)"
    same "$how: what was seen is whole" 0 "$(totals .truncated_stacks)"
    [ "${how%% *}" = stepped ] &&
        check "$how: more died than can be put off" [ "$(totals .current_blocks)" -gt 0 ]
    check "$how: the recorder was interrupted" [ "$(totals .missed_events)" -gt 500 ]
done
finish
