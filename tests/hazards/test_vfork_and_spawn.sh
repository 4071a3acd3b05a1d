#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Children that share their parent's memory until they exec allocate: in the parent's table, which stays
# right.
set -u
. tests/hazards/oracle.sh

as_untraced "vfork" "$hazards/vforks" main
as_told "vfork"
whole "vfork"
as_untraced "vfork, killed" "$hazards/vforks" killed
as_told "vfork, killed"
whole "vfork, killed"
for others in 6 7 8 22 23 24; do
    as_untraced "vfork of a thread that never allocated, among $others" "$hazards/vforks" fresh $others
    as_told "vfork of a thread that never allocated, among $others"
done
for how in spawn popen; do
    as_untraced "$how" "$hazards/vforks" $how
    as_told "$how"
    whole "$how"
    other=$(ls "$trace".* | tail -n 1)
    same "$how: the other program has its own file" "12000 0" \
        "$(of in_parent allocations "$other") $(totals .missed_events "$other")"
done
finish
