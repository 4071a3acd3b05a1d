#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Several traces: what `run` says of a tree of processes, their sum, each by itself.
set -u
. tests/lib.sh
cd "$tmp" || exit 1

run() { "$tracemalloc" run "$@" >out 2>err </dev/null; }
has() { grep -qE -- "$2" "$1"; }
# What would be copied from the last line of the summary.
next_command() { sed -n 's/^  more: tracemalloc report //p' err; }

# ---- the summary of one ----
run -o one "$programs/peak"
same "one process: what it was, current, peak, where, the next command" "1 1 1 one" \
    "$(grep -cE "^tracemalloc: $programs/peak: exited 0 after " err) $(grep -cE '^  peak 498.1 KiB, at the end ' err) \
$(grep -cE '^ +488.3 KiB +98.0 %  take  ' err) $(next_command)"
run -q -o quiet "$programs/peak"
same "-q: not a word" "" "$(cat err)"
rm -f one quiet

# ---- a tree ----
run "$programs/processes" spawn 1500
parent=$(ls tracemalloc.processes.*.trace | head -1)
check "a tree: how the program ended, and how many traces" \
    has err "^tracemalloc: $programs/processes spawn 1500: exited 0 after [^,]*, left 2 traces\$"
check "a tree: the sum" has err "^  sum of the peaks [^,]+, at the end 63.5 KiB, allocated .* in 2,0.. allocations\$"
same "a tree: a line each, the largest first" "exited 0 processes spawn 1500
exited 0 processes leaf 1500" "$(sed -nE 's,^ +[0-9]+ +[0-9.]+ KiB +[0-9.]+ KiB  (exited 0) +[^ ]*/,\1 ,p' err)"
same "a tree: the next command names both" 2 "$(next_command | wc -w)"
"$tracemalloc" report --json $(next_command) >sum.json
allocated_in() { jq "[.sites[] | select(any(.frames[]; .function == \"$1\")) | .allocations] | add" sum.json; }
same "it is the sum" "500 1500" "$(allocated_in in_parent) $(allocated_in in_leaf)"
same "members of a sum" "null null true 2 ended" \
    "$(jq -r '"\(.command) \(.pid) \(.peak_is_upper_bound) \(.processes | length) \(.state)"' sum.json)"
for member in current_bytes current_blocks peak_bytes peak_blocks allocated_bytes allocations frees temporary; do
    same "$member is the sum over the processes, and over the sites" \
        "$(jq "[.processes[].$member] | add" sum.json) $(jq "[.sites[].$member] | add" sum.json)" \
        "$(jq ".totals.$member" sum.json) $(jq ".totals.$member" sum.json)"
done
"$tracemalloc" report . >text
check "the text says what its peak is" has text '^peak .* at most: the sum of the peaks'
check "the hint names what was named" has text '`tracemalloc report --sort current \.`$'
same "a directory is all its traces" "$(jq -S 'del(.processes[].file)' sum.json)" \
    "$("$tracemalloc" report --json . | jq -S 'del(.processes[].file)')"
same "named twice, counted once" 2 "$("$tracemalloc" report --json . "$parent" "./$parent" | jq '.processes | length')"

# ---- the same program several times: the same sites, wherever it was loaded ----
rm -f tracemalloc.*
for i in 1 2 3; do traced "" "$programs/peak" && mv "$tmp/trace" "peak.$i"; done
"$tracemalloc" report --json peak.1 >one.json
"$tracemalloc" report --json peak.1 peak.2 peak.3 >sum.json
same "three runs: as many sites as one" "$(jq .sites_total one.json)" "$(jq .sites_total sum.json)"
same "three runs: each site three times" \
    "$(jq -c '[.sites[] | [.peak_bytes * 3, .allocations * 3, .frees * 3, (.frames | map(.function, .line))]] | sort' one.json)" \
    "$(jq -c '[.sites[] | [.peak_bytes, .allocations, .frees, (.frames | map(.function, .line))]] | sort' sum.json)"
for by in line function file module; do
    same "three runs by $by: three times as much" \
        "$("$tracemalloc" report --json --group-by $by peak.1 | jq -c '[.sites[].allocated_bytes * 3]')" \
        "$("$tracemalloc" report --json --group-by $by peak.[123] | jq -c '[.sites[].allocated_bytes]')"
done

# ---- each ----
same "--per-process --json: an object each" "$(for i in 3 1; do json .pid peak.$i; done)" \
    "$("$tracemalloc" report --per-process --json peak.3 peak.1 | jq .pid)"
same "--per-process: the reports, in the order of the names" \
    "$("$tracemalloc" report peak.2; echo; echo; "$tracemalloc" report peak.1)" \
    "$("$tracemalloc" report --per-process peak.2 peak.1)"

# ---- what cannot be read ----
echo damaged >broken
"$tracemalloc" report --json peak.1 broken peak.2 >sum.json 2>err
same "one that is no trace is named, the others are shown" "1 tracemalloc: broken: not a trace file 2" \
    "$? $(cat err) $(jq '.processes | length' sum.json)"
"$tracemalloc" report broken missing >out 2>err
same "none that is one" "1 2 0" "$? $(wc -l <err) $(wc -c <out)"

# ---- more than a screen ----
rm -f peak.* broken
run --children=all bash -c "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do '$programs/processes' spawn 1 & done; wait"
same "25 processes and more: 20 lines, and how many more" "20 1" \
    "$(grep -cE '^ +[0-9]+ .* (exited 0|exec) ' err) $(grep -cE '^and [0-9]+ more$' err)"
same "the next command: the directory" . "$(next_command)"
traced "" "$programs/peak"
run --children=all -o "$tmp/%p" bash -c "for i in 1 2 3 4 5; do '$programs/processes' spawn 1 & done; wait"
check "the next command where others lie: the largest" [ -f "$(next_command)" ]

# ---- one process, program after program ----
rm -f tracemalloc.* ./[0-9]* trace
run "$programs/processes" chain 2
same "an exec chain: a line for each program" "1 2" "$(grep -cE ' exited 0  ' err) $(grep -cE ' exec  ' err)"
same "an exec chain in JSON" '["exited 0","replaced","replaced"]' \
    "$("$tracemalloc" report --json . | jq -c '[.processes[].state] | sort')"

# ---- where the files go ----
rm -f tracemalloc.*
mkdir below
run sh -c "cd below; '$programs/processes' leaf 1500; cd ..; rmdir below; exit 3"
same "all traces lie where run was started, and its status is kept" "3 2" "$? $(ls tracemalloc.* | wc -l)"
mkdir 'a,b' && cd 'a,b' || exit 1
"$tracemalloc" run -q "$programs/peak"
same "in a directory that options cannot name, too" 1 "$(ls tracemalloc.peak.* | wc -l)"
cd .. || exit 1

# ---- hostile commands ----
rm -rf tracemalloc.* a,b
evil=$(printf 'a\033[31m\nb')
run bash -c "'$programs/processes' leaf 1500; true" "$evil"
check "names reach the terminal harmless" has err 'a.*31m.*b$'
check "and nothing else" bash -c "! LC_ALL=C grep -qa '[^[:print:][:space:]]' err"
finish
