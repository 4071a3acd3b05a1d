// SPDX-License-Identifier: MIT
/*
 * The recorder's own memory: never the program's heap.
 *
 * Small pieces are cut from chunks and never come back (tables only grow); large ones are mappings of
 * their own.  Zeroed, aligned to 64 bytes from 64 bytes on, else to 16.  Any thread.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Null when there is no memory. */
void *arena_alloc(size_t size);

/* size is that of the allocation. */
void arena_free(void *p, size_t size);

/* The same, but the addresses stay readable, as zeros. */
void arena_empty(void *p, size_t size);

/* Address space that counts only where it is touched; for sparse tables. */
void *arena_reserve(size_t size);

/* Bytes handed out by arena_alloc, in all. */
uint64_t arena_bytes(void);

#endif
