#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Single-threaded programs, counted by valgrind and by us.  Memcheck: allocations, bytes, frees, blocks and
# bytes at the end are equal.  DHAT: the peak, too; and of our own programs, whose stacks both can name, each
# site.
#
# To be comparable, both runs get the same environment, of which perl keeps a copy: valgrind adds variables to
# the program's, and its LD_PRELOAD is longer.  Nor may valgrind free libc's own memory at the end.  Where the
# two differ still, the difference has a name and is checked, too.
set -u
. tests/lib.sh

if ! command -v valgrind >/dev/null; then
    skip "valgrind's memcheck and DHAT" "valgrind is not installed"
    finish
fi
head -n 3000 "$build/cta.csv" >"$tmp/small.csv"
seq 1 5000 | sort -R --random-source=/bin/ls >"$tmp/numbers"
statements="create table t(a); insert into t values (1), (2), (3); select sum(a) from t;"
mkdir "$tmp/empty" && cd "$tmp/empty" || exit 1     # python3 reads the directory
clean="env -i PATH=/usr/bin:/bin HOME=/ LC_ALL=C LIBTRACE_OPTIONS=out=$tmp/trace PERL_HASH_SEED=0"
clean="$clean PYTHONHASHSEED=0 PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1"
valgrind="valgrind --run-libc-freeres=no --run-cxx-freeres=no"
memcheck="$valgrind --leak-check=full --show-leak-kinds=none --log-file=$tmp/memcheck"
dhat="$valgrind -q --num-callers=500 --tool=dhat --dhat-out-file=$tmp/dhat"

# use TOOL: what it makes of the environment.
use() {
    tool=$1
    mapfile -t environment < <($clean $tool env)
    preload=$($clean $tool perl -e 'print $ENV{LD_PRELOAD}')
    preload=$(printf "%-${#preload}s" "$lib")
}

# count PROGRAM ARGUMENT...: leaves the tool's output and our trace.
count() {
    local program
    program=$(command -v "$1")
    shift
    rm -f "$tmp"/trace* "$tmp/dhat" "$tmp/memcheck"
    $clean $tool "$program" "$@" >/dev/null 2>&1 </dev/null
    env -i "${environment[@]}" LD_PRELOAD="$preload" "$program" "$@" >/dev/null 2>&1 </dev/null
}

# ---- memcheck: allocations, bytes, frees, blocks and bytes at the end ----
memcheck_figures() {
    sed -n 's/,//g
        s/.*in use at exit: \([0-9]*\) bytes in \([0-9]*\) blocks.*/\2 \1/p
        s/.*heap usage: \([0-9]*\) allocs \([0-9]*\) frees \([0-9]*\) bytes.*/\1 \3 \2/p' "$tmp/memcheck" | tac | xargs
}
our_totals() {
    json '.totals | "\(.allocations) \(.allocated_bytes) \(.frees)",
        "\(.current_blocks) \(.current_bytes)"' | xargs
}
equal_memcheck() {
    local name=$1
    shift
    count "$@"
    same "$name: as memcheck counts" "$(memcheck_figures)" "$(our_totals)"
}

use "$memcheck"
equal_memcheck "random calls" "$programs/model" 20000 1 1 plain
equal_memcheck "peak" "$programs/peak"
equal_memcheck "operators" "$programs/new_delete" 500 plain
equal_memcheck sqlite3 sqlite3 :memory: "$statements"
equal_memcheck perl perl -e 'my %h; $h{$_} = $_ x 3 for 1 .. 2000; print scalar(keys %h)'
equal_memcheck bash bash -c 'for i in 1 2 3; do x=$x$i; y=(${y[@]} $x); done; echo ${y[@]}'
equal_memcheck sort sort -n "$tmp/numbers"
equal_memcheck awk awk '{s[$1 % 100] += $1} END {print s[7]}' "$tmp/numbers"
equal_memcheck sed sed s/1/2/ "$tmp/numbers"
equal_memcheck grep grep -cE '1|2' "$tmp/numbers"
equal_memcheck jq jq -n '[range(1000)] | add'

# Some of CPython's sizes hang on addresses: numbers that are addresses, which are small with valgrind, and
# tables.
count /usr/bin/python3 -c 'import json; print(len(json.dumps(list(range(1000)))))'
same "python3: as memcheck counts, but for the sizes of passing blocks" \
    "$(memcheck_figures | cut -d' ' -f 1,3-)" "$(our_totals | cut -d' ' -f 1,3-)"

# As its users run it, valgrind has libstdc++ free its pool, and libc its buffer, at the end.
use "${memcheck/$valgrind/valgrind}"
count "$programs/new_delete" 500 plain
read -r allocations bytes frees blocks end < <(our_totals)
same "valgrind's own frees at the end: libstdc++'s pool and the buffer of stdout" \
    "$allocations $bytes $((frees + 2)) $((blocks - 2)) $((end - 72704 - 4096))" "$(memcheck_figures)"

