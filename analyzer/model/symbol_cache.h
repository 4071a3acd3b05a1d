// SPDX-License-Identifier: MIT
/*
 * What was found out about the addresses of an ELF file, kept from one run to the next: one file for each
 * build-id in $XDG_CACHE_HOME/tracemalloc (or ~/.cache/tracemalloc).  While there is an ELF file it is believed
 * only for the very one that it was made from, and only if it is whole; otherwise it is made anew.  A place where it cannot be kept
 * is no error.  Several analyzers may use it at once: files are replaced, never changed.
 */
#ifndef MODEL_SYMBOL_CACHE_H
#define MODEL_SYMBOL_CACHE_H

#include <sys/stat.h>

#include "model/debuginfo.h"

#define SYMBOL_CACHE_MOST (UINT64_C(256) << 20) /* bytes of all its files; those not used for longest go */

struct symbol_cache;

/* From now on nothing is read from a cache or written to one. */
void symbol_cache_disable(void);

/* What is known of the file with this build-id and status, to be closed.  Null if nothing can be kept of it: it
   has no build-id, or caching is disabled, or there is no directory for it.  file null: it is no more; nothing is
   to be added then. */
struct symbol_cache *symbol_cache_open(const uint8_t *build_id, size_t build_id_size,
                                       const struct stat *file);

/* What is kept of an address: how many places, 0 if nothing.  Their strings live as long as the cache. */
size_t symbol_cache_find(const struct symbol_cache *cache, uint64_t address,
                         struct place places[DEBUGINFO_DEEPEST]);

/* Notes what is at an address; nothing of `places` is needed afterwards. */
void symbol_cache_add(struct symbol_cache *cache, uint64_t address, const struct place *places, size_t count);

/* Frees it (null: nothing); `save`: first writes what was added beside what was there. */
void symbol_cache_close(struct symbol_cache *cache, bool save);

#endif
