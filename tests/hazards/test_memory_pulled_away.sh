#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Stacks and blocks that were seen are unmapped, replaced or moved: nothing is read that is not there.
set -u
. tests/hazards/oracle.sh

as_untraced "pulled away" "$hazards/pulled_away"
by=function as_told "pulled away"
same "pulled away: nothing was missed" 0 "$(totals .missed_events)"
finish
