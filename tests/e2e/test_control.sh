#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that steers its own recording, and programs that are steered from outside: figures of known truth.
set -u
. tests/lib.sh
program=$programs/steered

# steers WHAT EXPECTED: what the program says of itself.
steers() { same "$1" "$2" "$(traced "" "$program" $1)"; }

# ---- by the program ----

steers stops "before: 1 400 400
stopped: 0 400 400
freed one: 0 300 400
moved one: 0 200 400
moved what is unknown: 0 200 400
started: 1 207 400
freed what is unknown: 1 207 400
one is left: 1 100 400"
same "stops: blocks of meanwhile are nobody's" "0 0" "$(of unseen allocations) $(json .totals.missed_events)"
same "stops: known ones died" "4 3 0 100" \
    "$(of before allocations) $(of before frees) $(of before reallocations) $(of before current_bytes)"
steers resets "before: 1 1000 51000
reset: 1 1000 1000
higher: 1 1320 1320
lower: 1 1020 1320
reset again: 1 1020 1020
freed: 1 0 1020"
same "resets: the shares of the new peak" "1000 20" "$(of before peak_bytes) $(of after peak_bytes)"
check "resets: the report says so" \
    eval '"$tracemalloc" report "$tmp/trace" | grep -q "^the peak was reset after [0-9.]* ms"'
steers clears "cleared: 1 0 0
unknown: 0
freed: 1 0 0
anew: 1 5030 5030"
same "clears: all is of afterwards" "5030 5040 2" \
    "$(json '.totals | [.current_bytes, .allocated_bytes, .current_blocks] | join(" ")')"
check "clears: the report says so" eval '"$tracemalloc" report "$tmp/trace" | grep -q "^all was forgotten after"'
check "clears: and JSON" [ "$(json '.cleared_seconds > 0 and .peak_reset_seconds == null')" = true ]
steers limits "limit: 1024
start: 0
same: 1
wrong: -22 -22
start: 0
limit: 8
fewer: 1
whole: 1
memory: 1"
steers sizes "block: Success 1000 1
empty: Success 0 1
inside: No such file or directory 0 1
stack: No such file or directory 0 1
null: No such file or directory 0 1
freed: No such file or directory 0 1
no results: 0"
steers "threads 4" "end: 4000 1"
same "threads: the trace, too" "4000 4000 0" \
    "$(json '.totals | [.current_bytes, .allocated_bytes - 6000, .missed_events] | map(tostring) | join(" ")')"

traced children=all "$program" forks >"$tmp/out"
same "forks: each steers itself" "child: 0 0 100
child started: 1 20000 20000
parent: 0 100 100" "$(cat "$tmp/out")"
same "forks: the parent goes on without" "true 100" "$(json '[.stopped, .totals.current_bytes] | join(" ")')"
same "forks: the child's" "false 20000" "$(json '[.stopped, .totals.current_bytes] | join(" ")' "$tmp/trace.2")"

traced start=off "$program" off >"$tmp/out"
same "start=off" "off: 0 0 0
started: 1 10 10" "$(cat "$tmp/out")"
same "start=off: only what came after" "1 10" "$(json '.totals | [.allocations, .allocated_bytes] | join(" ")')"
"$tracemalloc" run -q --start=off -o "$tmp/run" "$program" many 1000
same "run --start=off" "true 0" "$(json '[.stopped, .totals.allocations] | join(" ")' "$tmp/run")"
"$tracemalloc" run --start=maybe true >"$tmp/out" 2>&1
same "run --start=maybe" 2 $?

hostile=$'\033]0;evil\007 \302\233 </script>\n"\\'
long=$(printf 'ä%.0s' $(seq 50))
same "marks" "" "$(traced "" "$program" marks one "$hostile" "" "$long")"
same "marks: what was live" "100 200 300 400" "$(json '[.marks[].current_bytes] | map(tostring) | join(" ")')"
same "marks: labels" "$hostile" "$(json '.marks[1].label')"
same "marks: a long one is cut between characters" 31 "$(json '.marks[3].label | length')"
check "marks: in order" [ "$(json '[.marks[].seconds] | . == sort')" = true ]
"$tracemalloc" info "$tmp/trace" >"$tmp/out"
check "marks: nothing of a label reaches the terminal" \
    eval '! LC_ALL=C grep -qa "[^[:print:][:space:]]" "$tmp/out" && grep -qF "\x1b]0;evil" "$tmp/out"'
