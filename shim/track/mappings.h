// SPDX-License-Identifier: MIT
/*
 * What the program has mapped itself: ranges of addresses -> mappings, each of one site.
 *
 * A mapping is born whole and may be unmapped in parts, from anywhere in it.  What is left of it are pieces, which do
 * not overlap those of others; it dies with the last of them.
 *
 * Addresses belong to nobody once they are unmapped: so a range is taken out of the books before the real call, and
 * put back if that fails.  Between the two only the taker knows of it.  What is mapped over is taken out afterwards.
 * (A fork between the two leaves its child with what another thread has taken as live: whether that was unmapped by
 * then nobody can tell.)
 *
 * The pieces are a treap by their start: a search tree whose shape is that of random insertion, whatever the program
 * does.  It is cut at an address, and joined again, in some twenty steps for 100,000 pieces, and without recursion:
 * the caller's stack may be small.
 */
#ifndef TRACK_MAPPINGS_H
#define TRACK_MAPPINGS_H

#include "blocks.h"
#include "../base/thread.h"

enum mapping_kind { MAPPING_ANONYMOUS, MAPPING_FILE, MAPPING_KINDS };

/* Whole pages; empty if start is end. */
struct range {
    uintptr_t start, end;
};

/* The pages that a call is about; empty where no kernel would have it so. */
struct range range_of(const void *start, size_t size);

/* What was taken out. */
struct taken {
    struct piece *pieces;       /* a treap of their own */
    uint32_t forgotten;         /* so many times all had been forgotten by then */
};

/* What comes of a mapping as one of its pieces is unmapped. */
struct mapping_loss {
    uint64_t bytes;
    uint32_t site;
    bool last;                  /* it dies */
    const void *standing;       /* for the mapping as a thread's latest (thread.last_born): no block's address */
};

/* The frame of a kind of mapping, outermost of the call paths of such; 0: no room.  Under world.tables. */
uint32_t mappings_frame(enum mapping_kind kind);

/* Puts a mapping in, where nothing is known.  Returns what stands for it, see above; null: no memory. */
const void *mappings_put(struct range range, uint32_t site, enum mapping_kind kind);

/* Takes out what is known of a range.  Where there is no memory to cut a piece in two it goes by its start, and that
   is counted as missed. */
struct taken mappings_take(struct range range);
void mappings_put_back(struct taken *taken);

/* Is it all that is left of one mapping, and nothing else? */
bool mappings_is_whole(const struct taken *taken);

/* The kind of the mapping at an address; if none is known there: anonymous. */
enum mapping_kind mappings_kind(const void *address);

/* One piece of those taken is unmapped for good.  False: there is none any more. */
bool mappings_lose(struct taken *taken, struct mapping_loss *loss);

/* The next two under world.tables, or alone. */
void mappings_visit(void (*visit)(const void *standing, struct block_entry entry, void *context), void *context);
void mappings_forget(void);

#endif
