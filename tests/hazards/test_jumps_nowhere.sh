#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Stacks whose innermost or interrupted frame is no code at all.
set -u
. tests/hazards/lib.sh

unhurt "calls of 0 and of what is no code" "" "$hazards/jumps_nowhere"
finish
