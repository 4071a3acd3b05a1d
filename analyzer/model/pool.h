// SPDX-License-Identifier: MIT
/* Strings that are kept once, however often they are met. */
#ifndef MODEL_POOL_H
#define MODEL_POOL_H

#include <obstack.h>
#include <stddef.h>

struct pool {
    struct obstack memory;
    struct pooled *strings; /* by what they say */
    size_t room;            /* bytes of strings that still find room */
};

/* A pool for `room` bytes of strings. */
void pool_start(struct pool *pool, size_t room);

void pool_free(struct pool *pool);

/* The pool's own copy of a string, which lives as long as the pool; the same one for the same string;
   null if there is no room for it. */
const char *pool_keep(struct pool *pool, const char *string, size_t size);

#endif