# ---- DHAT: allocations, bytes, frees, blocks and bytes at the peak and at the end ----
dhat_figures() {
    jq -r '[.pps[] | {a: .tbk, b: .tb, pk: .gbk, pb: .gb, ek: .ebk, eb: .eb}] |
        "\(map(.a) | add) \(map(.b) | add) \(map(.a - .ek) | add)", "\(map(.pk) | add) \(map(.pb) | add)",
        "\(map(.ek) | add) \(map(.eb) | add)"' "$tmp/dhat" | xargs
}
our_figures() {
    json '.totals | "\(.allocations) \(.allocated_bytes) \(.frees)", "\(.peak_blocks) \(.peak_bytes)",
        "\(.current_blocks) \(.current_bytes)"' | xargs
}
equal_dhat() {
    local name=$1
    shift
    count "$@"
    same "$name: as DHAT counts" "$(dhat_figures)" "$(our_figures)"
}

use "$dhat"
equal_dhat "demo, columns" "$build/demo" --as columns "$tmp/small.csv"
equal_dhat ls ls -l /usr/lib/gcc
equal_dhat sort sort -n "$tmp/numbers"
equal_dhat cat cat "$tmp/numbers"
equal_dhat tar tar cf /dev/null "$tmp/numbers" /etc/ssl
equal_dhat sqlite3 sqlite3 :memory: "$statements"
equal_dhat perl perl -e 'my %h; $h{$_} = $_ x 3 for 1 .. 2000; print scalar(keys %h)'
equal_dhat find find /usr/share/perl /etc

# Blocks of 0 bytes are of 1 to it.
count grep -cE '1|2' "$tmp/numbers"
zeros=$(json '[.sites[] | select(.allocated_bytes == 0) | .allocations] | add')
same "grep: as DHAT counts, whose blocks of 0 bytes are of 1" "$(jq '[.pps[].tb] | add' "$tmp/dhat")" \
    "$(($(json .totals.allocated_bytes) + zeros))"
check "grep: it has such" [ "$zeros" -gt 0 ]

# Two hills of the same height.
count "$programs/peak"
same "peak: of equal ones DHAT keeps the last, we the first" "510100 500000 510100 0" \
    "$(jq '. as $d | .pps | ., map(select(any(.fs[]; $d.ftbl[.] | test(": tail ")))) | map(.gb) | add' \
        "$tmp/dhat" | xargs) $(json .totals.peak_bytes) $(of tail peak_bytes)"

# ---- DHAT, site by site ----
#
# Lines of allocations, bytes, blocks and bytes at the end and at the peak, and the functions of the stack:
# those of the program itself, which both call alike; libc's have several names.
dhat_sites='[. as $d | .pps[] | {figures: [.tbk, .tb, .ebk, .eb, .gbk, .gb],
    frames: [.fs[] | $d.ftbl[.] | sub("^0x[0-9A-F]+: "; "") | sub(" \\([^()]*\\)$"; "")]}]'
our_sites='[.sites[] | {figures: [.allocations, .allocated_bytes, .current_blocks, .current_bytes, .peak_blocks,
    .peak_bytes], frames: [.frames[].function // "???"]}]'
program_functions='[.sites[].frames[] | select(.module == $program) | .function] | unique'
known='[.[].frames[] | select(IN($names[]))] | unique'
by_stack='map(.frames |= map(select(IN($names[])))) | group_by(.frames)[] |
    "\(map(.figures) | transpose | map(add) | join(" "))  \(.[0].frames | join(" < "))"'

equal_sites() {
    local name=$1 names
    shift
    count "$@"
    "$tracemalloc" report --json "$tmp/trace" >"$tmp/report"
    names=$(jq -c --arg program "$1" "$program_functions" "$tmp/report")
    names=$(jq -c --argjson names "$names" "$dhat_sites | $known" "$tmp/dhat")
    jq -r --argjson names "$names" "$dhat_sites | $by_stack" "$tmp/dhat" >"$tmp/expected"
    jq -r --argjson names "$names" "$our_sites | $by_stack" "$tmp/report" >"$tmp/found"
    check "$name: $(wc -l <"$tmp/found") sites as DHAT has them" diff "$tmp/expected" "$tmp/found"
    check "$name: of known stacks" grep -q ' < .*main' "$tmp/found"
}

equal_sites "random calls" "$programs/model" 20000 1 1 plain
equal_sites "random calls, again" "$programs/model" 20000 2 1 plain
equal_sites "operators" "$programs/new_delete" 500 plain
equal_sites "demo, dict" "$build/demo" "$tmp/small.csv"
finish
