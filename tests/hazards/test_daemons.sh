#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A daemon that left its directory and closed every descriptor has one file, where it was started.
set -u
. tests/hazards/oracle.sh
trace=

wait_for() {
    for _ in $(seq 300); do
        "$@" && return
        sleep 0.1
    done
    return 1
}
has_ended() { [ "$(json .state "$1")" != running ]; }

for how in daemon twice; do
    rm -rf "$tmp"/*traced/*
    as_untraced "$how" "$hazards/daemons" $how
    check "$how: works untraced" wait_for [ -e "$tmp/untraced/done" ]
    check "$how: works traced" wait_for [ -e "$tmp/traced/done" ]
    same "$how: its file and that of who started it" 2 "$(ls "$tmp"/traced/tracemalloc.* | wc -l)"
    : >"$tmp/found"
    for file in "$tmp"/traced/tracemalloc.*; do
        check "$how: it ends" wait_for has_ended "$file"
        whole "$how" "$file"
        echo "$(of before allocations "$file")" "$(of after allocations "$file")" \
            "$(of before current_bytes "$file")" >>"$tmp/found"
    done
    same "$how: what is in them" "0 1500 50000
500 0 50000" "$(sort "$tmp/found")"
done
finish
