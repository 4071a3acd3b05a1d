#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that forbids itself all system calls but those that malloc takes: the recorder makes no other,
# neither for what it has not seen yet, nor at the end.
set -u
. tests/hazards/oracle.sh

for what in seen new unseen beyond; do
    for how in exit _exit "exit seccomp" "exit prctl errno"; do
        as_untraced "$what, $how" "$hazards/sandboxed" $what $how
        as_told "$what, $how"
        [ "$how" = "exit prctl errno" ] || same "$what, $how: whole stacks" 0 "$(totals .truncated_stacks)"
    done
done
options=snapshot-interval=0.001,snapshot-growth=1.1,snapshot-size=100
as_untraced "with snapshots" "$hazards/sandboxed" new exit
as_told "with snapshots"
check "with snapshots: there are some" eval '"$tracemalloc" report --json "$trace" | jq -e ".snapshots | length > 0" >"$tmp/out"'
options=
as_untraced "a child before it has a file" "$hazards/sandboxed" child exit
check "a child before it has a file: it gets none" [ ! -e "$trace.2" ]
finish
