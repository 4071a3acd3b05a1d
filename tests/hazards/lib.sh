#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Sourced by the tests of this folder.  What they all ask: the program does what it does without the recorder,
# and the trace has all that the program knows of itself (counted.h).
. tests/lib.sh
hazards=$build/tests/hazards
faulty=$build/tests/faulty/libtrace.so

preload=$lib
under=()        # a command that shall run all others, untraced

# limited COMMAND...: for a minute; what hangs is killed.
limited() {
    timeout -k 1 60 "${under[@]}" "$@"
}

# recording OPTIONS COMMAND...: with what is to be preloaded, the trace in $tmp/trace.
recording() {
    local options=$1
    shift
    rm -f "$tmp"/trace*
    limited env LD_PRELOAD="$preload" LIBTRACE_OPTIONS="out=$tmp/trace${options:+,$options}" "$@"
}

# harmless NAME OPTIONS COMMAND...: status, output and messages are as untraced.  The trace is in $tmp/trace, the
# output in $tmp/out.
harmless() {
    local name=$1 options=$2 expected status
    shift 2
    limited "$@" >"$tmp/out.0" 2>"$tmp/err.0" </dev/null
    expected=$?
    recording "$options" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
    if [ $status = $expected ] && cmp -s "$tmp/out.0" "$tmp/out" && cmp -s "$tmp/err.0" "$tmp/err"; then
        check "$name: as untraced" true
    else
        check "$name: as untraced" false
        echo "#   status $expected, then $status"
        diff <(cat "$tmp/out.0" "$tmp/err.0") <(cat "$tmp/out" "$tmp/err") | head -n 10 | sed 's/^/#   /'
    fi
}

# What the program counted, as its last line says; and what the trace has of that.
counted() { tail -n 1 "$tmp/out" | grep -xE '[0-9]+( [0-9]+){3}' || echo "no counts"; }
recorded() {
    json '[.sites[] | select(any(.frames[].function; . == "counted_malloc" or . == "counted_realloc"))] |
        map([.allocations, .allocated_bytes, .current_blocks, .current_bytes]) | transpose | map(add) |
        map(tostring) | join(" ")' "${1:-}"
}

# figures FILE: allocations of all sites with those that were missed, and whether something else than a fork
# is noted (whole, flagged).  Faster than a report, which reads everybody's symbols.
figures() {
    "$tracemalloc" info --records "$1" 2>"$tmp/info.err" | awk '
        /^  missed_events/ { missed = $2 }
        /^  flags/ { flags = $2 }
        /^counters\[/ { sub(/.* allocations=/, ""); allocations += $1 }
        END { print (allocations + missed) " " (flags ~ /^0x[01]$/ ? "whole" : "flagged") }'
}

# complete NAME: the trace has all that the program counted, and nothing was missed.
complete() {
    same "$1: all in the trace" "$(counted), 0 missed" "$(recorded), $(json .totals.missed_events) missed"
}

# unhurt NAME OPTIONS COMMAND...: both.
unhurt() {
    harmless "$@"
    complete "$1"
}
