// SPDX-License-Identifier: MIT
#include "model/pool.h"

#include <stdlib.h>
#include <uthash.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

struct pooled {
    UT_hash_handle hh;
    char string[];
};

void pool_start(struct pool *pool, size_t room)
{
    obstack_init(&pool->memory);
    pool->strings = NULL;
    pool->room = room;
}

void pool_free(struct pool *pool)
{
    HASH_CLEAR(hh, pool->strings);
    obstack_free(&pool->memory, NULL);
}

const char *pool_keep(struct pool *pool, const char *string, size_t size)
{
    struct pooled *found;
    unsigned hash;
    HASH_VALUE(string, size, hash);
    HASH_FIND_BYHASHVALUE(hh, pool->strings, string, size, hash, found);
    if (found)
        return found->string;
    if (size >= pool->room)
        return NULL;
    pool->room -= size + 1;
    found = obstack_alloc(&pool->memory, sizeof(*found) + size + 1);
    memcpy(found->string, string, size);
    found->string[size] = 0;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, pool->strings, found->string, size, hash, found);
    return found->string;
}
