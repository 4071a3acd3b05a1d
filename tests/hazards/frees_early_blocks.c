// SPDX-License-Identifier: MIT
/*
 * frees_early_blocks: what libraries allocated before main is used, and freed, here; and a dlsym that fails
 * leaves its message.
 */
#include "counted.h"
#include <dlfcn.h>
#include <malloc.h>
#include <string.h>


static long wrong;

static void *use(void *block, size_t size, int content)
{
    for (size_t i = 0; block && i < size; i++)
        wrong += ((char *)block)[i] != content;
    wrong += !block || malloc_usable_size(block) < size;
    return block;
}

static void free_early(void **blocks)
{
    free(use(blocks[0], 64 * 1024, 1));
    void *grown = use(realloc(use(blocks[1], 64 * 1024, 2), 128 * 1024), 64 * 1024, 2);
    free(use(realloc(grown, 10), 10, 2));
    free(use(blocks[2], 300, 3));
    free(use(blocks[3], 10000, 0));
}

/* Half of them grow first. */
static void free_of_dlvsym(void **blocks)
{
    for (int i = 0; i < 4; i++) {
        void *block = use(blocks[i], 300, 1);
        free(i % 2 ? use(realloc(block, 1000), 300, 1) : block);
    }
}

int main(void)
{
    void **early = (void **)dlsym(RTLD_DEFAULT, "early_blocks");
    void **of_dlvsym = (void **)dlsym(RTLD_DEFAULT, "dlvsym_blocks");
    if (early)
        free_early(early);
    if (of_dlvsym && of_dlvsym[0])
        free_of_dlvsym(of_dlvsym);
    dlerror();
    void *missing = dlsym(RTLD_DEFAULT, "no_such_function");
    const char *message = dlerror();
    printf("%ld wrong, %s, %s\n", wrong, missing ? "found" : "not found", message ? message : "no message");
    counted_free(counted_malloc(10), 10);
    counted_print();
    return 0;
}
