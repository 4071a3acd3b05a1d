#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Much of everything, and the limits of the recorder's tables and of the disk: no event is lost without being
# told.  The programs know what they did: the trace has all of it.  (`make torture` has the large ones.)
set -u
. tests/lib.sh
hazards=$build/tests/hazards
small=$build/tests/small/libtrace.so

# The report of a trace, read once.
look() { "$tracemalloc" report --json "${1:-$tmp/trace}" >"$tmp/report"; }
ask() { jq -cr "$1" "$tmp/report"; }

# The same of a trace that the programs say: allocations, bytes, frees, reallocations, blocks, live bytes.
figures='map([.allocations, .allocated_bytes, .frees, .reallocations, .current_blocks, .current_bytes]) |
    transpose | map(add | tostring) | join(" ")'
totals() { ask "\"\\([.totals] | $figures), \\(.totals.missed_events) missed\""; }

# limited COMMAND...: recorded to $tmp/trace; what hangs is killed.
limited() {
    rm -f "$tmp"/trace*
    timeout -k 5 120 env "LD_PRELOAD=$lib" "LIBTRACE_OPTIONS=out=$tmp/trace" "$@"
}

# told NAME COMMAND...: a program that ends well, and whose trace has what it says.
told() {
    local name=$1 said
    shift
    said=$(limited "$@") || said="failed: $said"
    look
    same "$name: every event" "$said, 0 missed" "$(totals)"
}

# ---- much -----------------------------------------------------------------------------------------------

# counted_by_threads NAME: what the threads counted is in the trace, whoever else allocated.
counted_by_threads() {
    look
    same "$1: every event" "$(cat "$tmp/counts"), 0 missed" \
        "$(ask "\"\\([.sites[] | select(any(.frames[]; .function == \"load_work\"))] |
            $figures), \\(.totals.missed_events) missed\"")"
}

limited "$hazards/load_threads" 300 2 "$tmp/counts"
same "300 threads: exit status" 0 $?
counted_by_threads "300 threads"
told "64 MiB of small and large blocks, 2 GiB untouched" "$hazards/load_heap" 2048 64
if "$hazards/load_heap" 36864 1 >/dev/null; then
    told "blocks of more than 4 GiB" "$hazards/load_heap" 36864 1
else
    skip "blocks of more than 4 GiB" "there is too little memory"
fi
told "3 million events" "$hazards/load_events" 3000000
check "of which the recorder keeps nothing" [ "$(ask .totals.recorder_bytes)" -lt 1000000 ]
told "10,000 call sites" "$hazards/load_sites" 10 0 2
same "10,000 call sites: each is one" 12288 "$(ask .sites_total)"
same "10,000 call sites: all are whole" 0 "$(ask .totals.truncated_stacks)"

# ---- limits of the tables -------------------------------------------------------------------------------

# A site that was known keeps its own; all others are one, that has the rest.
overflows() {
    local name=$1 each=$2
    same "$name: what was known is exact" "$each" \
        "$(ask '[.sites[] | select(.truncated | not) | .allocations] | unique | map(tostring) | join(" ")')"
    same "$name: the rest is [overflow]'s" "[overflow]" \
        "$(ask '[.sites[] | select(.truncated) | .frames[].function] | join(" ")')"
    same "$name: and counted" "$(ask '[.sites[] | select(.truncated) | .allocations] | add')" \
        "$(ask .totals.truncated_stacks)"
    check "$name: which is said" \
        grep -q "no room for later call sites" <<<"$("$tracemalloc" report "$tmp/trace" 2>&1)"
}

lib=$small limited "$hazards/load_sites" 2 0 1 >"$tmp/out"
same "what there is at first has room" 0x0 \
    "$("$tracemalloc" info "$tmp/trace" | awk '$1 == "flags" {print $2}')"
lib=$small told "more sites than there is room for" "$hazards/load_sites" 7 0 3
overflows "sites" 6
lib=$small told "more nodes than there is room for" "$hazards/load_sites" 5 400 3
overflows "nodes" 6
lib=$small told "more frames than there is room for" "$hazards/load_places" 3
overflows "frames" 3

# ---- a full disk ----------------------------------------------------------------------------------------

# Each of these runs in a mount namespace of its own; $tmp/disk is the small disk.
on_disk() { unshare -m bash -c '
    set -u
    . tests/lib.sh
    rm -rf "$tmp"
    tmp=$1 hazards=$2
    trap - EXIT
    case $3 in
    tmpfs) mount -t tmpfs -o "size=$4k" none "$tmp/disk" ;;
    ext4)
        rm -f "$tmp/image"
        truncate -s "$4k" "$tmp/image"
        mkfs.ext4 -q -O ^has_journal "$tmp/image" && mount -o loop "$tmp/image" "$tmp/disk"
        ;;
    esac || exit 9
    shift 4
    "$@"' bash "$tmp" "$hazards" "$@"; }

# Fills what is left of the disk while the program waits.
there='timeout -k 5 60 env LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/disk/trace '
fill_midway='
    mkfifo "$tmp/go"
    '$there' "$hazards/load_sites" 9 0 2 wait <"$tmp/go" | {
        exec 3>"$tmp/go"
        read -r half
        cat /dev/zero >"$tmp/disk/filler" 2>/dev/null
        echo >&3
        cat
    } >"$tmp/out"
    cp "$tmp/disk/trace" "$tmp/trace"'
