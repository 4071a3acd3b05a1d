// SPDX-License-Identifier: MIT
/*
 * Preloaded: a dlsym of its own, as overlays and wrappers of graphics libraries have.  Whoever asks it for
 * the next of a name gets the next behind this library, not behind himself.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

static void *volatile kept;

void *dlsym(void *handle, const char *name)
{
    static void *(*real)(void *, const char *);
    if (!real)
        real = (void *(*)(void *, const char *))(uintptr_t)dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
    kept = malloc(20);
    free(kept);
    return real(handle, name);
}
