#!/bin/bash
# SPDX-License-Identifier: MIT
# The analyzer's surface, as far as it needs no recorder: usage, help, bad files, synthetic traces.
# Run from the project's root; BUILD names the directory of the built programs.

set -u
. tests/lib.sh
CC=${CC:-cc}
root=$PWD

# run ARGUMENTS...: sets status, and the files out and err; a minute is more than any of it takes
run() {
    timeout 60 "$tracemalloc" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
}

status_is() { [ "$status" -eq "$1" ]; }
one_line() { [ "$(wc -l <"$tmp/$1")" -eq 1 ]; }
has() { grep -qF -- "$2" "$tmp/$1"; }
harmless() { ! grep -q '[[:cntrl:]]' "$tmp/$1"; }
empty() { [ ! -s "$tmp/$1" ]; }

# refused NAME STATUS TEXT ARGUMENTS...: that status, nothing on stdout, one line on stderr with the text
refused() {
    local name=$1 wanted=$2 text=$3
    shift 3
    run "$@"
    check "$name" eval 'status_is $wanted && empty out && one_line err && has err "$text"'
}

# helps NAME TEXT ARGUMENTS...: status 0, the text on stdout, nothing on stderr
helps() {
    local name=$1 text=$2
    shift 2
    run "$@"
    check "$name" eval 'status_is 0 && empty err && has out "$text"'
}

is_json() { python3 -m json.tool <"$tmp/out" >/dev/null 2>&1 || ! command -v python3 >/dev/null; }

cd "$tmp" || exit 1

# ---- usage -------------------------------------------------------------------------------------------

run
check "no arguments: help on stderr, exit 2" eval 'status_is 2 && empty out && has err "report"'
helps "--help" "report" --help
helps "--version" "tracemalloc 0.1.0" --version
for command in report run info tree source diff leaks; do
    helps "$command --help" "Usage: tracemalloc $command" $command --help
    helps "$command --version" "tracemalloc 0.1.0" $command --version
    run $command --no-such-option
    check "$command: an unknown option exits 2" eval 'status_is 2 && empty out && has err "no-such-option"'
done
refused "an unknown command, with the nearest name" 2 "did you mean 'report'" reprot
refused "an unknown command unlike any" 2 "no command 'frobnicate'" frobnicate
refused "a short word, of which every letter would change" 2 "no command 'foo'; \`tracemalloc --help\` lists" foo
refused "an unknown command like one that is not yet" 2 "lists them" exporter
refused "an unknown option before the command" 2 "--frob" --frob
for command in export; do
    refused "$command: not yet" 2 "$command: not yet" $command
done
for option in --sort=size --limit=many --limit=-1 --group-by=thread; do
    run report $option
    check "report $option exits 2" eval 'status_is 2 && empty out && has err "it can be"'
done
run report --json --full
check "stacks that are whole anyway" eval 'status_is 2 && empty out && has err "with --json stacks are always whole"'
run run
check "run without a program exits 2" eval 'status_is 2 && has err "which program"'
run run --depth=0 true
check "run --depth=0 exits 2" status_is 2
run run -o a,b true
check "run -o with a comma exits 2" eval 'status_is 2 && has err comma'

# ---- what is no trace --------------------------------------------------------------------------------

refused "no trace in the directory" 1 "no trace in this directory" report
refused "a missing file" 1 "missing.trace: No such file" report missing.trace
refused "a snapshot of a missing file" 1 "missing.trace@label: No such file" report missing.trace@label
: >empty.trace
refused "an empty file" 1 "empty.trace: is empty" report empty.trace
echo "something else" >foreign.trace
refused "a foreign file" 1 "foreign.trace: not a trace file" report foreign.trace
mkdir empty
refused "a directory without a trace" 1 "empty: no trace in this directory" report empty
for arguments in report info tree leaks live html "source put" "check --max-peak 1"; do
    refused "$arguments '': not the newest" 1 "the name of a trace must not be empty" $arguments ""
done
for arguments in info tree leaks live html "source put" "check --max-peak 1"; do
    refused "$arguments: a directory" 1 "empty: is a directory: name one trace in it" $arguments empty
done
mkfifo fifo
refused "a FIFO" 1 "not a regular file" report fifo
refused "no trace among other files, one a FIFO" 1 "no trace in this directory" report
refused "a name with control characters" 1 'a\x1b[31m\nb: No such file' report $'a\033[31m\nb'
if [ "$(id -u)" -ne 0 ]; then
    : >secret
    chmod 0 secret
    refused "an unreadable file" 1 "Permission denied" report secret
