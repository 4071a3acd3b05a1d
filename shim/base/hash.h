// SPDX-License-Identifier: MIT
/*
 * uthash, in the recorder's own memory; the only includer of uthash.h.
 *
 * Out of memory is no reason to end the program: an item that could not be added has a null hh.tbl.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "arena.h"

#define HASH_NONFATAL_OOM           1
#define uthash_malloc(size)         arena_alloc(size)
#define uthash_free(p, size)        arena_free(p, size)
#include <uthash.h>

#endif