grow='
    '$there' "$hazards/load_sites" 10 0 2 >"$tmp/out"
    status=$?
    cp "$tmp/disk/trace" "$tmp/trace"
    exit $status'
threads='
    '$there' "$hazards/load_threads" 40 1 "$tmp/counts"
    status=$?
    cp "$tmp/disk/trace" "$tmp/trace"
    exit $status'

full() {
    local name=$1
    shift
    rm -f "$tmp"/trace* "$tmp/go"
    "$@"
    same "$name: exit status" 0 $?
    look
    check "$name: it was full" grep -q "disk was full" <<<"$("$tracemalloc" report "$tmp/trace" 2>&1)"
}

mkdir "$tmp/disk"
for kind in tmpfs ext4; do
    if ! on_disk $kind 768 true 2>/dev/null; then
        skip "a full disk, $kind" "it cannot be mounted here"
        continue
    fi
    full "the trace fills the disk, $kind" on_disk $kind 768 eval "$grow"
    same "the trace fills the disk, $kind: every event" "$(cat "$tmp/out"), 0 missed" "$(totals)"
    overflows "the trace fills the disk, $kind" 4
    full "the disk is filled midway, $kind" on_disk $kind 16384 eval "$fill_midway"
    same "the disk is filled midway, $kind: every event" "$(cat "$tmp/out"), 0 missed" "$(totals)"
    overflows "the disk is filled midway, $kind" 4
done
# No room for every thread's counters.
if on_disk tmpfs 64 true 2>/dev/null; then
    full "threads on a full disk" on_disk tmpfs 64 eval "$threads"
    read -r allocations _ frees _ <"$tmp/counts"
    read -r had_allocations had_frees missed <<<"$(ask '.totals |
        "\(.allocations) \(.frees) \(.missed_events)"')"
    not_had=$((allocations - had_allocations)) not_freed=$((frees - had_frees))
    check "threads on a full disk: what is not had ($not_had and $not_freed) is missed ($missed)" \
        [ $((not_had <= missed && not_freed <= missed && missed <= not_had + not_freed)) = 1 ]
fi

# ---- the directory goes ---------------------------------------------------------------------------------

# midway COMMAND [RUNNER...]: executed when the program is half done; the trace is $tmp/place/trace.
midway() {
    local command=$1
    shift
    rm -rf "$tmp/place" "$tmp/go" "$tmp/elsewhere"
    mkdir "$tmp/place"
    mkfifo "$tmp/go"
    "$@" "$hazards/load_sites" 9 0 2 wait <"$tmp/go" 2>"$tmp/err" | {
        exec 3>"$tmp/go"
        read -r half
        eval "$command"
        echo >&3
        cat
    } >"$tmp/out"
    status=${PIPESTATUS[0]}
}
by_hand=(timeout -k 5 60 env "LD_PRELOAD=$lib" "LIBTRACE_OPTIONS=out=$tmp/place/trace")

expected=$("$hazards/load_sites" 9 0 2)
midway 'rm -r "$tmp/place"' "${by_hand[@]}"
same "the directory is removed: as untraced" "0 $expected" "$status $(cat "$tmp/out")"
same "the directory is removed: nothing is said" "" "$(cat "$tmp/err")"
midway 'mv "$tmp/place" "$tmp/elsewhere"' "${by_hand[@]}"
same "the directory is moved: as untraced" "0 $expected" "$status $(cat "$tmp/out")"
look "$tmp/elsewhere/trace"
same "the directory is moved: every event" "$expected, 0 missed" "$(totals)"
midway 'rm -r "$tmp/place"; mkdir "$tmp/place"; echo kept >"$tmp/place/trace"' "${by_hand[@]}"
same "another file is there: as untraced" "0 $expected" "$status $(cat "$tmp/out")"
same "another file is there: it is left alone" kept "$(cat "$tmp/place/trace")"
midway 'rm -r "$tmp/place"' "$tracemalloc" run -o "$tmp/place/trace"
same "the directory is removed, by run: as untraced" "0 $expected" "$status $(cat "$tmp/out")"
same "the directory is removed, by run: it says so" "tracemalloc: $hazards/load_sites left no trace" \
    "$(cat "$tmp/err")"

# ---- over other allocators ------------------------------------------------------------------------------

for allocator in jemalloc.so.2 tcmalloc_minimal.so.4 mimalloc.so.2; do
    path=/usr/lib/x86_64-linux-gnu/lib$allocator
    if [ ! -e "$path" ]; then
        skip "300 threads over ${allocator%%.*}" "it is not installed"
        continue
    fi
    lib=$lib:$path limited "$hazards/load_threads" 300 1 "$tmp/counts"
    same "300 threads over ${allocator%%.*}: exit status" 0 $?
    counted_by_threads "300 threads over ${allocator%%.*}"
    lib=$path:$lib limited "$hazards/load_threads" 300 1 "$tmp/counts" 2>/dev/null
    same "300 threads, ${allocator%%.*} before the recorder: exit status" 0 $?
done
finish
