#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a trace names as a module may be anything: the report ends soon, takes no more memory than its due, and
# opens nothing that is no file.
set -u
. tests/lib.sh
CC=${CC:-cc}
root=$PWD
cd "$tmp" || exit 1

cat >make_trace.c <<'END'
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "trace_writer.h"

/* make_trace FILE MODULE ADDRESS...: a site at each address of the module, which is known by size and time; below
   each are as many frames more as there is room for, at the first address. */
int main(int argc, char **argv)
{
    static struct trace_writer writer;
    struct stat stat_buffer;
    writer_start(&writer);
    uint32_t module = writer_module(&writer, argv[2]);
    if (stat(argv[2], &stat_buffer) == 0) {
        writer.modules[module].file_size = (uint64_t)stat_buffer.st_size;
        writer.modules[module].file_mtime_ns = (uint64_t)stat_buffer.st_mtim.tv_sec * 1000000000 +
                                               (uint64_t)stat_buffer.st_mtim.tv_nsec;
    }
    uint32_t path = TRACE_NODE_ROOT, first = writer_frame(&writer, module, strtoull(argv[3], NULL, 16));
    while (writer.node_count < 40)
        path = writer_node(&writer, path, first);
    for (int i = 3; i < argc; i++) {
        uint32_t frame = i == 3 ? first : writer_frame(&writer, module, strtoull(argv[i], NULL, 16));
        uint32_t site = writer_site(&writer, writer_node(&writer, path, frame));
        *writer_counter(&writer, 0, site) =
            (struct trace_counter){.allocations = 1, .allocated_bytes = (uint64_t)(1000 - i)};
    }
    writer_save(&writer, argv[1]);
    return 0;
}
END
check "the writer of traces builds" "$CC" -std=gnu11 -D_GNU_SOURCE -I"$root/shim" -I"$root/tests/unit" \
    -o make_trace make_trace.c "$root/tests/unit/trace_writer.c"

# Runs a command for a minute at most; prints its exit status and how many MB it took.
cat >measured.py <<'END'
import resource, subprocess, sys
status = subprocess.run(["timeout", "60"] + sys.argv[1:], stdin=subprocess.DEVNULL).returncode
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
END

# report OPTIONS...: of the trace; sets status and megabytes, and the files out and err
report() {
    read -r status megabytes < <(python3 measured.py "$tracemalloc" report "$@" trace 2>err 3>&1 >out 1>&3)
}
