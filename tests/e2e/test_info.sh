#!/bin/bash
# SPDX-License-Identifier: MIT
#
# `tracemalloc info`: it says what is in a file, of a damaged one what there is and what is wrong.
set -u
. tests/lib.sh
root=$PWD
cd "$tmp" || exit 1

# info ARGUMENTS...: sets status, and the files out and err.
info() {
    timeout 60 "$tracemalloc" info "$@" >out 2>err </dev/null
    status=$?
}

has() { grep -qE -- "$2" "$1"; }
value() { sed -nE "s/^  $1 +//p" out; }
harmless() { ! LC_ALL=C grep -qa '[^[:print:][:space:]]' "$1"; }

# patch FILE OFFSET BYTES: overwrites bytes (as printf's escapes).
patch() {
    printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# ---- a synthetic trace ----
cat >make_trace.c <<'END'
#include <stdlib.h>
#include "trace_writer.h"

/* make_trace FILE MODULE: three sites, of which one spilled, in a module of that name */
int main(int argc, char **argv)
{
    static struct trace_writer writer;
    writer_start(&writer);
    uint32_t module = writer_module(&writer, argv[argc - 1]);
    writer.modules[module] = (struct trace_module){
        .path = writer.modules[module].path, .bias = 0x400000, .start = 0x401000, .end = 0x402000,
        .came_ns = 1500000000, .gone_ns = 2000000000, .build_id = {0xab, 0xcd}, .build_id_size = 2};
    for (uint32_t i = 1; i <= 3; i++)
        writer_simple_site(&writer, writer_frame(&writer, module, 0x1000 * i), i, 100);
    writer.frames[2].flags = TRACE_FRAME_EXACT;
    writer_spill(&writer, 2, TRACE_SPILL_TEMPORARY);
    writer_point(&writer, 1000000, 50);
    writer_point(&writer, 3000000, 70);
    writer_snapshot(&writer, argv[argc - 1])->flags = TRACE_SNAPSHOT_BLURRED;
    writer.snapshot_sites[0][3] = (struct trace_snapshot_site){.allocations = 4, .peak_bytes = -5};
    writer_save(&writer, argv[1]);
    return 0;
}
END
check "the writer of traces builds" "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -I"$root/shim" -I"$root/tests/unit" \
    -o make_trace make_trace.c "$root/tests/unit/trace_writer.c"
./make_trace good.trace /home/user/prog

info good.trace
same "a good trace: exit status" 0 $status
check "nothing on stderr" [ ! -s err ]
same "header: pid" 4242 "$(value pid)"
same "header: state" "1 (exited)" "$(value state)"
same "header: moments, since the start" "2250000000 (+1.250000 s)" "$(value ended_ns)"
same "header: the date" "1795374000000000000 (2026-11-22 19:00:00 UTC)" "$(value started_realtime_ns)"
check "header: the executable" has out '^  exe +0x[0-9a-f]+ "/home/user/prog"$'
check "header: the arguments" has out '^  command +0x[0-9a-f]+ "\./prog" "arg"$'
missing=
for name in $(sed -n '/^struct trace_header {/,/^}/p' "$root/shim/format.h" |
    sed -nE 's/ *__attribute__.*;/;/; s/^ +(char|u?int[0-9]+_t) ([^;]+);.*/\2/p' |
    sed -E 's/\[[^]]*\]//g; s/,//g'); do
    [[ $name = reserved* ]] || has out "^  $name " || missing+=" $name"
done
same "every field of the header is there" "" "$missing"
check "sections by type: counters" has out '^  counters +1 +320 +4 +3$'
check "sections by type: strings" has out '^  strings +1 +[0-9]+ +[0-9]+$'
check "modules: path" has out '^ +1  "/home/user/prog"$'
check "modules: where" has out '0x401000-0x402000, bias 0x400000$'
check "modules: when, and the build-id" has out 'came \+0.500000 s, gone \+1.000000 s, build-id abcd$'
check "the timeline" has out '^  2 points, from \+0.001000 s to \+0.003000 s$'
check "the snapshots" has out '^ +1  \+1.000000 s  0 bytes in 0 blocks, asked for, blurred, "/home/user/pr'
check "no records unless asked for" eval '! has out "^frames\["'
info --sections good.trace
check "--sections lists them" has out '^  counters +[0-9]+ +320 +64 +0 +4 +0$'
info --records good.trace
check "--records: frames" has out '^frames\[2\] module=1 flags=0x1 \(exact\) offset=0x2000$'
check "--records: nodes" has out '^nodes\[4\] parent=1 \(root\) frame=1 site=1$'
check "--records: sites" has out '^sites\[3\] node=6$'
check "--records: counters" has out '^counters\[2\] shard=0 allocations=6 allocated_bytes=600 frees=4 '
check "--records: spills" has out '^spills\[0\] site=2 kind=2 \(temporary\)$'
check "--records: points" has out '^timeline\[1\] ns=1003000000 \(\+0.003000 s\) current_bytes=70 blocks=7 '
check "--records: snapshots" has out '^snapshots\[0\] number=1 .* reason=1 \(asked for\) flags=0x1 \(blurred'
check "--records: their sites" has out '^snapshot-sites\[3\] place=0 allocations=4 .* peak_bytes=-5 '
check "--records: modules" has out '^modules\[1\] path=0x[0-9a-f]+ "/home/user/prog" .* gone_ns=2000000000 '
check "--records: strings" has out '^strings\[0x[0-9a-f]+\] "arg"$'
info --records=sites --records=spills good.trace
same "--records=TABLE: only that" "3 1 0" \
    "$(grep -c '^sites\[' out) $(grep -c '^spills\[' out) $(grep -c '^frames\[' out)"
info --records=blocks good.trace
check "an unknown table exits 2" eval '[ $status = 2 ] && has err "strings, modules, frames"'
info one two
same "two traces at a time exit 2" 2 $status
info
same "the newest trace of the directory when none is named" "0 4242" "$status $(value pid)"

# ---- what is no trace ----
info missing.trace
check "a missing file" eval '[ $status = 1 ] && [ ! -s out ] && has err "No such file"'
echo "something else" >foreign
info foreign
check "a foreign file" eval '[ $status = 1 ] && [ ! -s out ] && has err "not a trace file"'
mkfifo fifo
info fifo
check "a FIFO" eval '[ $status = 1 ] && has err "not a regular file"'

# ---- damage ----
size=$(stat -c %s good.trace)
for part in 9 100 400 $((size / 2)) $((size - 64)); do
    head -c "$part" good.trace >cut.trace
    info --records cut.trace
    check "cut after $part bytes of $size: what there is, and exit 1" \
        eval '[ $status = 1 ] && has err "cut.trace: is cut short" && has out "^header"'
done
check "of a cut file records are shown" has out '^counters\[3\]'

# offset_of TYPE: where the section of a type begins.
info --sections good.trace
offset_of() { awk -v type="$1" '/^sections +offset/ { on = 1 } on && $1 == type { print $2; exit }' out; }
frames=$(offset_of frames) nodes=$(offset_of nodes) strings=$(offset_of strings) modules=$(offset_of modules)

cp good.trace bad.trace
patch bad.trace $((frames + 8)) '\x07'
info --records bad.trace
check "a section of an impossible size hides no other" eval '[ $status = 1 ] &&
    has err "impossible size at byte $frames" && has out "^nodes\[4\]" && ! has out "^frames\["'

cp good.trace bad.trace
patch bad.trace $((frames + 64 + 16)) '\x63'
patch bad.trace $((nodes + 64 + 5 * 16 + 4)) '\x64'
info --records bad.trace
check "a module that is not there" eval \
    '[ $status = 1 ] && has out "^frames\[1\] module=99 \(is not there\)" && has err "modules\[99\]"'
check "a frame that is not there" eval \
    'has out "^nodes\[5\] .*frame=100 \(is not there\)" && has err "frames\[100\]"'

cp good.trace bad.trace
patch bad.trace $((modules + 64 + 128)) '\x00\x00\x10'
info bad.trace
check "a string that is not there" eval \
    '[ $status = 1 ] && has out "1  \(no string there\)" && has err "no string"'

cp good.trace bad.trace
patch bad.trace 12 '\x63'
info bad.trace
check "a file of a newer version" eval \
    '[ $status = 1 ] && has err "newer version" && [ "$(value reader_version)" = 99 ]'

for seed in 1 2 3 4 5 6 7 8; do
    cp good.trace bad.trace
    for i in $(seq 20); do
        seed=$(((seed * 1103515245 + 12345) % 2147483648))
        patch bad.trace $((8 + seed / 256 % (size - 8))) "\\x$(printf %02x $((seed / 65536 % 256)))"
    done
    info --sections --records bad.trace
    check "bytes changed here and there: no crash" [ $status -le 1 ]
done

# ---- names ----
./make_trace hostile.trace $'/x/\033]0;evil\007\n\302\233\342\200\256\377"</script>'
info --records hostile.trace
check "no control character reaches the terminal" eval '[ $status = 0 ] && harmless out && harmless err'
check "nor a label of a snapshot" has out 'label="/x/\\x1b\]0;evil\\a\\n'
check "a newline in a name is no new line" has out '^ +1  "/x/\\x1b\]0;evil\\a\\n'
"$tracemalloc" info good.trace >/dev/full 2>err
status=$?
check "no room for the output exits 1" eval '[ $status = 1 ] && has err "No space left"'

# ---- the recorder's own ----
if [ -e "$lib" ]; then
    traced "" "$programs/threads" 4 100
    info --sections --records trace
    same "a recorded trace: nothing is wrong" "0 " "$status $(cat err)"
    same "its counters sum to the report's allocations" "$(json .totals.allocations trace)" \
        "$(sed -nE 's/^counters\[.* allocations=([0-9]+) .*/\1/p' out | awk '{s += $1} END {print s}')"
    same "as many sites as the report has" "$(json .sites_total trace)" \
        "$(sed -nE 's/^counters\[([0-9]+)\].*/\1/p' out | sort -u | wc -l)"
    traced "" "$programs/dies" pause &
    for _ in $(seq 100); do
        sleep 0.1
        [ -s trace ] && [ "$(of allocate allocations "$tmp/trace" 2>/dev/null)" = 1234 ] && break
    done
    info --records trace
    same "a running program's: nothing is wrong" "0 0 (no end noted)" "$status $(value state)"
    kill -9 "$(value pid)"
    wait 2>/dev/null
fi
finish
