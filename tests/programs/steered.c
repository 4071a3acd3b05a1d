// SPDX-License-Identifier: MIT
/*
 * steered WHAT: steers its own recording, and says what it finds; without a recorder all is 0.
 *
 *   stops         stop and start, with blocks that are freed and moved meanwhile
 *   resets        the peak, more than once
 *   clears        forgets all, with blocks that are freed afterwards
 *   limits        the depth of stacks
 *   sizes         of blocks
 *   threads N     as stops, resets and clears, while N threads allocate
 *   forks         a child starts what its parent had stopped
 *   off           is started with start=off
 *   waits         allocates 1000 bytes each millisecond until its standard input ends, and keeps every tenth block
 *   pools         tells of blocks that a pool cuts from the heap, and of an arena over mmap
 *   plugins A B   libraries that come and go while nothing is recorded, and that allocate while it is
 *   phases N      of N threads at once, within each other, with reallocs, and left without their end
 *   marks LABEL...   a mark of each label, a block of 100 bytes more before each
 *   idles         allocates once, and waits for its standard input to end
 *   many N        N times malloc and free
 */
#include "tracemalloc.h"
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define KEEP(block) __asm__ volatile("" : "+r"(block) : : "memory")

NOINLINE static void *before(size_t size)
{
    void *block = malloc(size);
    KEEP(block);
    return block;
}

NOINLINE static void *unseen(size_t size)
{
    void *block = malloc(size);
    KEEP(block);
    return block;
}

NOINLINE static void *after(size_t size)
{
    void *block = malloc(size);
    KEEP(block);
    return block;
}

/* What is live and was at the peak, since `base`, without what the program itself had before. */
static size_t base;

static void say(const char *what)
{
    size_t current, peak;
    tracemalloc_get_traced_memory(&current, &peak);
    printf("%s: %d %zd %zd\n", what, tracemalloc_is_tracing(), (ssize_t)(current - base), (ssize_t)(peak - base));
}

static void begin(void)
{
    size_t peak;
    tracemalloc_get_traced_memory(&base, &peak);
}

static void expect(const char *what, int result)
{
    if (result)
        printf("%s: %s\n", what, strerror(-result));
}

/* --- one thread ------------------------------------------------------------------------------------------- */

static void stops(void)
{
    void *known[4], *others[4];
    for (int i = 0; i < 4; i++)
        known[i] = before(100);
    say("before");
    expect("stop", tracemalloc_stop());
    expect("stop again", tracemalloc_stop());
    for (int i = 0; i < 4; i++)
        others[i] = unseen(1000);
    void *zeroed = calloc(10, 10), *moved = realloc(NULL, 50);
    say("stopped");
    free(known[0]);
    say("freed one");
    known[1] = realloc(known[1], 200);
    say("moved one");
    known[1] = realloc(known[1], 300);
    moved = realloc(moved, 3000);
    free(others[0]);
    say("moved what is unknown");
    expect("start", tracemalloc_start(0));
    expect("start again", tracemalloc_start(0));
    void *new = after(7);
    say("started");
    for (int i = 1; i < 4; i++)
        free(others[i]);
    free(zeroed);
    free(moved);
    free(known[1]);
    say("freed what is unknown");
    free(known[2]);
    free(new);
    say("one is left");
    KEEP(known[3]);
}

static void resets(void)
{
    void *a = before(1000), *b = before(50000);
    free(b);
    say("before");
    expect("reset", tracemalloc_reset_peak());
    say("reset");
    void *c = after(300), *d = after(20);
    say("higher");
    free(c);
    say("lower");
    expect("reset", tracemalloc_reset_peak());
    say("reset again");
    free(a);
    free(d);
    say("freed");
}

static void clears(void)
{
    void *a = before(1000), *b = before(500);
    expect("clear", tracemalloc_clear_traces());
    base = 0;
    say("cleared");
    printf("unknown: %d\n", tracemalloc_get_object_traceback(a, NULL, 0));
    free(a);
    say("freed");
    void *c = after(30), *d = after(10);
    free(d);
    b = realloc(b, 5000);
    say("anew");
    KEEP(c);
    KEEP(b);
}

NOINLINE static int deep(int levels, const void **block)
{
    int result = levels ? deep(levels - 1, block) : (*block = before(10), 0);
    __asm__ volatile("" ::: "memory");
    return result;
}

static int frames(int levels)
{
    const void *block;
    deep(levels, &block);
    return tracemalloc_get_object_traceback(block, NULL, 0);
}

