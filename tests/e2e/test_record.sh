#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Programs that know the truth about themselves, traced: the report must say the same.
set -u
. tests/lib.sh

# ---- every function ----
expected=$(traced "" "$programs/every_function")
found=$(for member in allocations allocated_bytes frees reallocations current_blocks current_bytes; do
    of scenario $member
done | xargs)
same "every function: counts and bytes as asked for" "$expected" "$found"
same "every function: same results as untraced" "$("$programs/every_function")" "$expected"
# 1000 in the loop, the first block, strdup's, and the one that realloc follows at once.
same "temporary blocks: freed by the very next event" 1007 "$(of scenario temporary)"
same "totals are the sums of the sites" "$(json '[.sites[].allocated_bytes] | add')" \
    "$(json .totals.allocated_bytes)"
same "nothing was missed" "0 0" "$(json '"\(.totals.missed_events) \(.totals.truncated_stacks)"')"
same "the state is known" "exited 0" "$(json .state)"
traced "" "$programs/every_function" $(seq 1 20000) >/dev/null
same "arguments of more than 64 KiB: the first of them" "[\"1\",\"2\"] 5" \
    "$(json '.command[1:3]') $(json '.command[10000] | length')"

# ---- the peak ----
traced "" "$programs/peak"
same "peak: a site's share" "10000 500000 0" \
    "$(of low peak_bytes) $(of high peak_bytes) $(of tail peak_bytes)"
same "peak: blocks" "10 50" "$(of low peak_blocks) $(of high peak_blocks)"
same "peak: a realloc that shrinks belongs to its caller" 100 "$(of shrink peak_bytes)"
same "peak: the shares sum to it" "$(json '[.sites[].peak_bytes] | add')" "$(json .totals.peak_bytes)"
same "peak: exact with one thread" 0 "$(json .totals.peak_error_bytes)"
same "peak: 510100 and nothing else" 510100 "$(json .totals.peak_bytes)"

# ---- threads ----
for n in 2 8 64; do
    traced "" "$programs/threads" $n 1000
    sum=$((n * (n - 1) / 2))
    same "$n threads: allocations, bytes" "$((n * 1000)) $((1000 * (8 * n + sum)))" \
        "$(of worker allocations) $(of worker allocated_bytes)"
    same "$n threads: frees, current" "$((n * 999)) $n $((8 * n + sum))" \
        "$(of worker frees) $(of worker current_blocks) $(of worker current_bytes)"
    same "$n threads: all seen" $((n + 1)) "$(json .totals.threads)"
    check "$n threads: the peak's shares sum to it" \
        [ "$(json '[.sites[].peak_bytes] | add')" = "$(json .totals.peak_bytes)" ]
done

# ---- every end ----
for how in return exit _exit quick_exit exit_group abort kill segv exec; do
    traced "" bash -c "ulimit -c 0; exec '$programs/dies' $how" 2>/dev/null
    for f in "$tmp"/trace*; do
        [ "$(of allocate allocations "$f")" = 1234 ] && cp "$f" "$tmp/found"
    done
    same "death by $how: everything is in the file" "1234 12340" \
        "$(of allocate allocations "$tmp/found") $(of allocate current_bytes "$tmp/found")"
    case $how in
    return | exit) same "death by $how: the status" "exited 7" "$(json .state "$tmp/found")" ;;
    esac
    rm -f "$tmp/found"
done

# ---- a program that still runs ----
traced "" "$programs/dies" pause &
for _ in $(seq 100); do
    sleep 0.1
    [ -s "$tmp/trace" ] && [ "$(of allocate allocations)" = 1234 ] && break
done
same "running: report works" "running 1234" "$(json .state) $(of allocate allocations)"
kill -9 "$(json .pid)"
wait 2>/dev/null
same "killed since: nothing lost" "ended 1234" "$(json .state) $(of allocate allocations)"

# ---- processes ----
cd "$tmp" || exit 1
rm -f trace*
LD_PRELOAD=$lib "$programs/forks" 1200
same "fork: a file each" 2 "$(ls tracemalloc.forks.*.trace | wc -l)"
for f in tracemalloc.forks.*.trace; do
    if [ "$(json .state "$f")" = "exited 3" ]; then child=$f; else parent=$f; fi
done
same "fork: the parent's file has the parent's" "507 0" \
    "$(of in_parent allocations "$parent") $(of in_child allocations "$parent")"
