#!/bin/sh
# SPDX-License-Identifier: MIT
# The main job, as a user would type it: run.sh BUILD.
# The dynamic loader ignores a missing preload silently: no trace is a failure.
cd "$1" || exit 1
before=$(ls tracemalloc.demo.*.trace* 2>/dev/null | wc -l)
echo '$ LD_PRELOAD=libtrace.so ./demo cta.csv'
LD_PRELOAD=libtrace.so ./demo cta.csv || exit 1
if [ "$(ls tracemalloc.demo.*.trace* 2>/dev/null | wc -l)" -le "$before" ]; then
    echo "demo: the recorder left no trace in $PWD" >&2
    exit 1
fi
echo
echo '$ ./tracemalloc report'
./tracemalloc report