fi

# ---- synthetic traces --------------------------------------------------------------------------------

cat >make_trace.c <<'EOF'
#include <stdlib.h>
#include <string.h>
#include "trace_writer.h"

/* make_trace FILE MODULE: 40 sites, the largest first seen last, in a module of that name */
int main(int argc, char **argv)
{
    static struct trace_writer writer;
    writer_start(&writer);
    uint32_t module = writer_module(&writer, argv[argc - 1]);
    for (uint32_t i = 1; i <= 40; i++)
        writer_simple_site(&writer, writer_frame(&writer, module, 0x1000 * i), i, 1024);
    writer.header.missed_events = 12345;
    writer_snapshot(&writer, "half \033[31m\"way");
    writer.snapshot_sites[0][40] = (struct trace_snapshot_site){.allocations = 2, .allocated_bytes = 77};
    writer_snapshot(&writer, "b@c")->current_bytes = 123;
    writer_save(&writer, argv[1]);
    return 0;
}
EOF
check "the writer of traces builds" "$CC" -std=gnu11 -D_GNU_SOURCE -I"$root/shim" -I"$root/tests/unit" \
    -o make_trace make_trace.c "$root/tests/unit/trace_writer.c"
mkdir traces
cd traces || exit 1
../make_trace good.trace /nonexistent/prog

run report good.trace
check "a good trace" eval 'status_is 0 && has out "./prog arg" && has out "exited 0 after 1.25 s"'
check "its largest site comes first" eval 'grep -q "^ 1\. .*80 blocks  0x28000  prog" "$tmp/out"'
check "ten sites of forty" eval 'has out "10 of 40 call sites" && ! has out "11. "'
check "what was missed is said" has out "12,345 heap calls were seen, but could not be counted"
check "a module that is gone is said once, on stderr" \
    eval 'one_line err && has err "/nonexistent/prog is gone"'
try="still allocated: \`tracemalloc report --sort current good.trace\`"
check "the last line is a command to try" eval 'tail -n 1 "$tmp/out" | grep -qF "$try"'
run diff good.trace good.trace
check "and once of two traces" [ "$(grep -c "/nonexistent/prog is gone" "$tmp/err")" = 1 ]
run report --limit 0 good.trace
check "--limit 0 shows all" has out "40. "
run report
check "the newest trace of the directory is found" eval 'status_is 0 && has out "./prog arg"'
mv good.trace "odd name"
echo x >newer
run report
check "and known by its contents" eval 'status_is 0 && has out "./prog arg"'
mv "odd name" "it's@odd"
run report "it's@odd"
check "a file with @ in its name is no snapshot" status_is 0
check "a suggested command is quoted" has out "'it'\\''s@odd'"
mv "it's@odd" good.trace

# ---- snapshots ----

run report good.trace@1
check "FILE@NUMBER: that snapshot" eval 'status_is 0 && has out "current    77 B in 2 blocks"'
check "and it is said, harmlessly" has out "snapshot 1 'half \\x1b[31m\"way' (asked for) at 1.00 s"
check "a hint keeps the snapshot" has out "allocated then: \`tracemalloc report --sort current good.trace@1\`"
run report good.trace@b@c
check "FILE@LABEL, of a label with an @" eval 'status_is 0 && has out "snapshot 2 '"'b@c'"'"'
cp good.trace good.trace@b
run report good.trace@b@c
check "the longest file that is there is the file" eval 'status_is 1 && has err "good.trace@b: it has no"'
rm good.trace@b
run report @-2
check "@SNAPSHOT: of the newest trace" eval 'status_is 0 && has out "snapshot 1 "'
for arguments in "diff good.trace" "check good.trace --baseline"; do
    refused "$arguments: a directory" 1 "/empty: is a directory: name one trace in it" $arguments "$tmp/empty"
    refused "$arguments '': not the newest" 1 "the name of a trace must not be empty" $arguments ""
done
refused "a snapshot that is not there" 1 "it has no snapshot 'x'; \`tracemalloc info\`" report good.trace@x
refused "a snapshot of nothing" 1 "it has no snapshot ''" report good.trace@
run report --json good.trace@1
snapshot='"snapshot": {"number": 1, "label": "half '
check "JSON of a snapshot" eval 'status_is 0 && is_json && has out "$snapshot"'
check "all of it: sites that were yet to come are none" eval '[ "$(grep -c "\"frames\"" "$tmp/out")" -eq 1 ]'
run report --json good.trace
snapshot='{"number": 2, "label": "b@c", "reason": "asked for", "exact": true, "seconds": 1.000000, "current_'
check "JSON: no snapshot, and those that there are" eval 'is_json && has out "\"snapshot\": null" &&
    has out "$snapshot"'
