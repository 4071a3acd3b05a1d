#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The recorder takes little of the stack that it is called on: 2 KiB at calls that it knows, 8 KiB at new ones.
set -u
. tests/hazards/lib.sh

unhurt "small stacks, and painted ones" "" "$hazards/small_stacks"
same "they were enough" "within, 10 handled, the child's status 0" "$(head -n 1 "$tmp/out")"
finish
