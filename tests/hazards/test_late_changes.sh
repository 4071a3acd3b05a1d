#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that changes its directory, its root or its user: what is recorded goes on; a child that has no
# file yet has it where it would have been, or none, and nobody is hurt.
set -u
. tests/hazards/oracle.sh
trace=
mkdir -m 755 "$tmp/other"

# files: allocations of before and after in each file of the traced program.
files() {
    for file in "$tmp"/traced/tracemalloc.* "$tmp"/other/tracemalloc.* "$tmp"/moved/tracemalloc.*; do
        [ -e "$file" ] && echo "$(of before allocations "$file") $(of after allocations "$file")"
    done | sort
}

# late NAME FILES WHO HOW [DIRECTORY]
late() {
    local name=$1 expected=$2
    shift 2
    rm -rf "$tmp"/*traced "$tmp/moved" "$tmp"/other/*
    mkdir "$tmp/untraced" "$tmp/traced"
    as_untraced "$name" "$hazards/late" "$@"
    same "$name: files" "$expected" "$(files)"
}

both="0 1500
1 0"
late "its directory: itself" "1 1500" self chdir "$tmp/other"
late "its directory: a child" "$both" child chdir "$tmp/other"
if [ "$(id -u)" = 0 ]; then
    late "its root: itself" "1 1500" self chroot "$tmp/other"
    late "its root: a child" "1 0" child chroot "$tmp/other"
    late "its user: itself" "1 1500" self setuid
    late "its user: a child" "1 0" child setuid
else
    skip "its root, its user" "not root"
fi
late "its directory is moved: itself" "1 1500" self moved "$tmp/moved"
late "its directory is moved: a child" "1 0" child moved "$tmp/moved"

# ---- unwritable from the start ----
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$tmp"
    rm -rf "$tmp"/*traced
    mkdir -m 755 "$tmp/untraced" "$tmp/traced"
    in_place untraced setpriv --reuid 65534 --clear-groups "$hazards/late" self chdir /
    in_place traced setpriv --reuid 65534 --clear-groups env LD_PRELOAD="$lib" "$hazards/late" self chdir /
    same "an unwritable directory: as untraced" \
        "$(cat "$tmp"/untraced.{status,out})" "$(cat "$tmp"/traced.{status,out})"
    same "an unwritable directory: one line" 1 "$(grep -cE \
        '^tracemalloc: not recording: cannot create /.*\.trace: permission denied$' "$tmp/traced.err")"
    same "an unwritable directory: and no other" 1 "$(wc -l <"$tmp/traced.err")"
else
    skip "an unwritable directory" "not root"
fi
finish
