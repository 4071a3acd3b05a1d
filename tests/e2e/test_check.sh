#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Limits, held against traces of programs of which everything is known.
set -u
. tests/lib.sh
limited=$programs/limited
leaky=$programs/leaky
cd "$tmp" || exit 1

# check_of ARGUMENTS...: sets status, and the files out and err
check_of() {
    timeout 60 "$tracemalloc" check "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
}

status_is() { [ "$status" -eq "$1" ]; }
has() { grep -qE -- "$2" "$tmp/$1"; }
one_line() { [ "$(wc -l <"$tmp/$1")" -eq 1 ]; }
empty() { [ ! -s "$tmp/$1" ]; }

# wanted FILTER ARGUMENTS...: a jq filter over the JSON
wanted() {
    local filter=$1
    shift
    "$tracemalloc" check --json "$@" | jq -cr "$filter"
}

# passes NAME ARGUMENTS... , fails NAME ARGUMENTS...: by the exit status
passes() {
    local name=$1
    shift
    check_of "$@"
    check "$name" eval 'status_is 0 && empty err && ! has out exceeded'
}
fails() {
    local name=$1
    shift
    check_of "$@"
    check "$name" eval 'status_is 1 && empty err && has out "exceeded by"'
}

traced "" "$limited" && mv trace a
traced "" "$limited" 100 && mv trace b

# ---- at the limit, and one above it ------------------------------------------------------------------

while read -r what most; do
    passes "$what: exactly the limit" "--max-$what=$most" a
    fails "$what: one above it" "--max-$what=$((most - 1))" a
    check "$what: that is said" has out "^$what .* exceeded by 1( B)?\$"
done <<END
peak 2024
current 1024
leaked 1024
allocated 11024
allocations 14
temporary 10
END
passes "all of them" --max-peak 2024 --max-current 1024 --max-leaked 1024 --max-allocated 11024 \
    --max-allocations 14 --max-temporary 10 a
same "a line for each" 6 "$(grep -c ' ok$' out)"
fails "one of them is enough" --max-peak 2023 --max-leaked 1024 a
check "who is at fault is told, by what is exceeded" eval \
    'has out "^peak: 2 call sites, by bytes at the peak" && has out "^2\. +1000 B .* work  " && ! has out "^leaked:"'
passes "sizes: 1.5K" --max-leaked 1.5K a
passes "sizes: 1K" --max-leaked 1K a
fails "sizes: 0.999K" --max-leaked 0.999K a
passes "sizes: 0.001T" --max-peak 0.001T a
fails "--limit" --max-peak 1 --limit 1 a
check "--limit: that many sites" eval 'has out "^peak: 1 of 2 call sites" && ! has out "^2\."'
passes "the newest trace" --max-peak 1M
passes "an earlier name of a trace" --max-peak 1M ./a

# ---- some of the sites -------------------------------------------------------------------------------

passes "--site" --site work --max-peak 1000 --max-allocations 10 --max-leaked 0 a
check "--site: how many match is said" has out "^limits are for 1 of 2 call sites"
fails "--site: one above" --site work --max-peak 999 a
check "--site: only those are at fault" eval 'has out "^1\. .* work " && ! has out "^2\."'
passes "--site twice: either" --site work --site keep --max-allocations 14 a
passes "--site: by file and line" --site 'file=limited.c:*' --max-allocations 0 a
fails "--site: by file" --site 'file=*/limited.c' --max-allocations 13 a
passes "--all-frames: not without it" --site grow --max-allocations 0 b
fails "--all-frames" --site grow --all-frames --max-allocations 0 b
passes "no site matches" --site nobody --max-allocations 0 a
check "no site matches: it is said" has out "no call site matches"

# ---- what leaked -------------------------------------------------------------------------------------

traced "" "$leaky" return >/dev/null
mv trace leaks
passes "leaked: what is held by design is not counted" --max-leaked 3160 leaks
check "leaked: that is said" has out "; [0-9.]+ KiB more suppressed"
fails "leaked: one above" --max-leaked 3159 leaks
check "leaked: only what leaked is at fault" eval \
    'has out "^leaked: 3 call sites" && has out " cache " && ! has out "by_design"'
fails "--strict counts it" --max-leaked 3160 --strict leaks
check "--strict: and tells who" has out "by_design"
echo 'leak:^cache$' >one.supp
echo 'leak:^list$' >two.supp
passes "--suppressions" --max-leaked 160 --suppressions one.supp leaks
fails "nothing leaked means no block, even of no bytes" --max-leaked 0 --suppressions one.supp \
    --suppressions two.supp leaks
check "which is said" has out "exceeded by blocks of no bytes"
same "and told" "[[0,1]]" "$(wanted '[.limits[0].sites[] | [.current_bytes, .current_blocks]]' --max-leaked 0 \
    --suppressions one.supp --suppressions two.supp leaks)"
traced "" "$leaky" free >/dev/null
passes "nothing leaked" --max-leaked 0 trace
check_of --max-leaked 0 --suppressions missing leaks
check "a missing file of suppressions" eval 'status_is 1 && empty out && one_line err && has err "missing: No such"'

# ---- a baseline --------------------------------------------------------------------------------------