static void limits(void)
{
    printf("limit: %d\n", tracemalloc_get_traceback_limit());
    int whole = frames(100);
    printf("start: %d\n", tracemalloc_start(8));
    printf("same: %d\n", tracemalloc_get_traceback_limit() == 1024 && whole == frames(100) && whole > 100);
    tracemalloc_stop();
    printf("wrong: %d %d\n", tracemalloc_start(-1), tracemalloc_start(1000000));
    printf("start: %d\n", tracemalloc_start(8));
    printf("limit: %d\n", tracemalloc_get_traceback_limit());
    int few = frames(100);
    printf("fewer: %d\n", few >= 8 && few <= 17);
    tracemalloc_stop();
    tracemalloc_start(1024);
    printf("whole: %d\n", frames(100) == whole);
    printf("memory: %d\n", tracemalloc_get_tracemalloc_memory() > 10000);
}

static void size_of(const char *what, const void *block)
{
    size_t requested = 1, usable = 1;
    int result = tracemalloc_get_size(block, &requested, &usable);
    printf("%s: %s %zu %d\n", what, strerror(-result), requested, usable >= requested && usable < requested + 64);
}

static void sizes(void)
{
    char *block = before(1000), *small = before(0);
    int local = 0;
    size_of("block", block);
    size_of("empty", small);
    size_of("inside", block + 48);
    size_of("stack", &local);
    size_of("null", NULL);
    free(block);
    size_of("freed", block);
    printf("no results: %d\n", tracemalloc_get_size(small, NULL, NULL));
}

/* --- several ---------------------------------------------------------------------------------------------- */

static _Atomic bool over;

static void *allocates(void *unused)
{
    void *blocks[16] = {0};
    for (unsigned i = 0; !over; i++) {
        free(blocks[i % 16]);
        blocks[i % 16] = i % 3 ? malloc(i % 900) : calloc(1, i % 500);
        if (i % 5 == 0)
            blocks[i % 16] = realloc(blocks[i % 16], 300);
    }
    for (int i = 0; i < 16; i++)
        free(blocks[i]);
    return unused;
}

static void threads(int count)
{
    pthread_t ids[16];
    for (int i = 0; i < count; i++)
        pthread_create(&ids[i], NULL, allocates, NULL);
    for (int i = 0; i < 40; i++) {
        usleep(1000);
        int (*const actions[])(void) = {tracemalloc_reset_peak, tracemalloc_clear_traces, tracemalloc_stop};
        int result = actions[i % 3]();
        if (i % 3 == 2)
            tracemalloc_start(0);
        if (result)
            printf("%d: %s\n", i % 3, strerror(-result));
    }
    over = true;
    for (int i = 0; i < count; i++)
        pthread_join(ids[i], NULL);
    expect("clear", tracemalloc_clear_traces());
    void *a = after(4000), *b = after(6000);
    free(b);
    size_t current, peak;
    tracemalloc_get_traced_memory(&current, &peak);
    printf("end: %zu %d\n", current, peak >= current && peak <= 10000);
    KEEP(a);
}

static void forks(void)
{
    void *known = before(100);
    tracemalloc_stop();
    if (fork() == 0) {
        free(known);
        unseen(10);
        say("child");
        expect("start", tracemalloc_start(0));
        for (int i = 0; i < 2000; i++)
            after(10);
        say("child started");
        exit(0);
    }
    wait(NULL);
    unseen(10);
    say("parent");
}

static void off(void)
{
    void *early = unseen(1000);
    say("off");
    tracemalloc_start(0);
    void *new = after(10);
    free(early);
    say("started");
    KEEP(new);
}

/* --- phases ----------------------------------------------------------------------------------------------- */

static void say_phase(const char *name, const char *end)
{
    struct tracemalloc_phase phase;
    int result = tracemalloc_phase_end(end, &phase);
    printf("%s: %s %td %zu %zu %zu %zu\n", name, strerror(-result), phase.current, phase.peak, phase.allocated,
           phase.allocations, phase.frees);
}

static void phases(void)
{
    void *old = before(5000), *kept[10];
    expect("outer", tracemalloc_phase_begin("outer"));
    for (int i = 0; i < 10; i++)
        kept[i] = before(100);
    free(old);
    expect("inner", tracemalloc_phase_begin("inner"));
    kept[0] = realloc(kept[0], 400);
    for (int i = 1; i < 5; i++)
        free(kept[i]);
    say_phase("inner", "inner");
    tracemalloc_phase_begin("left");
    void *more = calloc(10, 20);
    tracemalloc_phase_begin("left, too");
    void *last = before(50);
    say_phase("outer", "outer");
    say_phase("none", NULL);
    free(more);
    free(last);
}

/* What each thread finds for itself. */
static void *phases_among_many(void *wrong)
{
    for (int i = 0; i < 300; i++) {
        struct tracemalloc_phase phase;
        void *blocks[20];
        tracemalloc_phase_begin("a");
        for (int j = 0; j < 20; j++)
            blocks[j] = before(10 + (size_t)j);
        for (int j = 0; j < 20; j++)
            free(blocks[j]);
        tracemalloc_phase_end("a", &phase);
        if (phase.current || phase.peak != 390 || phase.allocated != 390 || phase.allocations != 20 ||
            phase.frees != 20)
            ++*(_Atomic int *)wrong;
        for (int j = 0; j < 20; j++)
            free(after(8));
    }
    return NULL;
}

