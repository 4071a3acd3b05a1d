#!/bin/bash
# SPDX-License-Identifier: MIT
# The HTML report: where it is written, and what it is to somebody who looks at it in a browser.
set -u
. tests/lib.sh
CC=${CC:-cc}
root=$PWD
cd "$tmp" || exit 1

# run ARGUMENTS...: sets status, and the files out and err
run() {
    timeout 60 "$tracemalloc" "$@" >out 2>err </dev/null
    status=$?
}
says() { grep -qF -- "$2" "$1"; }

# ---- traces ------------------------------------------------------------------------------------------

head -n 20000 "$build/cta.csv" >rows.csv
LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=demo.trace "$build/demo" rows.csv >/dev/null
LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=old.trace "$build/demo" --as tuple rows.csv >/dev/null
LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=new.trace "$build/demo" rows.csv >/dev/null

cat >make_traces.c <<'EOC'
#include <string.h>
#include "trace_writer.h"

static struct trace_writer writer;

static uint32_t add_site(uint32_t node, uint64_t blocks)
{
    uint32_t site = writer_site(&writer, node);
    *writer_counter(&writer, 0, site) =
        (struct trace_counter){.allocations = 10 * blocks, .allocated_bytes = 10240 * blocks,
                               .frees = 7 * blocks, .freed_bytes = 7168 * blocks, .temporary = blocks};
    return site;
}

/* Names that want to be markup, script, another direction, nothing that can be seen, no text, or too long. */
static void hostile(void)
{
    static char longest[12000];
    static const char *const names[] = {
        "/x/</script><script>window.hit = 1</script>", "/x/<!--<script>",
        "/x/<img id=evil src=x onerror=hit=1>", "/x/\"'`&lt;${1}\\",
        "/x/\342\200\250\342\200\251", "/x/\342\200\256gnp.exe", "/x/\377\300\200", longest};
    memset(longest, 'w', sizeof(longest) - 1);
    writer_start(&writer);
    static const char command[] = "./p\0</title></script><script>window.hit=1</script>";
    writer.header.command = writer_string(&writer, command, sizeof(command));
    writer.header.command_size = sizeof(command);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint32_t module = writer_module(&writer, names[i]);
        writer_simple_site(&writer, writer_frame(&writer, module, 0x1000 + i), i + 1, 100);
    }
    writer_save(&writer, "hostile.trace");
}

static void plain(void)
{
    writer_start(&writer);
    writer_simple_site(&writer, writer_frame(&writer, writer_module(&writer, "/x/plain"), 0x1000), 1, 100);
    writer_save(&writer, "plain.trace");
}

static void snapshots(void)
{
    writer_start(&writer);
    uint32_t module = writer_module(&writer, "/opt/prog"), node = TRACE_NODE_ROOT;
    for (uint32_t i = 1; i <= 4; i++)
        node = writer_node(&writer, node, writer_frame(&writer, module, 0x100 * i));
    for (uint32_t i = 1; i <= 20; i++)
        add_site(writer_node(&writer, node, writer_frame(&writer, module, 0x1000 * i)), i);
    for (uint64_t i = 1; i <= 50; i++)
        writer_point(&writer, 24500000 * i, 4000 * i * (51 - i))->resident_bytes = i % 5 ? 1 << 23 : 0;
    writer_snapshot(&writer, "one")->ns -= 600000000;
    struct trace_snapshot *second = writer_snapshot(&writer, "");
    second->ns -= 200000000;
    second->reason = TRACE_SNAPSHOT_FAILED;
    second->asked_bytes = 1 << 30;
    second->flags = TRACE_SNAPSHOT_BLURRED;
    for (uint64_t i = 1; i <= 20; i++) {
        writer.snapshot_sites[0][i] =
            (struct trace_snapshot_site){.allocations = i, .allocated_bytes = 2048 * i, .temporary = i / 4};
        writer.snapshot_sites[1][i] =
            (struct trace_snapshot_site){.allocations = 5 * i, .allocated_bytes = 4096 * i,
                                         .frees = i > 10 ? i : 0, .freed_bytes = i > 10 ? 4000 * i : 0,
                                         .temporary = i / 2};
    }
    writer_save(&writer, "snapshots.trace");
}

