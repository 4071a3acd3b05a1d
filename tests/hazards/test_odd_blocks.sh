#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Blocks that nobody recorded, that are written to their very end, freed with their size, too large, freed
# twice: the C library says of them what it always says.
set -u
. tests/hazards/oracle.sh

for how in foreign slack sized failed; do
    as_untraced $how "$hazards/odd_blocks" $how
    as_told $how
    whole $how
done
for how in twice twice_large inside nowhere realloc_inside; do
    as_untraced "$how" "$hazards/odd_blocks" $how
    check "$how: the library found it out" [ "$(cat "$tmp/untraced.status")" = 134 -o $how = nowhere ]
done
finish
