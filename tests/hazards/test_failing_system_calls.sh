#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Each system call that the recorder makes fails, one at a time, and from one on all of them: the program never
# notices, and the trace has all, or says what it lacks, or there is none and a line that says so.
set -u
. tests/hazards/lib.sh
preload=$faulty:$hazards/failing_calls.so

# The trace says it itself: the disk was full, there was no unwinder, ...
is_explained() {
    if [ ! -e "$tmp/trace" ]; then
        [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q "^tracemalloc: not recording: " "$tmp/err"
        return
    fi
    [ ! -s "$tmp/err" ] || return
    case $(figures "$tmp/trace") in
    "$expected whole") true ;;
    *" flagged") true ;;
    *) false ;;
    esac
}

# sweep NAME FAIL COUNT: FAIL with N put for each number up to COUNT.
sweep() {
    local name=$1 n changed=0 unexplained=0 traces=0
    for n in $(seq 1 "$3"); do
        FAIL=${2/N/$n} recording "" "$hazards/works" >"$tmp/out" 2>"$tmp/err" </dev/null
        if [ $? != $status ] || ! cmp -s "$tmp/out.0" "$tmp/out"; then
            changed=$((changed + 1))
            echo "# FAIL=${2/N/$n}: $(head -n 3 "$tmp/out" "$tmp/err" | xargs)"
        fi
        if ! is_explained; then
            unexplained=$((unexplained + 1))
            echo "# FAIL=${2/N/$n}: $([ -e "$tmp/trace" ] && figures "$tmp/trace"), $(cat "$tmp/err")"
        fi
        [ -e "$tmp/trace" ] && traces=$((traces + 1))
    done
    same "$name: the program does what it does untraced" 0 $changed
    same "$name: what is lacking is said" 0 $unexplained
    check "$name: there were traces" [ $traces -gt 0 ]
}

limited "$hazards/works" >"$tmp/out.0"
status=$?
FAIL_COUNT=$tmp/count recording "" "$hazards/works" >"$tmp/out"
same "none fails: the same status" $status $?
check "none fails: the same output" cmp "$tmp/out.0" "$tmp/out"
same "none fails: the trace has all" "$(json .totals.allocations) whole" "$(figures "$tmp/trace")"
expected=$(json .totals.allocations)
# The child goes on counting from where it was forked, and makes more of them than its parent then does.
count=$(($(cat "$tmp/count") + 30))
check "$count calls can fail" [ "$count" -ge 70 ]

sweep "one has no memory (ENOMEM)" N,12 "$count"
sweep "one is not known (EINVAL)" N,22 "$count"
sweep "all from one on have no memory" N+,12 "$count"
# 14: rt_sigprocmask, by which the recorder asks whether a page can be read.
sweep "none may be asked whether a page can be read" 1+,1,14 1
sweep "such a question fails once" N00,1,14 9
finish
