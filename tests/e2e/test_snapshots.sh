#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Snapshots and the timeline of programs that know the truth about themselves.
set -u
. tests/lib.sh
program=$programs/snapshots

# snapshots FILTER [FILE]: a jq filter over each snapshot of the list.
snapshots() { json "[.snapshots[] | $1] | map(tostring) | join(\" \")" "${2:-}"; }
points() { "$tracemalloc" info --records=timeline "$tmp/trace" | grep '^timeline\['; }

# ---- figures ----

# columns 1 to N
first() { sort "$1" | cut -d' ' -f "1-$2"; }

# compare NAME COLUMNS: each snapshot of tests/programs/model with what it printed then.
compare() {
    local label wrong=
    for label in 1 2 3 4 5 6 7; do
        sed -n "s/^$label@//p" "$tmp/expected" >"$tmp/then"
        [ -s "$tmp/then" ] || wrong+=" $label: nothing said"
        site_figures "$tmp/trace@$label" >"$tmp/found"
        diff <(first "$tmp/then" "$2") <(first "$tmp/found" "$2") >"$tmp/diff" ||
            wrong+=" $label: $(head -n 3 "$tmp/diff")"
    done
    same "$1" "" "$wrong"
}

traced "" "$programs/model" 200000 1 1 snapshots >"$tmp/expected"
compare "one thread: every figure of every site at each snapshot" 10
site_figures >"$tmp/found"
check "and at the end as without them" diff <(grep -v @ "$tmp/expected" | sort) "$tmp/found"
traced "" "$programs/model" 200000 4 4 snapshots >"$tmp/expected"
compare "4 threads by turns: every figure but the peak's at each snapshot" 8
same "all are exact" "true true true true true true true" "$(snapshots .exact)"
same "the list's totals are those of the sites" "$(snapshots .current_bytes)" \
    "$(for i in 1 2 3 4 5 6 7; do json .totals.current_bytes "$tmp/trace@$i"; done | xargs)"

# inner has as many blocks as outer, or one less for each of the threads: in every snapshot.
wrong=0
taken=$(traced "keep=6" "$program" threads 4 300)
for i in $(snapshots 'select(.exact) | .number'); do
    outer=$(of outer allocations "$tmp/trace@$i") inner=$(of inner allocations "$tmp/trace@$i")
    now=$(of outer current_blocks "$tmp/trace@$i") below=$(of inner current_blocks "$tmp/trace@$i")
    [ $((outer - inner)) -ge 0 ] && [ $((outer - inner)) -le 4 ] && [ "$now" -le 4 ] &&
        [ "$below" -le "$now" ] || wrong=$((wrong + 1))
done
check "threads at work: $taken taken" [ "$taken" -gt 2 ]
same "each is one instant" 0 "$wrong"
check "most of them" [ "$(snapshots 'select(.exact)' | wc -w)" -ge 2 ]

# ---- labels ----

hostile=$'\033]0;evil\007 \302\233 </script>\n"\\'
long=$(printf 'x%.0s' $(seq 100))
check "they are taken" [ -z "$(traced "" "$program" labels one "" "$hostile" "$long" one 7)" ]
same "as many blocks as there were" "1 2 3 4 5 6" "$(snapshots .current_blocks)"
same "labels in JSON" "$hostile" "$(json '.snapshots[2].label')"
same "one that is too long is cut" 63 "$(json '.snapshots[3].label | length')"
same "an empty one is none" null "$(json '.snapshots[1].label')"
same "FILE@LABEL: the last that has it" 500 "$(json .totals.current_bytes "$tmp/trace@one")"
same "FILE@NUMBER" 100 "$(json .totals.current_bytes "$tmp/trace@1")"
same "FILE@LABEL that is a number" 600 "$(json .totals.current_bytes "$tmp/trace@7")"
same "FILE@-2" 5 "$(json .snapshot.number "$tmp/trace@-2")"
for command in "report $tmp/trace@3" "info $tmp/trace"; do
    $tracemalloc $command >"$tmp/out"
    check "${command%% *}: nothing of a label reaches the terminal" \
        eval '! LC_ALL=C grep -qa "[^[:print:][:space:]]" "$tmp/out" && grep -qF "\x1b]0;evil" "$tmp/out"'
done
same "not traced: nothing happens" "" "$("$program" labels one two)"

# ---- how many, and when ----

traced "keep=5" "$program" many 300
same "keep=5: that many" 5 "$(snapshots .number | wc -w)"
same "keep=5: the first and the last three" "1 298 299 300" "$(snapshots .number | cut -d' ' -f 1,3-)"
size=$(stat -c %s "$tmp/trace")
traced "keep=5" "$program" many 20000
same "their space is used again" "$size" "$(stat -c %s "$tmp/trace")"
traced "" "$program" many 65
same "64 of them unless told otherwise" 64 "$(snapshots .number | wc -w)"

