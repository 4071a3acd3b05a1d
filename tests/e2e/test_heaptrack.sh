#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Single-threaded programs, counted by heaptrack and by us: allocations, bytes, frees, temporary ones, and
# blocks and bytes at the peak and at the end are equal.
#
# What its recorder writes is read event by event; heaptrack_print rounds.  Both runs get an environment of the
# same size.  What differs always: heaptrack is written in C++, so that every program has libstdc++'s pool of
# 72704 bytes, which is left out here.
set -u
. tests/lib.sh

directory=$(dirname "$(readlink -f "$(command -v heaptrack)")")/../lib/heaptrack
recorder=$directory/libheaptrack_preload.so
if ! command -v heaptrack >/dev/null || [ ! -f "$recorder" ]; then
    skip heaptrack "heaptrack is not installed"
    finish
fi
head -n 3000 "$build/cta.csv" >"$tmp/small.csv"
seq 1 5000 | sort -R --random-source=/bin/ls >"$tmp/numbers"
mkdir "$tmp/empty" && cd "$tmp/empty" || exit 1     # python3 reads the directory
pool=72704

# Its events are "+ SIZE STACK ADDRESS" and "- ADDRESS".
theirs() {
    perl -ne '
        if (/^\+ (\w+) \w+ (\w+)/ and hex $1 != '$pool') {
            $size{$2} = hex $1;
            $n++, $bytes += $size{$2}, $live += $size{$2}, $blocks++;
            ($peak, $peak_blocks) = ($live, $blocks) if $live > $peak;
            $last = $2;
        } elsif (/^- (\w+)/ and exists $size{$1}) {
            $frees++, $live -= delete $size{$1}, $blocks--;
            $temporary++ if $last eq $1;
            $last = "";
        }
        END { print join(" ", map { $_ + 0 } $n, $bytes, $frees, $temporary, $peak_blocks, $peak, $blocks, $live) }
    ' "$tmp/raw"
}
ours() {
    json '.totals | "\(.allocations) \(.allocated_bytes) \(.frees) \(.temporary)", "\(.peak_blocks) \(.peak_bytes)",
        "\(.current_blocks) \(.current_bytes)"' | xargs
}

# count PROGRAM ARGUMENT...: leaves both traces.  heaptrack takes its variables out of the environment by the
# function unsetenv; of that bash has its own, which does nothing yet.
count() {
    local program clean their_own our_own
    program=$(command -v "$1")
    shift
    rm -f "$tmp"/trace* "$tmp/raw"
    clean="env -i PATH=/usr/bin:/bin HOME=/ LC_ALL=C LIBTRACE_OPTIONS=out=$tmp/trace PERL_HASH_SEED=0"
    clean="$clean PYTHONHASHSEED=0 PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1"
    their_own=(LD_PRELOAD="$recorder" DUMP_HEAPTRACK_OUTPUT="$tmp/raw" LD_INSTEAD="$lib")
    our_own=(LD_PRELOAD="$lib")
    if [ "${program##*/}" = bash ]; then
        their_own=(LD_PRELOAD="$(printf "%-${#lib}s" "$recorder")" DUMP_HEAPTRACK_OUTPUT="$tmp/raw")
        our_own=(LD_PRELOAD="$(printf "%-${#recorder}s" "$lib")" DUMP_HEAPTRACK_OUTPUT="$tmp/raw")
    fi
    $clean "${their_own[@]}" "$program" "$@" >/dev/null 2>&1 </dev/null
    $clean "${our_own[@]}" "$program" "$@" >/dev/null 2>&1 </dev/null
}

equal() {
    local name=$1
    shift
    count "$@"
    same "$name: as heaptrack counts" "$(theirs)" "$(ours)"
}

equal peak "$programs/peak"
equal "random calls" "$programs/model" 50000 1 1 plain
equal "demo, dict" "$build/demo" "$tmp/small.csv"
equal "demo, columns" "$build/demo" --as columns "$tmp/small.csv"
equal ls ls -l /usr/lib/gcc
equal sort sort -n "$tmp/numbers"
equal tar tar cf /dev/null "$tmp/numbers" /etc/ssl
equal sqlite3 sqlite3 :memory: "create table t(a); insert into t values (1), (2), (3); select sum(a) from t;"
equal perl perl -e 'my %h; $h{$_} = $_ x 3 for 1 .. 2000; print scalar(keys %h)'
equal bash bash -c 'for i in 1 2 3; do x=$x$i; y=(${y[@]} $x); done; echo ${y[@]}'
equal awk awk '{s[$1 % 100] += $1} END {print s[7]}' "$tmp/numbers"
equal sed sed s/1/2/ "$tmp/numbers"
equal grep grep -cE '1|2' "$tmp/numbers"
equal jq jq -n '[range(1000)] | add'
equal find find /usr/share/perl /etc

# A C++ program has the pool for itself, from its start to its end.
count "$programs/new_delete" 500
read -r allocations bytes frees temporary peak_blocks peak blocks end < <(ours)
same "operators: as heaptrack counts" "$(theirs)" "$((allocations - 1)) $((bytes - pool)) $frees $temporary \
$((peak_blocks - 1)) $((peak - pool)) $((blocks - 1)) $((end - pool))"

# Some of CPython's sizes hang on addresses, which differ from run to run.
count /usr/bin/python3 -c 'import json; print(len(json.dumps(list(range(1000)))))'
same "python3: as heaptrack counts, but for the sizes of passing blocks" \
    "$(theirs | cut -d' ' -f 1,3,7,8)" "$(ours | cut -d' ' -f 1,3,7,8)"

# It does not know memalign (33 bytes here), pvalloc (5), nor that a realloc to 0 bytes (of 7) is a free.
case $(heaptrack --version) in
*" 1.4."*)
    count "$programs/every_function"
    read -r allocations bytes frees temporary peak_blocks peak blocks end < <(ours)
    same "every function: as heaptrack counts, but for those that it does not know" \
        "$(theirs | cut -d' ' -f 1,2,3,7,8)" \
        "$((allocations - 2)) $((bytes - 38)) $((frees - 1)) $((blocks - 2 + 1)) $((end - 38 + 7))"
    ;;
esac
finish
