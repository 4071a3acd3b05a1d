#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The loader's locks against the recorder's.
set -u
. tests/hazards/lib.sh

plugins=()
for i in 1 2 3 4; do
    cp "$hazards/calling_plugin.so" "$tmp/plugin$i.so"
    plugins+=("$tmp/plugin$i.so")
done
recording "" "$hazards/crossed_locks" "${plugins[@]}" >"$tmp/out" 2>"$tmp/err"
same "threads that load, and threads that allocate, wait for each other: they get done" "0 done" \
    "$? $(head -n 1 "$tmp/out")"
complete "threads that load, and threads that allocate"
finish
