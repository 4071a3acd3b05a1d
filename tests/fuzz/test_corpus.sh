#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a fuzzer began with or found, and a small trace and a small program cut at every byte, with every bit
# flipped: no crash, no sanitizer's finding, and no more than 64 MB.
set -u
build=${BUILD:-build}
status=0
for fuzzer in trace module; do
    "$build/tests/fuzz/replay_$fuzzer" tests/fuzz/corpus/$fuzzer/* || {
        echo "not ok - $fuzzer: the input after the last one named"
        status=1
    }
done
exit $status
