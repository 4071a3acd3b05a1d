#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Random calls of everything that allocates: what they return, where, with what errno and contents is as
# untraced, and the trace has every byte that they were asked for, site by site.  And what an allocation may
# not do to the program beside that.
#
# SEEDS="N ..." chooses others; `make fuzz-calls` takes many.
set -u
. tests/lib.sh
calls=20000

# Ways of the allocator, by turns.
tunings=("" glibc.malloc.tcache_count=0 glibc.malloc.perturb=165
    glibc.malloc.mmap_threshold=4096:glibc.malloc.mmap_max=1000)

for seed in ${SEEDS:-1 2 3 4 5 6}; do
    export GLIBC_TUNABLES=${tunings[seed % ${#tunings[@]}]}
    name="seed $seed${GLIBC_TUNABLES:+, $GLIBC_TUNABLES}"
    "$programs/calls" "$seed" $calls >"$tmp/expected"
    same "$name: the program runs" 0 $?
    traced "" "$programs/calls" "$seed" $calls >"$tmp/found"
    unset GLIBC_TUNABLES
    check "$name: results, alignment, errno, contents as untraced" diff "$tmp/expected" "$tmp/found"
    same "$name: blocks are large enough, aligned, and keep what is in them" "" \
        "$(grep -E 'small|aligned$|lost|not kept|not zero|another' "$tmp/found" | head -n 5)"
    check "$name: every figure of every site" diff <(grep ^site_ "$tmp/expected") <(site_figures)
    same "$name: nothing missed" "0 0" "$(json '"\(.totals.missed_events) \(.totals.truncated_stacks)"')"
done

# ---- the program's dlerror() ----
"$programs/dl_error" >"$tmp/expected"
traced "" "$programs/dl_error" >"$tmp/found"
check "dlerror() still tells what the program did wrong, whatever was called since" \
    diff "$tmp/expected" "$tmp/found"
same "the recorder's own questions to the loader are no blocks of the program's" "" \
    "$(json '.sites[].frames[] | select(.module // "" | endswith("/libtrace.so")) | .function')"

# ---- operator new that throws ----
for allocator in "" "$build/tests/hazards/operators.so"; do
    name="${allocator:+an allocator with operators of its own}"
    rm -f "$tmp/trace"
    LD_PRELOAD="$lib $allocator" LIBTRACE_OPTIONS=out=$tmp/trace "$programs/refused" >/dev/null
    same "${name:-libstdc++}: after a bad_alloc everything is counted, once" "1000 10000 500 4000 250 2000" \
        "$(for f in 'deeper(int)' 'objects()'; do of $f allocations; of $f allocated_bytes; done | xargs) \
$(of 'objects()' frees) $(of 'objects()' current_bytes)"
done
finish
