#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Children whose environment, pid or /proc is not what one may expect, and many of them.
set -u
. tests/hazards/lib.sh

traces() { ls "$tmp" | grep -c "^trace"; }
# sums: allocations of each trace but the first, a line each.
sums() {
    for f in "$tmp"/trace.*; do
        figures "$f"
    done | sort | uniq -c | awk '{$1 = $1} 1'
}

unhurt "500 children at once" "" "$hazards/children" many 500
same "500 children at once: they are too small for a file" 1 "$(traces)"
unhurt "100 children at once, all recorded" children=all "$hazards/children" many 100
same "100 children at once, all recorded: a file each" 101 "$(traces)"
same "100 children at once, all recorded: their blocks" "100 10 whole" "$(sums)"

# Of each: its own allocations, and what is left of all generations.
unhurt "five generations" "" "$hazards/children" generations 5
same "five generations: each counts its own, and has what it inherited" \
    "1500 30000 1550 30500, 1500 30000 3050 60500, 1500 30000 4550 90500, 1500 30000 6050 120500, \
1500 30000 7550 150500" \
    "$(for i in 2 3 4 5 6; do recorded "$tmp/trace.$i"; done | paste -sd, | sed 's/,/, /g')"

harmless "a parent that goes on before its child does anything" "" "$hazards/forks_then_parent_goes_on"
same "a parent that goes on before its child does anything: the child's blocks are at its own call sites" \
    "8 16 1200" "$(json '[.sites[] | {n: .allocations, inner: (.frames[0].function // ""),
            outer: (.frames[1].function // "")}] |
        [map(select(.inner | startswith("place"))), map(select(.outer == "new_site_allocate")),
            map(select(.outer == "fork_and_go_on"))] |
        map(map(.n) | add // 0 | tostring) | join(" ")' "$tmp/trace.2")"

unhurt "a child without environment" "" "$hazards/children" empty "$hazards/works"
same "a child without environment: no trace" 1 "$(traces)"
harmless "env -i" "" env -i "$hazards/works"
same "env -i: only its own trace" 1 "$(traces)"
unhurt "a program that knows no variables" "" "$hazards/children" blind

# Each program of the chain has the same pid, and makes 500 blocks.
recording "" "$programs/processes" chain 20
same "a chain of 20 programs in one pid: a file each" 21 "$(traces)"
same "a chain of 20 programs in one pid: their blocks" "20 500 whole" "$(sums)"

# In each the first process is 1; of /proc, which is another namespace's, it is not.
if unshare -rpf true 2>/dev/null; then
    for i in 1 2 3 4 5; do
        limited unshare -rpf env LD_PRELOAD="$lib" LIBTRACE_OPTIONS="out=$tmp/pid.%e.%p" \
            sh -c "$hazards/children many 0; /bin/true; exit 0" >"$tmp/out"
    done
    same "pid namespaces that share a directory: no file is another's, and small children leave none" \
        "5 shells" "$(ls "$tmp"/pid.* | wc -l) $(ls "$tmp"/pid.*.1* | wc -l | sed 's/5/shells/')"
else
    skip "pid namespaces that share a directory" "namespaces are not permitted"
fi
finish
