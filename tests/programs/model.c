// SPDX-License-Identifier: MIT
/*
 * model EVENTS SEED THREADS [plain|snapshots]: random events over all functions of the malloc family, at 16 sites,
 * with a recorder beside them that is too simple to be wrong: it keeps every site's figures, and copies them all
 * whenever the live bytes reach a new maximum.  Several threads take turns, so that the order is known.  plain:
 * only what other tools know and count alike: neither memalign, pvalloc nor realloc, nothing of 0 bytes, nothing
 * that fails.  snapshots: takes one at each eighth of the events, "1" to "7", with lines of its own.
 *
 * Prints a line a site: allocations, bytes, frees, reallocations, temporary, blocks and bytes live at the
 * end, blocks and bytes at the peak.  Those of a snapshot begin with its label and @.
 */
#include "tracemalloc.h"
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SITES = 16, SLOTS = 4096, THREADS_MAX = 8 };

enum function {
    MALLOC, CALLOC, REALLOC, POSIX_MEMALIGN, ALIGNED_ALLOC, VALLOC, MEMALIGN, PVALLOC, FUNCTIONS
};

/* --- the reference ------------------------------------------------------------------------------------- */

struct figures {
    long allocations, bytes, frees, reallocations, temporary, blocks, live;
};

static struct figures figures[SITES], at_peak[SITES];
static long live, peak;

static struct block {
    void *at;
    size_t size;
    int site;
} slots[SLOTS];

/* The block of a thread's latest event, if that was an allocation. */
static void *last_born[THREADS_MAX];
static __thread int me;

static void after_event(void)
{
    if (live > peak) {
        peak = live;
        memcpy(at_peak, figures, sizeof figures);
    }
}

static void count_birth(struct block *block, void *at, size_t size, int site)
{
    *block = (struct block){at, size, site};
    figures[site].allocations++;
    figures[site].bytes += (long)size;
    figures[site].blocks++;
    figures[site].live += (long)size;
    live += (long)size;
    last_born[me] = at;
}

static void count_death(struct block *block)
{
    struct figures *f = &figures[block->site];
    f->frees++;
    f->blocks--;
    f->live -= (long)block->size;
    f->temporary += last_born[me] == block->at;
    live -= (long)block->size;
    last_born[me] = NULL;
    block->at = NULL;
}

/* --- the sites: the same code in functions of their own ------------------------------------------------ */

static void *call(enum function function, void *old, size_t size, size_t alignment)
    __attribute__((always_inline));
static inline void *call(enum function function, void *old, size_t size, size_t alignment)
{
    void *block = NULL;
    switch (function) {
    case CALLOC:
        return calloc(size ? 1 : 0, size);
    case REALLOC:
        return realloc(old, size);
    case POSIX_MEMALIGN:
        return posix_memalign(&block, alignment, size) ? NULL : block;
    case ALIGNED_ALLOC:
        return aligned_alloc(alignment, size);
    case MEMALIGN:
        return memalign(alignment, size);
    case VALLOC:
        return valloc(size);
    case PVALLOC:
        return pvalloc(size);
    default:
        return malloc(size);
    }
}

#define SITE(n)                                                                                              \
    __attribute__((noinline)) void *site_##n(enum function function, void *old, size_t size, size_t alignment); \
    void *site_##n(enum function function, void *old, size_t size, size_t alignment)                         \
    {                                                                                                        \
        void *block = call(function, old, size, alignment);                                                  \
        __asm__ volatile("" : "+r"(block));                                                                  \
        return block;                                                                                        \
    }

SITE(0) SITE(1) SITE(2) SITE(3) SITE(4) SITE(5) SITE(6) SITE(7)
SITE(8) SITE(9) SITE(10) SITE(11) SITE(12) SITE(13) SITE(14) SITE(15)

static void *(*const sites[SITES])(enum function, void *, size_t, size_t) = {
    site_0, site_1, site_2, site_3, site_4, site_5, site_6, site_7,
    site_8, site_9, site_10, site_11, site_12, site_13, site_14, site_15,
};

