#!/bin/bash
# SPDX-License-Identifier: MIT
#
# <tracemalloc_cmocka.h>, as it is installed: tests that pass, tests that fail as they should, no recorder.
set -u
. tests/lib.sh
make -s O="$build" DEPS=skip DESTDIR="$tmp/root" PREFIX=/usr install >"$tmp/log" 2>&1
export PKG_CONFIG_PATH=$tmp/root/usr/lib/pkgconfig
# shellcheck disable=SC2046
check "compiles without a warning" "${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Werror -O1 -g -fno-builtin \
    -pthread $(pkg-config --cflags tracemalloc) -o "$tmp/heap_tests" tests/e2e/heap_tests.c $(pkg-config --libs cmocka)
cd "$tmp" || exit 1

# run_tests WHICH [COMMAND...]: sets status, and the file out
run_tests() {
    local which=$1
    shift
    CMOCKA_MESSAGE_OUTPUT=STDOUT "$@" ./heap_tests "$which" >out 2>&1
    status=$?
}
recorder="$tracemalloc run -q -o $tmp/trace"
names() { sed -nE "s/^static void ([a-z_]+)\(void \*\*state\)/\1/p" "$OLDPWD/tests/e2e/heap_tests.c"; }
marked() { sed -nE "s/^\[ +($1) +\] ([a-z_]+)$/\2/p" out | sort -u | paste -sd ' '; }

passing=$(names | sed '/a_block_leaks/,$d' | sort | paste -sd ' ')
failing=$(names | sed '1,/threads_count/d; /no_setup/d' | sort | paste -sd ' ')

run_tests passing $recorder
same "those that shall pass do" "0 $passing" "$status $(marked OK)"
run_tests failing $recorder
same "those that shall fail do" "6 $failing" "$status $(marked 'FAILED|ERROR')"
while read -r text; do
    check "said: $text" grep -qF "ERROR: $text" out
done <<END
since the test began live blocks are 1 more, bytes 24
since the test began live blocks are 1 more, bytes 0
since the test began live blocks are 1 more, bytes 48
since the test began the peak is 100 bytes more, not below 100
since the test began allocations are 2, not 1
since the test began allocations are 1, not 2
END
check "with the place" grep -qE 'heap_tests.c:[0-9]+: error: Failure!' out
run_tests unprepared $recorder
check "no setup is a failure" eval '[ $status = 1 ] && grep -q "assert_no_leaks: there was no tracemalloc_test_setup" out'

run_tests passing
same "without the recorder: skipped, not failed" "0 $passing" "$status $(marked SKIPPED)"
check "and why" grep -qE 'heap_tests.c:[0-9]+: assert_no_leaks: the heap is not recorded' out
run_tests failing
same "a teardown passes then" "0 the_teardown_sees_a_leak" "$status $(marked OK)"
finish