passes "a trace and itself" --baseline a a
same "what is compared" "leaked 1024 1024
peak 2024 2024
allocated 11024 11024
allocations 14 14" "$(wanted '.limits | sort_by(.what != "leaked") | .[] | [.what, .baseline, .found] | join(" ")' --baseline a a)"
fails "more than the baseline" --baseline a b
passes "less than the baseline" --baseline b a
# 100 of 1024 are 9.765625 %: 9.766 % are 100.004
passes "the tolerance, just enough" --baseline a --tolerance 9.766% b
fails "the tolerance, just too little" --baseline a --tolerance 9.765 b
check "the one that is exceeded" eval 'has out "^leaked .* exceeded by 1 B; baseline 1.0 KiB, tolerance 9.765 %" &&
    has out "^peak .* ok; baseline 2.0 KiB"'
check "what grew is named, and nothing else" eval \
    'has out "^leaked: 1 call site changed: 1 new" && has out " grow " && ! has out " work "'
same "in JSON" '[["leaked","new",100]]' "$(wanted '[.limits[] | .what as $w | .sites[] |
    [$w, .change, .new.current_bytes - .old.current_bytes]]' --baseline a --tolerance 9.765 b)"
passes "with --site" --baseline a --site work b
fails "with a limit of its own" --baseline b --max-peak 2023 a
traced "" "$leaky" free >/dev/null
fails "leaks of a baseline are without what is suppressed" --baseline trace --tolerance 1000 leaks
check "and so is what grew" eval 'has out "^leaked: 2 call sites changed: 2 new" && ! has out by_design'

# ---- what weakens the verdict ------------------------------------------------------------------------

rm -f trace
"$tracemalloc" run -q -o trace "$limited" 100 killed >/dev/null 2>&1
passes "a killed program" --max-peak 1M trace
check "a killed program: it is said" has out "^killed: it did not come to its end"
passes "a killed baseline" --baseline trace --tolerance 50 a
check "a killed baseline: it is said" has out "^killed: it did not come to its end"
traced "" "$programs/snapshots" labels early late
passes "a snapshot" --max-current 100 trace@early
check "a snapshot: it is said" has out "^a snapshot: what came later"
fails "another snapshot" --max-current 100 trace@late
traced "" "$programs/threads" 2 1000
passes "threads" --max-peak 10G trace
check "threads: how exact the peak is" has out "the peak is exact to within"

# ---- JSON --------------------------------------------------------------------------------------------

check_of --json --max-peak 2023 --baseline a a
check "JSON is one valid object, and the exit status the same" eval 'status_is 1 && python3 -m json.tool <out >/dev/null'
same "JSON: limits" '[["peak",2023,2024,true,null],["peak",2024,2024,false,2024]]' \
    "$(jq -c '[.limits[] | select(.what == "peak") | [.what, .limit, .found, .exceeded, .baseline]]' out)"
same "JSON: the verdict" "[false,1,0.000]" "$(jq -c '[.ok, .baseline.version, .tolerance_percent]' out | sed 's/,0\]/,0.000]/')"
same "JSON: sites at fault, those without a part are left out" '["keep"]' \
    "$(wanted '[.limits[0].sites[].frames[0].function]' --max-current 1 a)"
same "JSON: --limit" 1 "$(wanted '.limits[0].sites | length' --max-peak 1 --limit 1 a)"

cp a $'evil\033[31m\n.trace'
check_of --baseline $'evil\033[31m\n.trace' --max-peak 1 $'evil\033[31m\n.trace'
check "hostile names are harmless" eval 'status_is 1 && has out "evil.x1b" && ! grep -q $'"'"'\033'"'"' out'

# ---- wrong usage -------------------------------------------------------------------------------------

# wrong NAME MESSAGE ARGUMENTS...
wrong() {
    local name=$1 text=$2
    shift 2
    check_of "$@"
    check "$name" eval 'status_is 2 && empty out && has err "$text"'
}
wrong "no limit" "no limit is given" a
wrong "a tolerance of nothing" "it needs --baseline" --max-peak 1 --tolerance 5% a
wrong "--all-frames of nothing" "it needs --site" --max-peak 1 --all-frames a
wrong "--strict of nothing" "they need --max-leaked" --max-peak 1 --strict a
wrong "--suppressions of nothing" "they need --max-leaked" --max-peak 1 --suppressions one.supp a
wrong "a limit twice" "--max-peak can be given once" --max-peak 1 --max-peak 2 a
wrong "a baseline twice" "--baseline can be given once" --baseline a --baseline b a
wrong "two traces" "one trace at a time" --max-peak 1 a b
for size in x -1 '' 1.5 1.K .5K 1KB 9999999999T 1e3 0x10 nan; do
    wrong "a size that is none: '$size'" "--max-peak=.*: it can be a number of bytes" "--max-peak=$size" a
done
for number in x -1 '' 1.5 1K; do
    wrong "a number that is none: '$number'" "--max-allocations=.*: it can be a number" "--max-allocations=$number" a
done
for percent in x -1% '' 5%% 1001 nan 0x5 1e2; do
    wrong "a tolerance that is none: '$percent'" "--tolerance=.*: it can be a number" --baseline a "--tolerance=$percent" a
done
wrong "an empty pattern" "--site=: " --max-peak 1 --site '' a
check_of --max-peak 1 nowhere
check "a missing trace" eval 'status_is 1 && empty out && one_line err && has err "nowhere: "'
check_of --baseline nowhere a
check "a missing baseline" eval 'status_is 1 && empty out && one_line err && has err "nowhere: "'
finish
