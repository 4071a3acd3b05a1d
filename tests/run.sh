#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh TEST...: runs the tests, a line each; shows what failed; closes with the sums.
# A test prints "ok - ..." and "not ok - ..." lines (cmocka does when asked for TAP) and exits non-zero when
# one failed.
set -u
export CMOCKA_MESSAGE_OUTPUT=TAP
log=$(mktemp) || exit 1
trap 'rm -rf "$log" "$log.cache"' EXIT
export XDG_CACHE_HOME=$log.cache DEBUGINFOD_URLS=
passed=0 failed=0 skipped=0

for test; do
    begin=$(date +%s%N)
    timeout -k 10 "${TEST_TIMEOUT:-300}" "$test" >"$log" 2>&1 </dev/null
    status=$?
    seconds=$((($(date +%s%N) - begin) / 100000000))
    skips=$(grep -cE '^(not )?ok.*# SKIP' "$log")
    oks=$(grep -E '^ok' "$log" | grep -cv '# SKIP')
    bads=$(grep -E '^not ok' "$log" | grep -cv '# SKIP')
    [ $status != 0 ] && [ "$bads" = 0 ] && bads=1
    [ $status = 0 ] && [ $((oks + skips)) = 0 ] && bads=1
    printf '  %-7s %-40s %4d ok %3d failed %3d.%d s\n' TEST "${test##*/}" "$oks" "$bads" \
        $((seconds / 10)) $((seconds % 10))
    if [ "$bads" != 0 ]; then
        echo "  --- $test: exit status $status"
        grep -vE '^ok' "$log" | sed 's/^/  | /' | tail -n 60
    fi
    passed=$((passed + oks)) failed=$((failed + bads)) skipped=$((skipped + skips))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
