// SPDX-License-Identifier: MIT
/* From the shards' counters to the figures of sites and the totals. */
#ifndef MODEL_FIGURES_H
#define MODEL_FIGURES_H

#include "model/reader.h"
#include "model/trace.h"

/*
 * Sums are formed modulo 2^64: one shard's current may be negative, and a damaged file may say
 * anything.  Only the finished sum of a site is read as a signed number; a counter that was torn while
 * it was read can leave it below zero, which is shown as zero.
 */
struct counts {
    uint64_t allocations, allocated_bytes, frees, freed_bytes;
    uint64_t inherited_blocks, inherited_bytes;
    uint64_t peak_blocks, peak_bytes;
    uint64_t reallocations, temporary;
};

/* Adds what a counter says while the header has this epoch. */
void counts_add(struct counts *counts, const struct trace_counter *counter, uint64_t epoch);

/* Adds a spill of the site. */
void counts_spill(struct counts *counts, const struct trace_spill *spill);

/* The figures of a site; its peak is that which was saved, even if the peak is now. */
struct figures counts_figures(const struct counts *counts);

/* Fills in trace->sites[].figures, trace->totals and trace->truncated_allocations.  On failure these are as
   before. */
bool figures_read(struct trace *trace, struct reader *reader, struct failure *why);

/* The same, as they were at a snapshot. */
bool figures_read_snapshot(struct trace *trace, const struct snapshot *snapshot, struct reader *reader,
                           struct failure *why);

#endif
