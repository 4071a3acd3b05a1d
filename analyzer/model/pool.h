// SPDX-License-Identifier: MIT
/* Strings that are kept once, however often they are met. */
#ifndef MODEL_POOL_H
#define MODEL_POOL_H

#include <obstack.h>
#include <stddef.h>

struct pool {
    struct obstack memory;
    struct pooled *strings; /* by what they say */
};

void pool_start(struct pool *pool);

void pool_free(struct pool *pool);

/* The pool's own copy of a string, which lives as long as the pool; the same one for the same string. */
const char *pool_keep(struct pool *pool, const char *string, size_t size);

#endif
