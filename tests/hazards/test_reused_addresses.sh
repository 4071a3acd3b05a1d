#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Blocks that are freed, and their addresses given to another thread, before the recorder is done with them.
set -u
. tests/hazards/lib.sh
preload=$faulty
export GLIBC_TUNABLES=glibc.malloc.tcache_count=0

unhurt "addresses that come back at once" "" "$hazards/reused_addresses"
finish
