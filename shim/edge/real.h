// SPDX-License-Identifier: MIT
/*
 * The real allocation functions: the next ones behind ours in the loader's order.
 */
#ifndef EDGE_REAL_H
#define EDGE_REAL_H

#include "../base/sys.h"

/* Looked up when the first hook is called.  Whatever is called meanwhile is served by the bootstrap
   buffer. */
struct real {
    void *(*malloc)(size_t);
    void (*free)(void *);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
};
extern struct real real hidden;

bool real_start(void);

/* The function of that name that comes next behind ours; null: there is none. */
void *real_next(const char *name);

/* The same, looked up once; *place remembers it.  Null: there is none. */
void *real_find(void **place, const char *name);

/* Are both provided by the same library? */
bool real_same_module(const void *a, const void *b);

/* Whose malloc the program calls, if it is not ours: a library before us, or "", the program itself.  What
   that serves, unless it passes it on to us, we do not see.  Null: it is ours. */
const char *real_first_malloc(void);

/* The least distance of two blocks: 32 where they come from glibc's malloc, whose smallest chunk that is; others
   have classes of 8 bytes. */
unsigned real_granule(void);

/*
 * Blocks for callers that come before the real functions are known, from a fixed buffer.  They are never
 * given back and not counted.
 */
void *bootstrap_alloc(size_t size, size_t alignment);
bool bootstrap_owns(const void *block);
size_t bootstrap_size(const void *block);

#endif
