#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A handler that interrupted the recorder does not return, or an allocator throws through it: recording goes
# on, or, if a table was just being changed, ends and says so.  Nobody waits for ever for what was left
# locked.
set -u
. tests/hazards/oracle.sh
trace=

options=children=all

said_to_end_early() {
    for file in "$tmp"/traced/tracemalloc.*; do
        "$tracemalloc" report --limit 0 "$file"
    done | grep -c "^recording ended early"
}

while read -r how children steps; do
    rm -f "$tmp"/traced/*
    as_untraced "$how" "$hazards/jumps_out" $how $children $steps
    recorded=$(tr -cd + <"$tmp/traced/recorded" | wc -c)
    same "$how: where it does not, the report says so" $((children - recorded)) "$(said_to_end_early)"
    case $how in
    known) same "$how: it goes on in all" $children "$recorded" ;;
    unseen) check "$how: it goes on in some, not in all" [ 0 -lt "$recorded" -a "$recorded" -lt "$children" ] ;;
    *) check "$how: it goes on in most" [ $((children * 3 / 4)) -lt "$recorded" ] ;;
    esac
done <<'END'
known 20 14
new 50 40
unseen 30 101
threads 40 45
END

lib=$build/tests/faulty/libtrace.so as_untraced "a jump before a wake-up" "$hazards/jumps_before_waking"

trace=$tmp/trace options=
as_untraced "operator new throws" "$hazards/news_fail"
as_told "operator new throws"
whole "operator new throws"
after=$hazards/throwing_allocator.so
as_untraced "an allocator's operator new throws" "$hazards/news_fail"
as_told "an allocator's operator new throws"
finish
