#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Programs of everybody's, traced: they do what they do untraced, and leave readable traces.
set -u
. tests/lib.sh

mkdir "$tmp/work" "$tmp/repository"
cat >"$tmp/work/hello.c" <<'C'
#include <stdio.h>
int main(void) { printf("hello\n"); return 0; }
C
seq 1 20000 | sort -R --random-source=/bin/ls >"$tmp/work/numbers"
git -C "$tmp/repository" init -q 2>/dev/null
cp "$tmp/work/"* "$tmp/repository"
cp -r tests/e2e "$tmp/repository"

# unchanged NAME COMMAND: by a shell, in the working directory, untraced and both ways traced.
unchanged() {
    local name=$1 command=$2 way expected
    rm -rf "$tmp/traces"
    mkdir "$tmp/traces"
    cd "$tmp/work" || exit 1
    bash -c "$command" >"$tmp/out.0" 2>"$tmp/err.0" </dev/null
    expected=$?
    LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/traces/%e.%p bash -c "exec $command" >"$tmp/out.1" 2>"$tmp/err.1" </dev/null
    same "$name: exit status" $expected $?
    check "$name: output" cmp -s "$tmp/out.0" "$tmp/out.1"
    check "$name: messages" cmp -s "$tmp/err.0" "$tmp/err.1"
    eval "\"\$tracemalloc\" run -q -o '$tmp/traces/run' -- $command" >"$tmp/out.2" 2>"$tmp/err.2" </dev/null
    same "$name: exit status under run" $expected $?
    check "$name: output under run" cmp -s "$tmp/out.0" "$tmp/out.2"
    check "$name: messages under run" cmp -s "$tmp/err.0" "$tmp/err.2"
    check "$name: run leaves its trace" [ -s "$tmp/traces/run" ]
    local unreadable=0 trace
    for trace in "$tmp/traces"/*; do
        "$tracemalloc" report --json --limit 3 "$trace" | jq -e '.totals.allocations > 0 and
            .totals.missed_events == 0 and .totals.truncated_stacks == 0' >/dev/null || {
            unreadable=1
            echo "# $trace: $("$tracemalloc" report --json --limit 0 "$trace" | jq -c .totals)"
        }
    done
    check "$name: readable, whole traces" [ $unreadable = 0 ]
    cd "$OLDPWD" || exit 1
}

unchanged ls "ls -lR /usr/lib/gcc /etc/ssl"
unchanged sort "sort -n numbers"
unchanged "a missing file" "ls /nonexistent"
unchanged bash "bash -c 'for i in 1 2 3; do echo \$(echo \$i | tr 1 2); done; exit 5'"
unchanged perl "perl -e 'my %h; \$h{\$_} = \$_ x 3 for 1 .. 20000; print scalar(keys %h), qq(\n); exit 3'"
unchanged python3 "python3 -c 'import json, re, threading; print(len(json.dumps(list(range(10000)))))'"
unchanged git "git -C $tmp/repository add -A"
unchanged "git status" "git -C $tmp/repository status --short"
unchanged gcc "gcc -O2 -c hello.c -o /dev/null"
unchanged sqlite3 "sqlite3 :memory: 'create table t(a); insert into t values (1),(2),(3); select sum(a) from t;'"
unchanged tar "tar cf - numbers hello.c"
unchanged env "env -u _ -u LD_PRELOAD -u LIBTRACE_OPTIONS true"
finish
