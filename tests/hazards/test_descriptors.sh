#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Descriptors are the program's: it may close all of them, and find those of the standard streams closed.
set -u
. tests/hazards/lib.sh

limited "$hazards/descriptors" "$tmp/out.0"
recording "" "$hazards/descriptors" "$tmp/out"
status=$?
same "all closed, and used again: as untraced" "0 $(cat "$tmp/out.0")" "$status $(cat "$tmp/out")"
complete "all closed, and used again"
same "... their numbers" "3: 4 5 6 7 8 9 10 11, 0 wrong" "$(sed -n "1s/^[0-9]*, //p" "$tmp/out")"
check "... the file grew meanwhile" [ "$(stat -c %s "$tmp/trace")" -gt 131072 ]

limited "$hazards/descriptors" "$tmp/out.0" <&- >&- 2>&-
recording "" "$hazards/descriptors" "$tmp/out" <&- >&- 2>&-
status=$?
same "closed standard streams: as untraced" "0 $(cat "$tmp/out.0")" "$status $(cat "$tmp/out")"
complete "closed standard streams"
same "... their numbers" "0: 1 2 3 4 5 6 7 8, 0 wrong" "$(sed -n "1s/^[0-9]*, //p" "$tmp/out")"
finish
