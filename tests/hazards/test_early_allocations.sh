#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Libraries that allocate before everybody else, and while the recorder asks for the real functions.
set -u
. tests/hazards/lib.sh

# beside NAME LIBRARY: preloaded before the recorder, and behind it.
beside() {
    local name=$1 other=$hazards/$2 order status
    limited env LD_PRELOAD="$other" "$hazards/frees_early_blocks" >"$tmp/out.0" 2>&1
    for order in before behind; do
        preload=$other:$lib
        [ $order = behind ] && preload=$lib:$other
        recording "" "$hazards/frees_early_blocks" >"$tmp/out" 2>&1
        status=$?
        same "$name, $order the recorder: as untraced" "0 $(cat "$tmp/out.0")" "$status $(cat "$tmp/out")"
        complete "$name, $order the recorder"
    done
}

# Of those that early.c allocates, grows, and leaves to be freed.
early_blocks() { "$tracemalloc" report --json "$tmp/trace" | jq '[.sites[] |
    select(any(.frames[]; .function == "allocate_early" or .function == "free_early"))] |
    [(map(.allocations) | add), (map(.current_blocks) | add)] | map(tostring) | join(" ")' -r; }

beside "a constructor that allocates" early.so
same "... its blocks are counted, and known when they are freed" "8 0" "$(early_blocks)"
beside "a dlsym that allocates" allocating_dlsym.so
beside "a dlvsym that allocates before there is a malloc" allocating_dlvsym.so
finish