../make_trace other.trace /x && ../make_trace none.trace /x
printf '\0\0\0\0' | dd of=none.trace bs=1 seek=$((216 + 8)) conv=notrunc status=none
refused "a snapshot of a trace that has none" 1 "none.trace: it has no snapshots" report none.trace@1
rm other.trace none.trace

run report --json good.trace
check "JSON is one valid object" eval 'status_is 0 && is_json'
check "JSON has all sites" eval '[ "$(grep -c "\"frames\"" "$tmp/out")" -eq 40 ]'
run report --json --limit 3 --sort allocations good.trace
check "JSON --limit" eval 'is_json && [ "$(grep -c "\"frames\"" "$tmp/out")" -eq 3 ]'
for by in site line function file module; do
    run report --json --group-by $by good.trace
    check "JSON --group-by $by" eval 'status_is 0 && is_json'
    run report --group-by $by good.trace
    check "--group-by $by" eval 'status_is 0 && has out "by bytes at the peak"'
done
for metric in peak current allocated allocations temporary; do
    run report --sort $metric good.trace
    check "--sort $metric" status_is 0
done

run report --sort allocations good.trace
check "whole stacks of the same" has out '`tracemalloc report --sort allocations --full good.trace`'
run report --sort temporary good.trace
check "no stacks, none that could be whole" eval 'has out "nothing to rank" && has out "who held most at the peak: \`tracemalloc report good.trace\`"'

for arguments in "report good.trace" "report --json good.trace" "tree good.trace" "tree --json good.trace" "report --help" "--help" "--version"; do
    "$tracemalloc" $arguments >/dev/full 2>"$tmp/err"
    status=$?
    check "$arguments >/dev/full exits 1 with a message" eval 'status_is 1 && has err "No space left"'
done
"$tracemalloc" report good.trace >&- 2>"$tmp/err"
status=$?
check "a closed stdout exits 1" eval 'status_is 1 && has err "cannot write"'

../make_trace hostile.trace $'/x/\033]0;evil\007\n\302\233\342\200\256\377"</script>'
run report hostile.trace
check "no control character reaches the terminal" eval 'status_is 0 && harmless out'
check "nor by a warning" eval 'harmless err && one_line err'
run report --json hostile.trace
check "JSON of hostile names" eval 'status_is 0 && is_json && harmless out'
run tree hostile.trace
check "a tree of them" eval 'status_is 0 && harmless out && has out "1.6 MiB  100.0 %"'
run tree --json hostile.trace
check "in JSON" eval 'status_is 0 && is_json && harmless out'
run source '*' hostile.trace
check "no source of them" eval 'status_is 1 && empty out && harmless err'
LC_ALL=C.UTF-8 "$tracemalloc" report hostile.trace >"$tmp/out" 2>/dev/null
check "nor a direction mark in UTF-8" eval '! grep -q $'"'"'\342\200\256\|\302\233'"'"' "$tmp/out"'

size=$(stat -c %s good.trace)
for part in 1 7 8 100 $((size / 2)) $((size - 1)); do
    head -c "$part" good.trace >cut.trace
    refused "cut after $part bytes of $size" 1 "cut.trace: " report cut.trace
done

# ---- run, as far as it is not recorded ---------------------------------------------------------------

printf '#!/nonexistent/interpreter\n' >script
chmod +x script
: >plain
# Under sanitizers there is no recorder to find.
if [ -e "$(dirname "$tracemalloc")/libtrace.so" ]; then
    run run ./no-such-program
    check "run: a missing program is 127" eval 'status_is 127 && has err "No such file"'
    run run no-such-program
    check "run: an unknown program is 127" eval 'status_is 127 && has err "command not found"'
    run run ./plain
    check "run: a file that is no program is 126" eval 'status_is 126 && has err "Permission denied"'
fi
if echo 'int main(void) { return 5; }' | "$CC" -static -x c -o static - 2>/dev/null; then
    run run ./static
    said="./static is statically linked: running it without tracing"
    check "run: a static program runs untraced" eval 'status_is 5 && one_line err && has err "$said"'
    printf '#!%s\n' "$PWD/static" >script
    run run ./script
    check "run: so does a script of a static interpreter" eval 'status_is 5 && has err "its interpreter"'
fi

finish
