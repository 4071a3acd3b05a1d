#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Thread-local storage, which comes late, and the ends of threads and of the process, where others clear up.
set -u
. tests/hazards/lib.sh

libraries=()
for i in $(seq 100); do
    cp "$hazards/thread_local.so" "$tmp/local$i.so"
    libraries+=("$tmp/local$i.so")
done
unhurt "100 libraries with thread-local storage" "" "$hazards/thread_locals" "${libraries[@]}"
unhurt "allocations at the end of threads and of the process" "" "$hazards/ends_late" "$hazards/late.so"
unhurt "a thread that goes on when main has ended" "" "$hazards/ends_late" "$hazards/late.so" after
same "... its status" "exited 3" "$(json .state)"
finish