same "marks: 1024 of them" "1024 x: No space left on device" \
    "$(traced "" "$program" marks $(yes x | head -n 1025) | sort | uniq -c | sed 's/^ *1 /1024 /')"

steers phases "inner: Success -100 300 400 1 5
outer: Success -3850 1000 1650 13 6
none: No such file or directory 0 0 0 0 0"
steers "phases 8" "wrong: 0"
same "phases: figures are as without them" "48000 48000 48000 48000" \
    "$(of before allocations) $(of before frees) $(of after allocations) $(of after temporary)"
traced children=all "$program" pools >"$tmp/out"
same "pools" "pool: 1 2000 2000
arena: 1 52000 52000
one is free: 1 51900 52000
one is another: 1 52350 52350
most are free: 1 2300 52350
the pool is not: 1 1300 52350
too much: Invalid argument
cleared: 1 10 10" "$(cat "$tmp/out")"
same "pools: a fork's child has what its parent told" "8 2699 700 1999" \
    "$(json '.totals | [.current_blocks, .current_bytes] | map(tostring) | join(" ")' "$tmp/trace.2") $(
        for function in from_pool from_arena; do of $function current_bytes "$tmp/trace.2"; done | xargs)"
same "pools: the frame that has told it" "from_arena from_pool" \
    "$("$tracemalloc" report --json --group-by function "$tmp/trace.2" | jq -r '.sites[].frames[0].function' |
        grep from_ | sort | xargs)"
same "pools: a domain's" "700" \
    "$("$tracemalloc" report --json --domain 3 "$tmp/trace.2" | jq '[.sites[].current_bytes] | add')"
for name in a b; do cp "$build/tests/hazards/calling_plugin.so" "$tmp/$name.so"; done
traced "" "$program" plugins "$tmp/a.so" "$tmp/b.so"
same "libraries that come or go while nothing is recorded: it is seen when they go" 2 \
    "$("$tracemalloc" info --records=modules "$tmp/trace" | grep -E '^modules.*/[ab]\.so"' | grep -vc 'gone_ns=0 ')"
for what in stops resets clears limits sizes phases pools "threads 2" off "marks one"; do
    timeout 60 "$program" $what >"$tmp/out"
    same "not traced: $what" 0 "$?"
done
same "not traced: all is 0" "limit: 0" "$("$program" limits | head -n 1)"

# ---- from outside ----

ctl() { "$tracemalloc" ctl "$pid" "$@"; }

# begin WHAT [OPTIONS]: runs a program whose input is descriptor 9.
begin() {
    rm -f "$tmp/in" "$tmp"/trace*
    mkfifo "$tmp/in"
    LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/trace${2:+,$2} "$program" $1 <"$tmp/in" &
    pid=$!
    exec 9>"$tmp/in"
    for _ in $(seq 200); do
        [ -s "$tmp/trace" ] && [ "$(json .totals.allocations 2>&1)" != 0 -o -n "${2:-}" ] && return
        sleep 0.02
    done
}

end() {
    exec 9>&-
    wait "$pid"
}

# still ARGUMENT...: what is counted, a while apart.
still() {
    local one
    one=$(json .totals.allocations)
    sleep 0.1
    [ "$one" = "$(json .totals.allocations)" ]
}

begin waits
check "ctl snapshot" ctl snapshot "with a label"
same "ctl snapshot: there it is" "with a label" "$(json '.snapshots[].label')"
check "ctl snapshot without a label" ctl snapshot
same "ctl snapshot without a label: there it is" 2 "$(json '.snapshots | length')"
check "ctl stop" ctl stop
check "ctl stop: nothing is recorded" still
same "ctl stop: and that is said" true "$(json .stopped)"
check "ctl snapshot while it is stopped" ctl snapshot quiet
check "ctl clear" ctl clear
same "ctl clear: nothing is known" "0 0 0" \
    "$(json '.totals | [.current_bytes, .peak_bytes, .allocations] | map(tostring) | join(" ")')"
