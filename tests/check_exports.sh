#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What libtrace.so exports, needs and may not contain.
set -u
. tests/lib.sh

listed=$(sed '/\/\*/d; /local:/,$d' shim/exports.map | grep -oE '\b(_Z|[a-z])[A-Za-z0-9_]+ *;' | tr -d ' ;' | sort)
exported=$(nm -D --defined-only "$lib" | awk '{print $NF}' | sort)
same "exports are exactly the list" "$listed" "$exported"
same "needs libc and the loader, nothing else" "ld-linux-x86-64.so.2 libc.so.6" \
    "$(objdump -p "$lib" | awk '/NEEDED/ {print $2}' | sort | xargs)"
same "thread-local storage is initial-exec: no call to __tls_get_addr" "" \
    "$(readelf -rW "$lib" | grep -E 'DTPMOD|TLSDESC')"
same "points at which tests hold it up are in another library" "" \
    "$(nm -D "$lib" | grep -E 'libtrace_(point|call)')"
# Cancellation points would make malloc one; and all of these may be interposed by others.
same "no cancellable or descriptor-making function of libc" "" \
    "$(nm -D --undefined-only "$lib" | awk '{sub(/@.*/, "", $2); print $2}' |
        grep -xE 'open|openat|close|read|write|pread|pwrite|fopen|printf|fprintf|usleep|nanosleep|poll|select|fcntl|waitpid|pthread_create' | xargs)"
finish
