#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What programs map themselves: to the byte what the program knows of itself; and nothing of it unless that is asked
# for.
set -u
. tests/lib.sh
program=$programs/mappings

# Of each function site_*: allocations, bytes, frees, reallocations, blocks and bytes at the end.
mapped() { site_figures "${1:-}" | awk '{ print $1, $2, $3, $4, $5, $7, $8 }'; }

for what in parts over moves fails files threads stops temporary; do
    "$program" $what >"$tmp/untraced"
    same "$what: status" 0 $?
    traced mmap=on "$program" $what >"$tmp/out"
    check "$what: every figure" diff "$tmp/out" <(mapped)
    same "$what: nothing is missed" 0 "$(json .totals.missed_events)"
    same "$what: the sums are those of the sites" "$(json '[.sites[].current_bytes] | add // 0')" \
        "$(json .totals.current_bytes)"
    if [ $what != threads ]; then
        check "$what: as untraced" diff "$tmp/untraced" "$tmp/out"
        traced "" "$program" $what >"$tmp/out"
        check "$what, not asked for: as untraced" diff "$tmp/untraced" "$tmp/out"
    fi
    same "$what, not asked for: nothing" "" "$(traced mmap=off "$program" $what >/dev/null; mapped)"
done
same "temporary: so they are" 0 "$(traced mmap=on "$program" parts >/dev/null; of site_map temporary)"
same "temporary: so they are" 10 "$(traced mmap=on "$program" temporary >/dev/null; of site_map temporary)"

traced mmap=on,children=all "$program" forks >"$tmp/out"
check "forks: what the child has, inherited too" diff "$tmp/out" <(mapped "$tmp/trace.2")
same "forks: the parent's" "site_map 2 122880 0 0 2 118784" "$(mapped)"

traced mmap=on "$program" files >/dev/null
same "where call paths begin" "[mmap file]: site_file site_move site_move_to, [mmap]: site_map" \
    "$(json '[.sites[] | select(.frames[-1].module | startswith("[mmap"))] | group_by(.frames[-1].module) |
        map((.[0].frames[-1].module) + ": " + (map(.frames[].function | select(. != null and startswith("site_"))) |
        unique | join(" "))) | join(", ")')"

"$tracemalloc" run -q --mmap -o "$tmp/run" "$program" parts >"$tmp/out"
check "run --mmap: every figure" diff "$tmp/out" <(mapped "$tmp/run")
finish
