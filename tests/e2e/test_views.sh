#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Grouping, filtering, ordering: tests/programs/views has known blocks on known stacks; the tree and the source
# of it, too.
set -u
. tests/lib.sh
source=$PWD/tests/programs/views.c
traced "" "$programs/views"
cd "$tmp" || exit 1
export -n LIBTRACE_OPTIONS

# rows OPTIONS...: "name bytes blocks" of each row, in order; the functions of a stack from inside, the program's.
rows() {
    "$tracemalloc" report --json --sort current "$@" trace | jq -r '.sites[] | select(.current_bytes > 0) |
        ([.frames[] | (.function // .file // .module // "?" | split("/") | last) +
            if .function then "" elif .line then ":\(.line)" else "" end] |
            map(select(test("start") | not)) | join("<")) + " \(.current_bytes) \(.current_blocks)"'
}

# selected OPTIONS...: sites and live bytes
selected() {
    "$tracemalloc" report --json "$@" trace | jq -r '.selected | "\(.sites) \(.current_bytes)"'
}

# line TEXT: the number of the line of the program's source that has it
line() { grep -nF "/* $1 */" "$source" | cut -d: -f1; }

lines() { printf '%s\n' "$@"; }

# ---- grouping ----------------------------------------------------------------------------------------

same "by function" "$(lines 'make 5000 14' '__strdup 160 20')" "$(rows --group-by function)"
same "by line" "views.c:$(line "in make") 5000 14" "$(rows --group-by line --filter make)"
same "cumulative: what callees allocate, recursion once" \
    "$(lines 'main 5160 34' 'make 5000 14' 'load 4000 13' 'parse 4000 4' 'odd 1000 1' '__strdup 160 20' \
        'copy 160 20')" \
    "$(rows --cumulative | grep -v '^ ' | sort -k2,2nr -k1,1)"
same "cumulative by line" "$(lines "views.c:$(line "in parse") 4000 4" "views.c:$(line "parse again") 2000 2")" \
    "$(rows --cumulative --group-by line | grep -e ":$(line "in parse") " -e ":$(line "parse again") ")"
same "cumulative by module" "views 5160 34" "$(rows --cumulative --group-by module | grep '^views')"

# ---- filters -----------------------------------------------------------------------------------------

all=$(selected)
same "nothing chosen: all is selected" "6 5160" "$(json '[.sites[] | select(.current_bytes > 0)] |
    "\(length) \(map(.current_bytes) | add)"')"
same "a function" "5 5000" "$(selected --filter function=make)"
same "a glob of functions" "5 5000" "$(selected --filter 'function=m?k*')"
same "several: any of them" "$(selected --filter 'm[a]ke' --filter function=temporary)" \
    "$(selected --filter make --filter temporary)"
same "of no stack" "0 0" "$(selected --filter function=nothing)"
same "a file" "$(selected --exclude '*strdup*')" "$(selected --filter 'file=*/views.c' --filter file=views.c)"
same "a file and a line" "5 5000" "$(selected --filter "file=programs/views.c:$(line "in make")")"
same "a line of it where nothing is allocated" "0 0" "$(selected --filter "file=views.c:1")"
same "a module" "1 160" "$(selected --filter 'module=libc*')"
same "a word is any of them" "1 160" "$(selected --filter 'libc.so*')"
same "exclude" "1 160" "$(selected --exclude make --exclude temporary)"
same "the attributed frame alone is looked at" "0 0" "$(selected --filter load)"
same "or all frames" "4 4000" "$(selected --filter load --all-frames)"
same "exclude by all frames" "1 1000" "$(selected --filter make --exclude load --all-frames)"
same "all but what is all" "0 0" "$(selected --exclude module=views --all-frames)"

# ---- from, hide, small rows --------------------------------------------------------------------------

same "--from" "$(lines 'make<load 1000 10' 'make<parse<load 1000 1' 'make<parse<parse<load 1000 1' \
    'make<parse<parse<parse<load 1000 1')" \
    "$(rows --from load | awk '{print length($1), $0}' | sort -n | cut -d' ' -f2-)"
same "--from the outermost of a recursion; what looks the same is one" "make<parse 2000 2" \
    "$(rows --from parse | head -n 1)"
same "--hide: each line of a caller is a place" \
    "$(lines 'load<main 3000 3' 'load<main 1000 10' 'odd<main 1000 1')" \
    "$(rows --hide 'make' --hide function=parse --filter load --filter odd)"
same "--hide counts for --group-by" "$(lines 'parse 4000 4' 'load 1000 10' 'copy 160 20')" \
    "$(rows --hide make --hide 'module=libc*' --group-by function)"
same "--min-bytes" "make 5000 14" "$(rows --group-by function --min-bytes 4K)"
same "--min-blocks" "__strdup 160 20" "$(rows --group-by function --min-blocks 15)"
same "totals are the program's" "5160 5224" \
    "$("$tracemalloc" report --json --filter nothing trace | jq -r '.totals | "\(.current_bytes) \(.peak_bytes)"')"

# ---- what is said ------------------------------------------------------------------------------------

# says NAME TEXT OPTIONS...
says() {
    local name=$1 text=$2
    shift 2
    check "$name" grep -qF -- "$text" <("$tracemalloc" "$@" trace)
}

# wrong NAME TEXT COMMAND OPTIONS...: wrong usage, one sentence
wrong() {
    local name=$1 text=$2
    shift 2
    "$tracemalloc" "$@" trace >out 2>err
    local status=$?
    check "$name" eval '[ $status = 2 ] && [ ! -s out ] && head -n 1 err | grep -qF -- "$text"'
}

says "the head has the share" "selected   4.9 KiB, 95.7 % of the peak, in 5 of 7 call sites" report --filter make
says "of what is live" "of what is live" report --filter make --sort current
says "of allocations" "selected   5, 12.8 % of all allocations" report --filter temporary --sort allocations
says "a filter that matches nothing" "selected   no call site matches" report --filter nothing
says "nothing is large enough" "no function is that large" report --group-by function --min-bytes 1G
says "that callees are included" "by bytes at the peak, callees included" report --cumulative
check "nothing selected: no word of it" eval '! "$tracemalloc" report trace | grep -q selected'

wrong "--cumulative of whole stacks" "a site is a whole stack" report --cumulative --group-by site
wrong "--all-frames alone" "it needs --filter or --exclude" report --all-frames
wrong "bytes of temporary blocks" "--min-bytes: temporary blocks" report --sort temporary --min-bytes 1
wrong "an unknown field" "it can be function=GLOB" report --filter size=3
wrong "an empty pattern" "there is no pattern" report --hide module=
wrong "an odd size" "it can be a number of bytes" report --min-bytes 1kb
wrong "too large a size" "it can be a number of bytes" report --min-bytes 99999999999999999T
wrong "two places to cut at" "--from can be given once" report --from load --from odd
wrong "--cumulative of domains" "a domain has no callees" report --cumulative --group-by domain
wrong "an unknown domain" "--domain=heaps: if not a number up to 4294967295: it can be heap, mmap, file" report \
    --domain heaps
wrong "a tree of whole stacks" "it can be line, function, file, module" tree --group-by site
wrong "a tree of domains" "it can be line, function, file, module" tree --group-by domain
wrong "an odd threshold" "a number from 0 to 100" tree --threshold 101
wrong "another odd threshold" "a number from 0 to 100" tree --threshold nan
wrong "an odd form of a threshold" "a number from 0 to 100" tree --threshold 0x10
wrong "source of a module" "a module has no text" source module=libc*
wrong "all of a source in JSON" "--all does not go with --json" source --json --all views.c

# ---- tree --------------------------------------------------------------------------------------------

# tree EXPECTED NAME OPTIONS...: what stands below the head, without paths
tree() {
    local name=$1 expected=$2
    shift 2
    same "$name" "$expected" \
        "$("$tracemalloc" tree --sort current "$@" trace | sed '1,/, by bytes/d; s/  [^ ]*\.[ch]\>.*//')"
}

tree "a tree from a function" "$(lines \
    '3.9 KiB  77.5 %  13 blocks  load' \
    '2.9 KiB  58.1 %   3 blocks  |- parse' \
    '                            |  > make' \
    ' 1000 B  19.4 %  10 blocks  `- make')" --from load
tree "inverted" "$(lines \
    '4.9 KiB  96.9 %  14 blocks  make' \
    '3.9 KiB  77.5 %   4 blocks  |- parse' \
    '2.9 KiB  58.1 %   3 blocks  |  |- load' \
    ' 1000 B  19.4 %    1 block  |  `- odd' \
    ' 1000 B  19.4 %  10 blocks  `- load' \
    '  160 B   3.1 %  20 blocks  __strdup' \
    '                            < copy')" --inverted --hide main --hide 'function=*start*' --hide module=ld*
tree "folded" "$(lines \
    '5.0 KiB  100.0 %  34 blocks  main' \
    '1.1 KiB   22.5 %  21 blocks     (2 more below 50 % of the selection)' \
    '3.9 KiB   77.5 %  13 blocks  > load' \
    ' 1000 B   19.4 %  10 blocks     (1 more below 50 % of the selection)' \
    '2.9 KiB   58.1 %   3 blocks  > parse' \
    '                             > make')" --threshold 50% --from main
tree "folded by size" "$(lines \
    '3.9 KiB  77.5 %  13 blocks  load' \
    ' 1000 B  19.4 %  10 blocks     (1 more, smaller)' \
    '2.9 KiB  58.1 %   3 blocks  > parse' \
    '                            > make')" --min-bytes 1001 --from load
LC_ALL=C.UTF-8 "$tracemalloc" tree --from load trace >out
check "drawn where the locale has what it takes" grep -qF '└─ make' out
"$tracemalloc" tree --from load trace >out
check "else in ASCII" eval '! grep -q "[^ -~]" out'

# Of each node in JSON: what it has is what its children have, and what is folded; "itself" is a child.
"$tracemalloc" tree --json --threshold 20 --sort current trace >out
same "in JSON the sums of the children" true "$(jq '. as $t | [range(.nodes | length) as $i | .nodes[$i] as $node |
    ([$t.nodes[] | select(.parent == $i) | .current_bytes] | select(length > 0) |
        add + $node.folded.current_bytes == $node.current_bytes)] | length > 2 and all' out)"
same "and of the roots" true "$(jq '([.nodes[] | select(.parent == null) | .current_bytes] | add) +
    .folded.current_bytes == .selected.current_bytes' out)"
same "parents first" true \
    "$(jq '[.nodes | to_entries[] | .value.parent == null or .value.parent < .key] | all' out)"
same "recursion is told" '["parse"]' \
    "$(jq -c '[.nodes[] | select(.recursive) | .frame.function] | unique' out)"

finish
