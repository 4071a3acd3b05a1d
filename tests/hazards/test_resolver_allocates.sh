#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Code that the loader calls while it relocates allocates: in a library, before the recorder itself is
# relocated; in the program, after.
set -u
. tests/hazards/oracle.sh
library=$hazards/early_resolver.so
cp tests/hazards/sources/early.c tests/hazards/libs/early_resolver.c "$tmp" && cd "$tmp" || exit 1

for binding in lazy now; do
    gcc -g -O1 -fno-builtin -Wl,-z,$binding -o program early.c "$library" -Wl,-rpath,"$hazards"
    as_untraced "in a library, bound $binding" "$tmp/program"
    as_told "in a library, bound $binding"
    gcc -g -O1 -fno-builtin -Wl,-z,$binding -o program early.c early_resolver.c
    as_untraced "in the program, bound $binding" "$tmp/program"
    as_told "in the program, bound $binding"
done
finish
