#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The rules that were read or that libunwind taught, for every call's return address in big objects, are what elfutils reads from
# the same tables.  What a rule cannot say (a CFA by another register than rsp or rbp) is counted.
set -u
. tests/lib.sh

"$build/tests/compare_rules" >"$tmp/out" 2>&1
same "no rule differs" 0 $?
while read -r line; do
    check "${line#*/}" grep -q ' 0 wrong;' <<<"$line"
done < <(grep ' sites, ' "$tmp/out")
check "libc, libstdc++, python3, perl and bash were compared" \
    [ "$(grep -cE '(libc\.so|libstdc|python3|perl|bash).* sites, ' "$tmp/out")" -ge 5 ]
finish
