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

# The most that was live, as the recorder noted it; or it is live still.
noted_peak() {
    "$tracemalloc" info "$tmp/trace" | awk -v now="$(json .totals.current_bytes)" \
        '/^  peak_bytes/ { print ($2 + 0 > now + 0 ? $2 : now) }'
}

for what in parts over moves fails files threads stops temporary; do
    "$program" $what >"$tmp/untraced"
    same "$what: status" 0 $?
    traced mmap=on "$program" $what >"$tmp/out"
    check "$what: every figure" diff "$tmp/out" <(mapped)
    same "$what: nothing is missed" 0 "$(json .totals.missed_events)"
    same "$what: the sums are those of the sites" "$(json '[.sites[].current_bytes] | add // 0')" \
        "$(json .totals.current_bytes)"
    if [ $what != threads ]; then
        same "$what: the sites' shares make the peak" "$(noted_peak)" "$(json '[.sites[].peak_bytes] | add // 0')"
        check "$what: as untraced" diff "$tmp/untraced" "$tmp/out"
        traced "" "$program" $what >"$tmp/out"
        check "$what, not asked for: as untraced" diff "$tmp/untraced" "$tmp/out"
    fi
    same "$what, not asked for: nothing" "" "$(traced mmap=off "$program" $what >/dev/null; mapped)"
done
same "parts: the peak" 98304 "$(traced mmap=on "$program" parts >/dev/null; noted_peak)"
same "parts: none is temporary" 0 "$(traced mmap=on "$program" parts >/dev/null; of site_map temporary)"
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

# Nobody else looks whether recording shall start.
rm -f "$tmp"/trace*
mkfifo "$tmp/ends"
LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/trace,mmap=on,start=off "$program" waits <"$tmp/ends" &
pid=$!
exec 5>"$tmp/ends"
until [ -e "$tmp/trace" ]; do sleep 0.01; done
check "waits: it starts when it is told to" timeout 20 "$tracemalloc" ctl $pid start
sleep 0.2
exec 5>&-
wait
check "waits: and records" [ "$(of site_map allocations)" -gt 0 ]

mkdir "$tmp/no"
: >"$tmp/no/libunwind-x86_64.so.8"
same "without an unwinder there are domains, too" "[mmap]" \
    "$(LD_LIBRARY_PATH=$tmp/no traced mmap=on "$program" temporary >/dev/null
        json '.sites[] | select(.domain == "mmap") | select(.frames | length == 2).frames[1].module')"

# ---- views -------------------------------------------------------------------------------------------

traced mmap=on "$program" files >/dev/null
# current_of COMMAND OPTIONS...: the bytes that are live of what the rows are.
current_of() { "$tracemalloc" "$@" --json "$tmp/trace" | jq '[.sites[].current_bytes] | add // 0'; }
same "report: what is of each domain" "4096 151552 155648 0" "$(current_of report --domain mmap) $(
    current_of report --domain file) $(current_of report --domain mmap --domain file) $(current_of report --domain 1)"
same "report: the same, where stacks are cut and hidden" "4096" \
    "$(current_of report --domain mmap --from main --hide '*libc*')"
same "report: rows by domain" "file 151552 mmap 4096" "$("$tracemalloc" report --json --group-by domain --sort current \
    "$tmp/trace" |
    jq -r '[.sites[] | select(.current_bytes > 0) | "\(.frames[0].module) \(.current_bytes)"] | join(" ")')"
same "leaks" "4096 151552" "$(current_of leaks --domain mmap) $(current_of leaks --domain file)"
same "tree" "151552 of [mmap file]" "$("$tracemalloc" tree --json --domain file --sort current "$tmp/trace" |
    jq -r '.nodes | map(select(.frame.module == "[mmap file]"))[0] | "\(.current_bytes) of \(.frame.module)"')"
same "source" "1" "$("$tracemalloc" source --domain mmap --sort current site_map "$tmp/trace" |
    grep -c '4.0 KiB.* mmap(NULL')"
check "check: within" eval '"$tracemalloc" check --domain mmap --max-current 4K --max-leaked 4K "$tmp/trace" >/dev/null'
check "check: beyond" eval '! "$tracemalloc" check --domain file --max-current 4K "$tmp/trace" >/dev/null'
same "diff" "0 4096" "$(traced "" "$program" files >/dev/null; mv "$tmp/trace" "$tmp/none"
    traced mmap=on "$program" files >/dev/null
    "$tracemalloc" diff --json --domain mmap --group-by domain --sort current "$tmp/none" "$tmp/trace" |
        jq -r '.sites[0] | "\(.old.current_bytes) \(.new.current_bytes)"')"
same "several traces: domains are one" "mmap 8192" "$(cp "$tmp/trace" "$tmp/trace.copy"
    "$tracemalloc" report --json --group-by domain --domain mmap "$tmp/trace" "$tmp/trace.copy" |
        jq -r '.sites[] | "\(.frames[0].module) \(.current_bytes)"')"
finish