static void phases_of_threads(int count)
{
    static _Atomic int wrong;
    pthread_t ids[64];
    for (int i = 0; i < count; i++)
        pthread_create(&ids[i], NULL, phases_among_many, (void *)&wrong);
    for (int i = 0; i < count; i++)
        pthread_join(ids[i], NULL);
    printf("wrong: %d\n", wrong);
}

/* --- pools ------------------------------------------------------------------------------------------------ */

enum { POOL = 3, ARENA = 7 };

NOINLINE static void *from_pool(char *pool, int i)
{
    void *block = pool + i * 100;
    expect("track", tracemalloc_track(POOL, block, 100));
    return block;
}

NOINLINE static void *from_arena(char *arena, size_t at, size_t size)
{
    void *block = arena + at;
    expect("track", tracemalloc_track(ARENA, block, size));
    return block;
}

static void pools(void)
{
    char *pool = before(1000), *arena = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 10; i++)
        from_pool(pool, i);
    say("pool");
    for (size_t i = 0; i < 1000; i++)
        from_arena(arena, i * 64, 50);
    say("arena");
    tracemalloc_untrack(POOL, pool + 100);
    tracemalloc_untrack(POOL, pool + 101);
    tracemalloc_untrack(ARENA, pool);
    say("one is free");
    from_arena(arena, 0, 500);
    say("one is another");
    for (size_t i = 1; i < 1000; i++)
        tracemalloc_untrack(ARENA, arena + i * 64);
    tracemalloc_untrack(POOL, from_pool(pool, 1));
    tracemalloc_stop();
    from_pool(pool, 1);
    tracemalloc_untrack(POOL, pool + 200);
    tracemalloc_start(0);
    say("most are free");
    free(pool);
    say("the pool is not");
    printf("too much: %s\n", strerror(-tracemalloc_track(1, arena, (size_t)1 << 63)));
    fflush(stdout);
    if (fork() == 0) {
        for (int i = 0; i < 2000; i++)
            from_arena(arena, 0, (size_t)i);
        tracemalloc_untrack(POOL, pool + 300);
        exit(0);
    }
    wait(NULL);
    expect("clear", tracemalloc_clear_traces());
    tracemalloc_untrack(POOL, pool);
    base = 0;
    from_arena(arena, 0, 10);
    say("cleared");
}

/* --- plugins ---------------------------------------------------------------------------------------------- */

static void allocate_in(void *plugin)
{
    void *(*call)(void *(*)(size_t), size_t) = (void *(*)(void *(*)(size_t), size_t))dlsym(plugin, "plugin_call");
    free(call(after, 10));
}

/* One that comes before and goes while it is stopped, one that comes while it is stopped and goes afterwards. */
static void plugins(const char *a, const char *b)
{
    void *first = dlopen(a, RTLD_NOW);
    allocate_in(first);
    tracemalloc_stop();
    void *second = dlopen(b, RTLD_NOW);
    dlclose(first);
    tracemalloc_start(0);
    allocate_in(second);
    dlclose(second);
}

static void marks(char **labels)
{
    for (; *labels; labels++) {
        before(100);
        expect(*labels, tracemalloc_mark(*labels));
    }
}

static bool input_ended(int ms)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char byte;
    return poll(&input, 1, ms) > 0 && read(0, &byte, 1) == 0;
}

static void waits(void)
{
    for (unsigned i = 0; !input_ended(1); i++) {
        void *block = after(1000);
        if (i % 10)
            free(block);
    }
}

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    const char *what = argc > 1 ? argv[1] : "";
    int n = argc > 2 ? atoi(argv[2]) : 0;
    begin();
    if (!strcmp(what, "stops"))
        stops();
    else if (!strcmp(what, "resets"))
        resets();
    else if (!strcmp(what, "clears"))
        clears();
    else if (!strcmp(what, "limits"))
        limits();
    else if (!strcmp(what, "sizes"))
        sizes();
    else if (!strcmp(what, "threads"))
        threads(n);
    else if (!strcmp(what, "forks"))
        forks();
    else if (!strcmp(what, "off"))
        off();
    else if (!strcmp(what, "phases") && n)
        phases_of_threads(n);
    else if (!strcmp(what, "phases"))
        phases();
    else if (!strcmp(what, "plugins") && argc > 3)
        plugins(argv[2], argv[3]);
    else if (!strcmp(what, "pools"))
        pools();
    else if (!strcmp(what, "marks"))
        marks(argv + 2);
    else if (!strcmp(what, "waits"))
        waits();
    else if (!strcmp(what, "idles"))
        for (free(before(10)); !input_ended(1000);)
            continue;
    else if (!strcmp(what, "many"))
        for (int i = 0; i < n; i++)
            free(after(100));
    else
        return 2;
    return 0;
}