traced "snapshot-interval=0.05" "$program" slowly 400
taken=$(snapshots .number | wc -w)
check "at an interval: $taken" [ "$taken" -ge 3 -a "$taken" -le 8 ]
same "and why" interval "$(json '[.snapshots[].reason] | unique | join(" ")')"
same "not closer than that" "" \
    "$(json '[.snapshots[].seconds] | [.[1:], .[:-1]] | transpose |
        map(.[0] - .[1] | select(. < 0.02)) | join(" ")')"
traced "snapshot-growth=2" "$program" grows 10240
same "each time current has doubled, from 1 MiB on" "2 4 8" "$(snapshots '.current_bytes / 1048576 | floor')"
traced "snapshot-size=3M" "$program" grows 10240
same "when it comes to a size: at the very block" 1 \
    "$(json '[.snapshots[].current_bytes | select(. >= 3145728 and . < 3146752)] | length')"
same "once" 1 "$(snapshots .number | wc -w)"

# ---- memory that is out ----

said=$(traced "" "$program" fails 800)
same "malloc returns NULL: the program goes on, errno is right" ENOMEM "${said#* }"
# The recorder itself may find no memory for what it would note of the last blocks.
same "malloc returns NULL: what was live then" "${said% *}" \
    "$(($(of allocate current_blocks "$tmp/trace@1") + $(json .totals.missed_events)))"
same "malloc returns NULL: why" "out of memory" "$(json '[.snapshots[].reason] | unique | join(" ")')"
check "malloc returns NULL: how much was wanted" \
    eval '"$tracemalloc" info "$tmp/trace" | grep -q "out of memory (1000000 bytes wanted)"'

same "all kinds of allocations fail as they should" "all failed" "$(traced "" "$program" fails-all)"
same "the first four that memory was out for" "$((2 ** 47)) $((2 ** 46 + 1)) $((2 ** 46 + 64)) $((2 ** 46 + 2))" \
    "$("$tracemalloc" info "$tmp/trace" | sed -nE 's/.*out of memory \(([0-9]+) bytes wanted\).*/\1/p' | xargs)"

# ---- processes ----

traced "" "$program" forks 0
same "a fork: the parent has its own" "30 parent" "$(snapshots .label | xargs -n 1 | uniq -c | xargs)"
same "a fork: and the child its own" "child" "$(snapshots .label "$tmp/trace.2")"
same "a fork: with what it had inherited and freed" "2000 20000" \
    "$(json '[.totals.current_blocks, .totals.current_bytes] | join(" ")' "$tmp/trace.2@child")"

traced "" "$program" forks 3000
parent=$(du -k "$tmp/trace" | cut -f 1) child=$(du -k "$tmp/trace.2" | cut -f 1)
check "a fork: the parent's take no room in the child's: $child KiB, $parent KiB" \
    [ "$child" -lt $((parent / 3)) ]
same "a fork: whole" "child 5000" \
    "$(snapshots .label "$tmp/trace.2") $(json .totals.current_blocks "$tmp/trace.2@child")"

# ---- the timeline ----

traced "" "$program" grows 20480
check "points: $(points | wc -l)" [ "$(points | wc -l)" -ge 3 ]
same "points: the peak is one" "$(json .totals.peak_bytes)" \
    "$(points | sed -E 's/.* current_bytes=([0-9]+) .*/\1/' | sort -n | tail -n 1)"
same "points: with its blocks" "$(json .totals.peak_blocks)" \
    "$(points | sed -nE "s/.* current_bytes=$(json .totals.peak_bytes) blocks=([0-9]+) .*/\1/p" | sort -u)"
same "points: the last is the end" "$(json .totals.current_bytes) $(json .totals.current_blocks)" \
    "$(points | tail -n 1 | sed -E 's/.* current_bytes=([0-9]+) blocks=([0-9]+) .*/\1 \2/')"
check "points: with resident memory" \
    [ "$(points | sed -E 's/.* resident_bytes=//' | sort -n | tail -n 1)" -gt 1000000 ]
traced "" "$program" slowly 300
count=$(points | wc -l)
check "points: a program that allocates seldom has them, too: $count" [ "$count" -ge 50 ]

# ---- run ----

for option in --snapshot-interval=0 --snapshot-growth={1,1.2345} --snapshot-size=1T --keep=0; do
    "$tracemalloc" run $option true >"$tmp/out" 2>"$tmp/err"
    check "run $option: exit 2" [ $? = 2 -a ! -s "$tmp/out" ]
done
rm -f "$tmp"/trace*
"$tracemalloc" run -q -o "$tmp/trace" --snapshot-growth=1.5 --snapshot-size=3M --snapshot-interval=100 \
    --keep=3 "$program" grows 10240
same "run: its options are the recorder's" "growth growth growth" "$(snapshots .reason)"
finish
