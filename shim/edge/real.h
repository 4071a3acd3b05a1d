// SPDX-License-Identifier: MIT
/*
 * The real allocation functions: the next ones behind ours in the loader's order.
 */
#ifndef EDGE_REAL_H
#define EDGE_REAL_H

#include "../base/sys.h"

/*
 * Looked up when the first hook is called, all at once: dlsym clears what dlerror() has to tell, which later on
 * is the program's, and calls the heap when it finds nothing.  Whatever is called meanwhile is served by the
 * bootstrap buffer.
 */
struct real {
    void (*free_sized)(void *block, size_t size);       /* C23: null where libc has none */
    void (*free_aligned_sized)(void *block, size_t alignment, size_t size);
    int (*posix_memalign)(void **block, size_t alignment, size_t size);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void *(*valloc)(size_t size);
    void *(*pvalloc)(size_t size);
    size_t (*malloc_usable_size)(void *block);
    int (*prctl)(int option, ...);
    int (*prlimit64)(int pid, int resource, const void *limit, void *old);      /* setrlimit is made of it */
    void *(*mmap)(void *at, size_t size, int prot, int flags, int fd, off_t offset);
    void *(*mmap64)(void *at, size_t size, int prot, int flags, int fd, off64_t offset);
    int (*munmap)(void *start, size_t size);
    void *(*mremap)(void *start, size_t size, size_t new_size, int flags, ...);
    void *(*malloc)(size_t size);
    void (*free)(void *block);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
};
extern struct real real hidden;

bool real_start(void);

/* The function of that name that comes next behind ours; null: there is none. */
void *real_next(const char *name);

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
enum { BOOTSTRAP_SIZE = 256 * 1024 };
extern char bootstrap_buffer[BOOTSTRAP_SIZE] hidden;

void *bootstrap_alloc(size_t size, size_t alignment);

static inline bool bootstrap_owns(const void *block)
{
    return (uintptr_t)block - (uintptr_t)bootstrap_buffer < BOOTSTRAP_SIZE;
}

size_t bootstrap_size(const void *block);

#endif
