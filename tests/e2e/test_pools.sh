#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program with an arena and a slab, which tells of their blocks: each domain's figures are what the program knows.
set -u
. tests/lib.sh

# Of each domain, and of the heap what the slab got: allocations, bytes, frees, blocks and bytes at the end.
domains() {
    json '[.sites[] | {d: (if .domain | startswith("domain") then "[\(.domain)]" else .domain end), s: .}
        | select(.d | startswith("[") or . == "mmap") // select(any(.s.frames[]; .function == "slab_chunk"))]
        | group_by(.d) | sort_by(.[0].d != "heap", .[0].d)
        | .[] | [.[0].d] + (map(.s) | [(map(.allocations) | add), (map(.allocated_bytes) | add), (map(.frees) | add),
            (map(.current_blocks) | add), (map(.current_bytes) | add)]) | map(tostring) | join(" ")'
}

for threads in 1 4; do
    traced "" "$programs/pools" 30000 $threads >"$tmp/expected"
    domains >"$tmp/found"
    check "$threads threads: all that is there" [ "$(wc -l <"$tmp/found")" = 3 ]
    check "$threads threads: every figure of each domain" diff "$tmp/expected" "$tmp/found"
    same "$threads threads: nothing is missed" 0 "$(json .totals.missed_events)"
done
same "the function that allocates from the arena" "arena_alloc" \
    "$("$tracemalloc" report --json --group-by function --domain 1 "$tmp/trace" |
        jq -r '.sites[].frames[0].function')"
check "tree: each domain is one" eval '"$tracemalloc" tree "$tmp/trace" | grep -c "\[domain [12]\]" | grep -qx 2'

# What the arenas are cut from is a domain, too.
traced mmap=on "$programs/pools" 30000 4 >"$tmp/expected"
echo "mmap 4 262144 0 4 262144" >>"$tmp/expected"
domains >"$tmp/found"
check "with mmap: every figure of each domain" diff "$tmp/expected" "$tmp/found"
same "by domain: as many rows" "heap mmap domain 1 domain 2" \
    "$(json '[.sites[].domain] | unique | sort_by(. != "heap", . != "mmap", .) | join(" ")')"
for domain in heap mmap 1 2; do
    same "--domain $domain: what the row has" \
        "$("$tracemalloc" report --json --domain $domain "$tmp/trace" | jq -c '.selected | del(.sites)')" \
        "$("$tracemalloc" report --json --group-by domain "$tmp/trace" |
            jq -c --arg d "$(echo $domain | sed 's/^[0-9]/domain &/')" \
                '.sites[] | select(.frames[0].module == $d) | del(.frames, .truncated)')"
done
finish
