#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Limits of file sizes, descriptors and memory, from the start or set by the program itself: no signal, and no
# malloc fails; what cannot be recorded is said.
set -u
. tests/hazards/oracle.sh
readable() { totals .allocations >/dev/null; }

# ---- file sizes: SIGXFSZ would end the program ----
for blocks in 0 63; do
    limits="-f $blocks" says="not recording: cannot create $trace: the limit of file sizes"
    as_untraced "files of $blocks KiB" "$hazards/many_sites" 2000
    check "files of $blocks KiB: none is left" [ ! -e "$trace" ]
done
says=
for blocks in 64 128 300 10000; do
    limits="-f $blocks"
    as_untraced "files of $blocks KiB" "$hazards/many_sites" 2000
    check "files of $blocks KiB: no larger" [ "$(stat -c %s "$trace")" -le $((blocks * 1024)) ]
    check "files of $blocks KiB: readable" readable
done
as_told "files of 10000 KiB"
limits=

# ---- set later: the file is there, or there is none yet ----
for how in fsize nofile as; do
    as_untraced "$how, set later" "$hazards/late" self $how
    as_told "$how, set later"
    as_untraced "$how, set by a child" "$hazards/late" child $how
    same "$how, set by a child: the parent's file" 1 "$(of before allocations)"
done
check "a child under a limit of memory has its file" [ -e "$trace.2" ]
as_untraced "a shell that limits itself" bash -c 'ulimit -v 300000; x=$(seq 1 200000); echo ${#x}; ls -d /; :'
finish
