#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Children that no handler of pthread_atfork announced, and those of a busy process: each leaves its own file
# and its parent's alone.
set -u
. tests/hazards/oracle.sh

for how in clone fork _Fork; do
    as_untraced "$how" "$hazards/clones" $how
    as_told "$how: the parent"
    whole "$how: the parent"
    whole "$how: the child" "$trace.2"
    same "$how: the child counts from the fork" "0 100 1500 15000 20000" "$(json '
        def of($f; $m): [.sites[] | select(any(.frames[]; .function == $f))[$m]] | add // 0;
        [of("in_parent"; "allocations", "frees"), of("in_child"; "allocations", "current_bytes"),
         of("in_parent"; "current_bytes")] | map(tostring) | join(" ")' "$trace.2")"
done

trace=
as_untraced "zygote" "$hazards/clones" zygote
for file in "$tmp"/traced/*; do
    echo "$(of in_child allocations "$file") $(of in_grandchild allocations "$file")" \
        "$(json '.totals | "\(.missed_events) \(.truncated_stacks)"' "$file")"
done | sort | uniq -c >"$tmp/files"
same "zygote: a file each, nobody in another's" "1 0 0 0 0
10 0 1100 0 0
10 1500 0 0 0" "$(sed 's/^ *//' "$tmp/files")"
finish
