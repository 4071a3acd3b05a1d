#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Unwinding that is the program's own: exceptions, cancelled threads, threads that end themselves.
set -u
. tests/hazards/lib.sh

unhurt "C++ that throws, loaded by C; threads cancelled and ended" "" "$hazards/throws" "$hazards/throwing.so"
same "they unwind by libgcc's functions" "libgcc_s.so.1" "$(sed -n 2p "$tmp/out")"
unhurt "allocating is no cancellation point" "" "$hazards/cancelled"
same "the thread came to where it may be cancelled" "got there, cancelled" "$(head -n 1 "$tmp/out")"
finish
