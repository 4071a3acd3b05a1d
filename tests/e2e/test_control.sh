#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that steers its own recording, and one that is steered from outside: figures of known truth.
set -u
. tests/lib.sh
program=$programs/steered

# steers WHAT EXPECTED [OPTIONS]: what the program says of itself.
steers() { same "$1" "$2" "$(traced "${3:-}" timeout 60 "$program" $1)"; }

# ---- by itself ----

steers stops "before: 1 400 400
stopped: 0 400 400
freed one: 0 300 400
moved one: 0 200 400
moved what is unknown: 0 200 400
started: 1 207 400
freed what is unknown: 1 207 400
one is left: 1 100 400"
