#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Single-threaded programs, counted by valgrind's DHAT and by us: allocations, bytes, frees, and bytes and
# blocks at the peak and at the end are equal.
#
# To be comparable, both runs get the same environment, of which perl keeps a copy: valgrind adds variables to
# the program's, and its LD_PRELOAD is longer.  Nor may valgrind free libc's own memory at the end.  And DHAT
# counts a block of 0 bytes as one of 1, and of equal peaks takes the last: programs that have such are not among
# these.
set -u
. tests/lib.sh

if ! command -v valgrind >/dev/null; then
    skip "valgrind's DHAT" "valgrind is not installed"
    finish
fi
head -n 3000 "$build/cta.csv" >"$tmp/small.csv"
seq 1 5000 | sort -R --random-source=/bin/ls >"$tmp/numbers"
clean="env -i PATH=/usr/bin:/bin HOME=/ LC_ALL=C PERL_HASH_SEED=0 LIBTRACE_OPTIONS=out=$tmp/trace"
dhat="valgrind -q --run-libc-freeres=no --run-cxx-freeres=no --tool=dhat --dhat-out-file=$tmp/dhat"
mapfile -t environment < <($clean $dhat env)
preload=$($clean $dhat perl -e 'print $ENV{LD_PRELOAD}')
preload=$(printf "%-${#preload}s" "$lib")

# allocations, bytes, frees, blocks and bytes at the peak and at the end
dhat_figures() {
    jq -r '[.pps[] | {a: .tbk, b: .tb, pk: .gbk, pb: .gb, ek: .ebk, eb: .eb}] |
        "\(map(.a) | add) \(map(.b) | add) \(map(.a - .ek) | add) \(map(.pk) | add) \(map(.pb) | add) \(map(.ek) | add) \(map(.eb) | add)"' "$1"
}
our_figures() {
    json '.totals | "\(.allocations) \(.allocated_bytes) \(.frees) \(.peak_blocks) \(.peak_bytes) \(.current_blocks) \(.current_bytes)"'
}

equal() {
    local name=$1
    shift
    local program
    program=$(command -v "$1")
    shift
    rm -f "$tmp"/trace* "$tmp/dhat"
    $clean $dhat "$program" "$@" >/dev/null 2>&1 </dev/null
    env -i "${environment[@]}" LD_PRELOAD="$preload" "$program" "$@" >/dev/null 2>&1 </dev/null
    same "$name: as DHAT counts" "$(dhat_figures "$tmp/dhat")" "$(our_figures)"
}

equal "demo, dict" "$build/demo" "$tmp/small.csv"
equal "demo, columns" "$build/demo" --as columns "$tmp/small.csv"
equal ls ls -l /usr/lib/gcc
equal sort sort -n "$tmp/numbers"
equal cat cat "$tmp/numbers"
equal tar tar cf /dev/null "$tmp/numbers" /etc/ssl
equal sqlite3 sqlite3 :memory: "create table t(a); insert into t values (1), (2), (3); select sum(a) from t;"
equal perl perl -e 'my %h; $h{$_} = $_ x 3 for 1 .. 2000; print scalar(keys %h)'
equal find find /usr/share/perl /etc
finish