int main(void)
{
    hostile();
    plain();
    snapshots();
    return 0;
}
EOC
check "the writer of traces builds" "$CC" -std=gnu11 -D_GNU_SOURCE -I"$root/shim" -I"$root/tests/unit" \
    -o make_traces make_traces.c "$root/tests/unit/trace_writer.c"
./make_traces

# ---- where it is written -----------------------------------------------------------------------------

run html demo.trace
check "the page has the trace's name, which is printed" eval '[ $status = 0 ] && [ "$(cat out)" = demo.html ]'
cp demo.html first.html
run html demo.trace
check "a page of ours is written again" eval '[ $status = 0 ] && cmp -s demo.html first.html'
run html -o - demo.trace
check "-o - is standard output" cmp -s out demo.html
echo precious >other.html
run html -o other.html demo.trace
check "another file is not overwritten" \
    eval '[ $status = 1 ] && says err "--force" && [ "$(cat other.html)" = precious ]'
run html --force -o other.html demo.trace
check "but by --force" eval '[ $status = 0 ] && cmp -s other.html demo.html'
mkfifo fifo.html
run html --force -o fifo.html demo.trace
check "a FIFO is left alone" eval '[ $status = 1 ] && says err "no regular file" && [ -p fifo.html ]'
run html -o missing/x.html demo.trace
check "a folder that is not there" \
    eval '[ $status = 1 ] && says err "missing/x.html: cannot be written: No such file"'
run html -o /dev/full demo.trace
check "a device is left alone" eval '[ $status = 1 ] && says err "no regular file"'
"$tracemalloc" html -o - demo.trace >/dev/full 2>err
status=$?
check "a full disk is told" eval '[ $status = 1 ] && says err "No space left"'
run html a b c
check "three traces are too many" eval '[ $status = 2 ] && says err "two to be compared"'
run html nothing.trace
check "no such trace" eval '[ $status = 1 ] && says err "nothing.trace: No such file"'
run html snapshots.trace@nothing
check "no such snapshot" eval '[ $status = 1 ] && says err "no snapshot '"'nothing'"'"'
run html snapshots.trace@one snapshots.trace@2
check "two snapshots are a page of their trace" eval '[ $status = 0 ] && [ "$(cat out)" = snapshots.html ] &&
    says snapshots.html "\"shown\":2,\"base\":1"'
run html snapshots.trace
run html old.trace new.trace
check "two traces are a page of their difference" eval '[ $status = 0 ] && [ "$(cat out)" = new.diff.html ]'
mv new.diff.html pair.html
run html --from representation_load --hide function=put --sort allocated -o part.html demo.trace
check "a view of the trace" eval '[ $status = 0 ] && says part.html "\"metric\":\"allocated\"" &&
    says part.html "selected: "'
run html --min-bytes 1K demo.trace
check "the page has no rows to leave out" eval '[ $status = 2 ] && says err "the page has all sizes"'
run html plain.trace
run html hostile.trace
check "nothing else is left behind" eval '[ -z "$(ls | grep -E "html\..+")" ]'
check "no name ends what it is written in" eval \
    '[ "$(grep -c "</script" hostile.html)" = "$(grep -c "</script" plain.html)" ]'
library="license https://github.com/danvk/dygraphs"
check "the timeline's library is only there with a timeline" \
    eval 'says snapshots.html "$library" && ! says plain.html "$library"'

# ---- in a browser ------------------------------------------------------------------------------------

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    skip "pages in a browser" "no chromium with chromedriver here"
elif ! /usr/bin/python3 -c 'import selenium' 2>/dev/null; then
    skip "pages in a browser" "no selenium for python3 here"
else
    /usr/bin/python3 -B "$root/tests/e2e/browse.py" "$tracemalloc" "$tmp" || failed=$((failed + 1))
fi
finish