check "ctl start" ctl start
sleep 0.1
check "ctl start: it is recorded again" eval '! still'
check "ctl reset-peak" ctl reset-peak
check "ctl reset-peak: JSON says so" [ "$(json '.peak_reset_seconds > 0')" = true ]
check "ctl depth" ctl depth=7
same "ctl depth: it is" 7 "$("$tracemalloc" info "$tmp/trace" | awk '$1 == "depth" {print $2}')"
long=$(printf 'ä%.0s' $(seq 50))
ctl snapshot "$long"
same "ctl snapshot: a long label is cut between characters" 31 "$(json '.snapshots[-1].label | length')"
for _ in $(seq 8); do ctl snapshot many & done
wait $(jobs -p | grep -vx "$pid")
same "several at once" 8 "$(json '[.snapshots[] | select(.label == "many")] | length')"
kill -STOP "$pid"
said="has not allocated for 2 s, and so not seen this; it will when it does next"
same "a program that is stopped" "1 tracemalloc: process $pid $said" \
    "$(ctl snapshot later 2>&1 | sed "s/^/1 /")"
kill -CONT "$pid"
sleep 0.3
same "and it does when it goes on" later "$(json '.snapshots[-1].label')"
end
ctl stop 2>"$tmp/err"
same "a program that has ended" "1 tracemalloc: there is no process $pid, or it has ended" \
    "$? $(sed 's/: name its trace//' "$tmp/err")"

begin waits start=off
check "start=off: nothing" still
same "start=off: since the beginning" 0 "$(json .totals.allocations)"
check "start=off: ctl start" ctl start
sleep 0.1
check "start=off: now it is recorded" eval '! still'
end

# Words that nobody asks for: any command, number and argument, a label without an end.
begin waits
words=$(($("$tracemalloc" info "$tmp/trace" | awk '$1 == "control" && $2 ~ /^0x/ {print $2}')))
for i in $(seq 60); do
    {
        printf '\\x%02x\\x00\\x00\\x%02x' $((i % 256)) $((i % 3))
        printf '\\x%02x\\x00\\x00\\x%02x' $((i % 8)) $((i % 5 == 0))
        printf '\\xff%.0s' $(seq $((8 + 64 + i % 2 * 48)))
    } | xargs -0 printf | dd of="$tmp/trace" bs=1 seek="$words" conv=notrunc 2>/dev/null
    sleep 0.005
done
check "words of any kind: the program goes on" kill -0 "$pid"
check "words of any kind: it still obeys" ctl clear
check "words of any kind: the trace is whole" [ "$(json '.totals.allocations >= 0')" = true ]
end
same "words of any kind: exit status" 0 $?

begin idles
ctl stop 2>"$tmp/err"
same "a program that does nothing: exit 1" 1 $?
check "... and what that means" grep -q "has not allocated for 2 s" "$tmp/err"
same "... it goes on as it was" false "$(json .stopped)"
end

sleep 60 &
other=$!
"$tracemalloc" ctl "$other" stop 2>"$tmp/err"
same "a program that is not recorded" 1 $?
check "... and that is said" grep -q "is not recorded" "$tmp/err"
kill "$other"
wait "$other" 2>/dev/null

for arguments in "" "1" "1 go" "x stop" "1 stop now" "1 depth=0" "1 depth=x" "0 stop" "1 snapshot a b"; do
    "$tracemalloc" ctl $arguments >"$tmp/out" 2>"$tmp/err"
    same "ctl $arguments: wrong usage" "2 " "$? $(cat "$tmp/out")"
done
"$tracemalloc" ctl stop 1 2>"$tmp/err"
check "... which says no option that there is not" grep -q "'stop' is no process: its number comes first" "$tmp/err"
finish