same "fork: the child's counts from the fork" "0 1200 100" "$(of in_parent allocations "$child") \
$(of in_child allocations "$child") $(of in_parent frees "$child")"
same "fork: the child's current has what it inherited" "400 40000 12000" \
    "$(of in_parent current_blocks "$child") $(of in_parent current_bytes "$child") \
$(of in_child current_bytes "$child")"
same "fork: the child's peak" "62000" "$(json .totals.peak_bytes "$child")"
rm -f tracemalloc.*
LD_PRELOAD=$lib "$programs/forks" 10
same "fork: a small child leaves none" 1 "$(ls tracemalloc.* | wc -l)"
rm -f tracemalloc.*
LD_PRELOAD=$lib LIBTRACE_OPTIONS=children=all "$programs/forks" 10
same "children=all: even a small one" 2 "$(ls tracemalloc.* | wc -l)"
rm -f tracemalloc.*
LD_PRELOAD=$lib LIBTRACE_OPTIONS=children=none "$programs/forks" 1200
same "children=none" 1 "$(ls tracemalloc.* | wc -l)"
rm -f tracemalloc.*
LD_PRELOAD=$lib "$programs/forks" vfork
same "vfork: the child counts in its parent" "500 50" \
    "$(of in_parent allocations "$(echo tracemalloc.*)") $(of in_child allocations "$(echo tracemalloc.*)")"
rm -f tracemalloc.*
LD_PRELOAD=$lib /bin/true
same "the process that the user started always leaves a file" 1 "$(ls tracemalloc.true.*.trace | wc -l)"
rm -f tracemalloc.*
LD_PRELOAD=$lib bash -c '/bin/true; exec /bin/true'
same "an exec in that pid stays it; its small children leave none" "1 1" \
    "$(ls tracemalloc.true.* | wc -l) $(ls tracemalloc.bash.* | wc -l)"
rm -f tracemalloc.*

# ---- the file ----
traced "" "$programs/peak"
same "mode 0600" 600 "$(stat -c %a "$tmp/trace")"
check "its apparent size, too, once the program has ended" [ "$(stat -c %s "$tmp/trace")" -le 262144 ]
check "its size is small" [ "$(du -k "$tmp/trace" | cut -f1)" -le 256 ]
LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/trace "$programs/peak"
check "a name that exists gets a suffix" [ -f "$tmp/trace.2" ]
(umask 0777 && traced "" "$programs/peak")
same "mode 0600 whatever the umask" 600 "$(stat -c %a "$tmp/trace")"
rm -f "$tmp"/trace*
ln -s "$tmp/target" "$tmp/trace"
LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/trace "$programs/peak"
check "a planted link is not followed" [ ! -e "$tmp/target" ]
rm -f "$tmp"/trace*
LIBTRACE_OPTIONS=out=$tmp/%e-%p-%t LD_PRELOAD=$lib "$programs/peak"
check "out= with exe, pid and time" bash -c "ls $tmp | grep -qE '^peak-[0-9]+-1[0-9]{9}\$'"
LIBTRACE_OPTIONS=out=%e.here LD_PRELOAD=$lib "$programs/peak"
check "out= is relative to the working directory" [ -f peak.here ]

mkdir "$tmp/new
line" && cd "$tmp/new
line" || exit 1
LD_PRELOAD=$lib "$programs/peak"
check "a working directory with a newline in its name" [ -f tracemalloc.peak.*.trace ]
cd "$tmp" || exit 1

# ---- quiet ----
out=$(LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/q1 "$programs/peak" 2>&1)
same "not a word when stderr is no terminal" "" "$out"
out=$(LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/q2,frobnicate=1,depth=x "$programs/peak" 2>&1)
same "bad options are named once" \
    "tracemalloc: LIBTRACE_OPTIONS: ignoring frobnicate=1
tracemalloc: LIBTRACE_OPTIONS: ignoring depth=x" "$out"
out=$(LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/none/x "$programs/dies" return 2>&1)
same "no file, one line, and the program runs" \
    "7 tracemalloc: not recording: cannot create $tmp/none/x: no such directory" "$? $out"

# ---- C++ ----
expected=$("$programs/new_delete" 500)
same "C++: exceptions as untraced" "$expected" "$(traced "" "$programs/new_delete" 500)"
same "C++: every operator new" "2000 $((500 * (4 + 100 + 64 + 8)))" \
    "$(of 'scenario(int)' allocations) $(of 'scenario(int)' allocated_bytes)"
same "C++: every operator delete" "1996 4" \
    "$(of 'scenario(int)' frees) $(of 'scenario(int)' current_blocks)"
finish
