#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Which process writes which file, and what stands in it.
set -u
. tests/lib.sh
cd "$tmp" || exit 1

# left HOW N: runs it; then the traces, a line each: blocks of the parent, blocks of the leaf, inherited bytes.
left() {
    rm -f tracemalloc.* t.*
    # A daemon, or a grandchild, goes on after its parent; the pipe ends with the last of them.
    (set -o pipefail; LD_PRELOAD=$lib "$programs/processes" "$@" | cat) || echo "failed: $*"
    for f in tracemalloc.processes.*; do
        echo "$(of in_parent allocations "$f") $(of in_leaf allocations "$f") $(of in_parent current_bytes "$f")"
    done | sort
}

same "spawn: a file each, nobody writes another's" "0 1500 0
500 0 50000" "$(left spawn 1500)"
same "spawn: a small one leaves none" "500 0 50000" "$(left spawn 100)"
same "system" "0 1500 0
500 0 50000" "$(left system 1500)"
same "popen" "0 1500 0
500 0 50000" "$(left popen 1500)"
same "the shell between leaves none" 2 "$(ls tracemalloc.* | wc -l)"
same "an exec chain in one pid: a file for each program" "500 0 50000
500 0 50000
500 0 50000
500 0 50000
500 0 50000" "$(left chain 4)"
same "the chain's files are of one pid" 1 "$(for f in tracemalloc.*; do json .pid "$f"; done | sort -u | wc -l)"
same "a daemon: its own file, with what it inherited" "0 1500 50000
500 0 50000" "$(left daemon 1500)"
same "forked twice: the grandchild's file, none between" "0 1500 50000
500 0 50000" "$(left twice 1500)"

traced "" "$programs/short_threads" 10000
same "10,000 short threads lose nothing" "20000 10000 1000000" \
    "$(of worker allocations) $(of worker frees) $(of worker current_bytes)"
same "10,000 short threads were seen" 10001 "$(json .totals.threads)"
check "and cost no more than a few" [ "$(du -k "$tmp/trace" | cut -f1)" -le 512 ]

# 100 shells that run at once, in one directory.
rm -f tracemalloc.*
LD_PRELOAD=$lib LIBTRACE_OPTIONS=children=all bash -c 'for i in $(seq 100); do (echo $i >/dev/null) & done; wait'
unreadable=0
for f in tracemalloc.*; do
    "$tracemalloc" report --json --limit 1 "$f" >/dev/null || unreadable=$((unreadable + 1))
done
same "100 subshells: every file is readable" 0 $unreadable
check "100 subshells: a file each" [ "$(ls tracemalloc.* | wc -l)" -ge 101 ]
finish
