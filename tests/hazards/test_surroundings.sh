#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a process finds around itself is as without the recorder: no thread, descriptor or handler more; arguments
# and environment; where libraries are looked for.
set -u
. tests/hazards/lib.sh

unhurt "arguments, environment, threads, descriptors, signals, limits" "" "$hazards/surroundings" \
    "$hazards/arguments.so" one "two words" ""
same "... with one thread" "/proc/self/task: 3" "$(grep task: "$tmp/out")"

# The user who may do nothing else may still become root of a namespace; not a process of several threads.
if unshare -Ur true 2>/dev/null; then
    harmless "unshare -Ur" "" unshare -Ur sh -c "id -u; exit 3"
else
    skip "unshare -Ur" "namespaces are not permitted"
fi

mkdir -p "$tmp/library/below"
source=tests/hazards/sources/loads_its_own.c
gcc -shared -fPIC -w -DPLUGIN -o "$tmp/library/below/plugin.so" $source
cp "$tmp/library/below/plugin.so" "$tmp/library/below/elsewhere.so"
gcc -shared -fPIC -w -DLIBRARY -Wl,--enable-new-dtags -Wl,-rpath,'$ORIGIN/below' -o "$tmp/library/library.so" $source
gcc -w -o "$tmp/loads" $source
harmless "a plug-in found by its library's RUNPATH" "" "$tmp/loads" "$tmp/library/library.so"
same "... by nobody else's" "found by the library, not found by the program, local" \
    "$(paste -sd, "$tmp/out" | sed 's/,/, /g')"
finish