/* --- random events --------------------------------------------------------------------------------------- */

static uint64_t state;
static size_t volatile impossible = SIZE_MAX / 2;
static bool plain;

static uint64_t below(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
}

static size_t some_size(void)
{
    return below(50) == 0 ? below(300000) + plain : below(10) == 0 ? plain : below(400) + plain;
}

static void allocate(struct block *block)
{
    int site = (int)below(SITES);
    size_t size = some_size();
    enum function function = (enum function)below(plain ? MEMALIGN : FUNCTIONS);
    void *at = sites[site](function, NULL, size, (size_t)16 << below(8));
    if (!at)
        abort();
    count_birth(block, at, size, site);
}

static void resize(struct block *block)
{
    int site = (int)below(SITES);
    size_t size = some_size();
    void *at = sites[site](REALLOC, block->at, size, 0);
    if (!at && size)
        abort();
    count_death(block);
    if (at) {
        count_birth(block, at, size, site);
        figures[site].reallocations++;
    }
}

static void fail(struct block *block)
{
    int site = (int)below(SITES);
    enum function function = (enum function)below(FUNCTIONS);
    if (sites[site](function == REALLOC || below(2) ? REALLOC : function, block->at, impossible, 16))
        abort();
}

static void event(void)
{
    struct block *block = &slots[below(SLOTS)];
    unsigned kind = (unsigned)below(100);
    if (kind == 0 && !plain)
        fail(block);
    else if (!block->at)
        allocate(block);
    else if (kind < 30 && !plain)
        resize(block);
    else {
        void *at = block->at;
        count_death(block);
        free(at);
    }
    after_event();
    if (kind > 90 && !block->at) {
        allocate(block);
        after_event();
        void *at = block->at;
        count_death(block);
        free(at);
    }
}

/* --- threads, by turns ------------------------------------------------------------------------------------ */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long events, done;
static int threads, turn;

static bool snapshots;

static void print_figures(const char *before)
{
    for (int i = 0; i < SITES; i++) {
        const struct figures *f = &figures[i];
        printf("%ssite_%d %ld %ld %ld %ld %ld %ld %ld %ld %ld\n", before, i, f->allocations, f->bytes, f->frees,
               f->reallocations, f->temporary, f->blocks, f->live, at_peak[i].blocks, at_peak[i].live);
    }
}

static void snapshot_if_due(void)
{
    char label[24], before[24];
    if (!snapshots || !done || done % (events / 8) || done == events)
        return;
    snprintf(label, sizeof label, "%ld", done / (events / 8));
    snprintf(before, sizeof before, "%s@", label);
    if (tracemalloc_take_snapshot(label))
        abort();
    print_figures(before);
}

static void *worker(void *argument)
{
    me = (int)(intptr_t)argument;
    pthread_mutex_lock(&mutex);
    while (done < events) {
        while (turn != me && done < events)
            pthread_cond_wait(&changed, &mutex);
        for (int i = 0; i < 100 && done < events; i++, done++) {
            snapshot_if_due();
            event();
        }
        turn = (int)below((uint64_t)threads);
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(int argc, char **argv)
{
    static char buffer[1 << 16];        /* else stdio would ask for one of its own */
    if (argc < 4)
        return 2;
    plain = argc > 4 && !strcmp(argv[4], "plain");
    snapshots = argc > 4 && !strcmp(argv[4], "snapshots");
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    events = atol(argv[1]);
    state = strtoull(argv[2], NULL, 10) * 2 + 1;
    threads = atoi(argv[3]);
    if (threads == 1) {
        worker(NULL);
    } else {
        pthread_t ids[THREADS_MAX];
        for (int i = 0; i < threads; i++)
            pthread_create(&ids[i], NULL, worker, (void *)(intptr_t)i);
        for (int i = 0; i < threads; i++)
            pthread_join(ids[i], NULL);
    }
    print_figures("");
    return 0;
}
