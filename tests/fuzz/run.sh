#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh SECONDS FUZZER...: each for so long, from the inputs in corpus/ and those found earlier.  Ends at the
# first finding, which is left in a file.
set -u
build=${BUILD:-build/fuzz}
export UBSAN_OPTIONS=print_stacktrace=1
seconds=$1
shift
for fuzzer; do
    inputs=$build/inputs/$fuzzer
    mkdir -p "$inputs"
    echo "  FUZZ     $fuzzer, $seconds s; new inputs in $inputs"
    "$build/tests/fuzz/fuzz_$fuzzer" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -verbosity=0 \
        -print_final_stats=1 -artifact_prefix="$build/$fuzzer-" "$inputs" tests/fuzz/corpus/"$fuzzer" ||
        exit 1
done
