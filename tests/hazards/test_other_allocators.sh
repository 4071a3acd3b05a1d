#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Other allocators beside the recorder: behind it, all is counted; before it, or in the program itself, what does
# not come through is said once, and in the report.
set -u
. tests/hazards/lib.sh

# hidden NAME FILE: of the run just made.
hidden() {
    same "$1: a line says so" "tracemalloc: malloc is that of $2: only what it passes on is recorded" \
        "$(cat "$tmp/err")"
    "$tracemalloc" report "$tmp/trace" >"$tmp/report" 2>&1
    same "$1: the report says so" "malloc was that of $2: only what it passed on was recorded" \
        "$(grep "^malloc was" "$tmp/report")"
}

allocators() {
    echo "jemalloc libjemalloc.so.2"
    echo "tcmalloc libtcmalloc_minimal.so.4"
    echo "mimalloc libmimalloc.so.2"
}

while read -r name file; do
    path=/usr/lib/x86_64-linux-gnu/$file
    if [ ! -e "$path" ]; then
        skip "$name" "$file is not installed"
        continue
    fi
    preload=$lib:$path unhurt "$name behind the recorder" "" "$hazards/news"
    limited env LD_PRELOAD="$path" "$hazards/news" >"$tmp/out.0"
    preload=$path:$lib recording "" "$hazards/news" >"$tmp/out" 2>"$tmp/err"
    same "$name before the recorder: as untraced" "$(cat "$tmp/out.0")" "$(cat "$tmp/out")"
    hidden "$name before the recorder" "$path"
    limited env LD_PRELOAD="$path" "$tracemalloc" run -q -o "$tmp/run" "$hazards/news" >"$tmp/out" 2>"$tmp/err"
    same "$name, by run: all in the trace" "$(counted) $(cat "$tmp/err")" "$(recorded "$tmp/run") "
    rm "$tmp/run"
done < <(allocators)

recording "" "$hazards/own_malloc" keep >"$tmp/out" 2>"$tmp/err"
same "a program with its own malloc: as untraced" "$(limited "$hazards/own_malloc" keep)" "$(cat "$tmp/out")"
hidden "a program with its own malloc" "$hazards/own_malloc"
same "a program with its own malloc: nothing is made up" 0 "$(json .totals.allocations)"
recording "" "$hazards/own_malloc" pass >"$tmp/out" 2>"$tmp/err"
complete "a program's malloc that asks the next one"
hidden "a program's malloc that asks the next one" "$hazards/own_malloc"
finish
