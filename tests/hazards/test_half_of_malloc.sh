#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that has a malloc and a free of its own, but no calloc; and one that only seems to have a malloc.
set -u
. tests/hazards/oracle.sh

says="malloc is that of $hazards/half_malloc: only what it passes on is recorded"
as_untraced "malloc and free alone" "$hazards/half_malloc"
says=
check "malloc and free alone: the report says so" \
    eval "'$tracemalloc' report '$trace' | grep -q '^malloc was that of .*half_malloc: only'"

gcc -g -O1 -fno-builtin -no-pie -fno-pie -o "$tmp/program" tests/hazards/sources/takes_address.c
as_untraced "malloc's address, in a program at a fixed one" "$tmp/program"
as_told "malloc's address, in a program at a fixed one"
finish
