#!/bin/bash
# SPDX-License-Identifier: MIT
#
# An executable with pages between its segments that belong to none, as the linker leaves them now and then (GNU
# make and node of Debian 12 have some).  For such a one the loader tells only the segment that an address is in.
set -u
. tests/lib.sh

${CC:-gcc} -g -O1 -fno-builtin -Wl,--section-start=.data=0x400000 -o "$tmp/gap" tests/programs/peak.c || exit 1
traced "" "$tmp/gap"
same "whole stacks" "0 592" "$(json '"\(.totals.truncated_stacks) \(.totals.allocations)"')"
same "names" "10000 500000 0" "$(of low peak_bytes) $(of high peak_bytes) $(of tail peak_bytes)"
same "the file is known again" "" "$("$tracemalloc" report "$tmp/trace" 2>&1 >/dev/null)"
finish
