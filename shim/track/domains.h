// SPDX-License-Identifier: MIT
/*
 * Blocks of the program's own allocators, which it tells of: (domain, address) -> (site, size).
 *
 * They do not stand in the live-block map: a pool's block may have the address of the heap block that it is cut from.
 * Their call paths begin at a frame that bears the domain's name, in a module "[domain N]" that is no file; else they
 * count as any block does.
 */
#ifndef TRACK_DOMAINS_H
#define TRACK_DOMAINS_H

#include "blocks.h"
#include "../base/thread.h"

/* The frame of a domain; 0: no room.  Under world.tables. */
uint32_t domains_frame(uint32_t domain);

/*
 * Puts an entry in; *old: what was known of that block before, or site 0.  Returns what stands for the block as a
 * thread's latest (thread.last_born), which no heap block's address is; null: no memory, and nothing was changed.
 */
const void *domains_put(uint32_t domain, const void *block, struct block_entry entry, struct block_entry *old);

/* Takes an entry out, site 0: there is none.  *standing: as above. */
struct block_entry domains_take(uint32_t domain, const void *block, const void **standing);

/* The next two under world.tables, or alone. */
void domains_visit(void (*visit)(const void *block, struct block_entry entry, void *context), void *context);
void domains_forget(void);

#endif
