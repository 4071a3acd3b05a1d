// SPDX-License-Identifier: MIT
/*
 * mappings WHAT: maps memory in all the ways there are, and says of each function what it knows itself, as
 * site_figures has it (tests/lib.sh): allocations, bytes, frees, reallocations, blocks and bytes at the end, and after
 * these the bytes freed.  Errors that it makes on purpose have to be those that the kernel gives.
 *
 *   parts      of mappings are unmapped: in front, behind, in the middle, over several
 *   over       MAP_FIXED over others
 *   moves      mremap of whole mappings and of parts
 *   fails      calls that fail, and leave all as it was
 *   files      mappings of files
 *   threads    N threads map and unmap at random, at addresses that pass from one to the other
 *   forks      a child inherits, maps and unmaps
 *   stops      and starts, and at last forgets
 *   temporary  mappings that go with the very next call
 *   waits      maps and unmaps each millisecond until its standard input ends, and nothing else
 */
#define _GNU_SOURCE
#include "tracemalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SITE __attribute__((noinline)) static
#define NOT_A_TAIL_CALL __asm__ volatile("" ::: "memory")

enum { PAGE = 4096, THREADS = 4, ROUNDS = 20000, SLOTS = 64, MANY = 100000, PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS };

static void must(bool true_)
{
    if (!true_) {
        printf("failed: %s\n", strerror(errno));
        exit(1);
    }
}

/* --- sites ------------------------------------------------------------------------------------------------ */

SITE char *site_map(size_t pages)
{
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, PRIVATE, -1, 0);
    must(at != MAP_FAILED);
    return at;
}

/* Less than pages: counts as whole ones. */
SITE char *site_map64(size_t bytes)
{
    char *at = mmap64(NULL, bytes, PROT_READ | PROT_WRITE, PRIVATE, -1, 0);
    must(at != MAP_FAILED);
    return at;
}

SITE char *site_over(char *wanted, size_t pages)
{
    char *at = mmap(wanted, pages * PAGE, PROT_NONE, PRIVATE | MAP_FIXED, -1, 0);
    must(at == wanted);
    return at;
}

SITE char *site_move(char *old, size_t pages, size_t new_pages)
{
    char *at = mremap(old, pages * PAGE, new_pages * PAGE, MREMAP_MAYMOVE);
    must(at != MAP_FAILED);
    return at;
}

SITE char *site_move_to(char *old, size_t pages, size_t new_pages, int flags, char *wanted)
{
    char *at = mremap(old, pages * PAGE, new_pages * PAGE, flags, wanted);
    must(at != MAP_FAILED && (!(flags & MREMAP_FIXED) || at == wanted));
    return at;
}

SITE char *site_file(int fd, size_t pages, int flags)
{
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
    must(at != MAP_FAILED);
    return at;
}

SITE char *site_shared(size_t pages)
{
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(at != MAP_FAILED);
    return at;
}

static void unmap(char *at, size_t pages)
{
    must(munmap(at, pages * PAGE) == 0);
}

/* Allocations, pages, frees, pages freed; of them so many by mremap. */
static void tell(const char *site, long allocations, long pages, long frees, long freed, long moves)
{
    printf("%s %ld %ld %ld %ld %ld %ld\n", site, allocations, pages * PAGE, frees, moves, allocations - frees,
           (pages - freed) * PAGE);
}

/* --- what there is to do ----------------------------------------------------------------------------------- */

static void parts(void)
{
    char *a = site_map(10), *b = site_map(10), *c = site_map64(3 * PAGE + 1);
    unmap(a, 2);
    unmap(a + 9 * PAGE, 1);
    unmap(a + 4 * PAGE, 2);
    unmap(a, 4);                /* of which two are gone */
    unmap(a + 6 * PAGE, 3);     /* the last of it */
    unmap(b + 5 * PAGE, 1);
    must(munmap(c, 1) == 0);    /* a page */
    must(munmap(c + 3 * PAGE, PAGE - 1) == 0);
    unmap(a, 10);               /* where nothing is */
    tell("site_map", 2, 20, 1, 11, 0);
    tell("site_map64", 1, 4, 0, 2, 0);
}

/* Three mappings that lie in one reservation, then one over parts of all. */
static void over(void)
{
    char *all = site_map(30), *a = site_over(all, 10), *c = site_over(all + 20 * PAGE, 10);
    must(a == all && c == all + 20 * PAGE);
    site_over(all + 5 * PAGE, 20);
    site_over(all + 6 * PAGE, 1);
    unmap(all + 5 * PAGE, 20);
    tell("site_map", 1, 30, 1, 30, 0);
    tell("site_over", 4, 41, 2, 31, 0);
}

static void moves(void)
{
    char *a = site_map(4);
    a = site_move(a, 4, 2);                     /* smaller, in place */
    a = site_move(a, 2, 100);                   /* larger */
    char *part = site_move(a + 90 * PAGE, 10, 20);      /* its end: another mapping */
    char *room = site_map(50);
    site_move_to(part, 20, 20, MREMAP_MAYMOVE | MREMAP_FIXED, room + 10 * PAGE);
    char *left = site_map(5);
    char *got = site_move_to(left, 5, 5, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    char *shared = site_shared(6);
    char *again = site_move_to(shared, 0, 6, MREMAP_MAYMOVE, NULL);
    must(got != left && again != shared);
    unmap(again, 6);
    unmap(a, 90);
    tell("site_map", 3, 59, 1, 24, 0);
    tell("site_move", 3, 122, 3, 122, 2);
    tell("site_move_to", 3, 31, 1, 6, 1);
    tell("site_shared", 1, 6, 0, 0, 0);
}

static void fails_with(int expected, bool failed)
{
    if (!failed || errno != expected)
        printf("failed: %s instead of %s\n", failed ? strerror(errno) : "it succeeded", strerror(expected));
    errno = 0;
}

/* As many mappings as a process may have: none can be cut in two any more. */
static void fails_for_want_of_mappings(char *a)
{
    char *all = site_map(MANY);
    size_t i = 0;
    while (i < MANY && !mprotect(all + i * PAGE, PAGE, PROT_NONE))
        i += 2;
    if (i < MANY) {
        fails_with(ENOMEM, munmap(a + 5 * PAGE, PAGE) == -1);
        fails_with(ENOMEM, mremap(a + 5 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
    }
    errno = 0;
    unmap(all, MANY);
}

static void fails(void)
{
    char *a = site_map(10);
    int fd = open("/", O_RDONLY);
    errno = 0;
    fails_with(EINVAL, munmap(a + 1, PAGE) == -1);
    fails_with(EINVAL, munmap(a, 0) == -1);
    fails_with(EINVAL, munmap(a, SIZE_MAX) == -1);
    fails_with(EINVAL, munmap(a, (size_t)1 << 47) == -1);
    fails_with(EINVAL, mmap(a + 1, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == MAP_FAILED);
    fails_with(EINVAL, mmap(a, 0, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == MAP_FAILED);
    fails_with(EINVAL, mmap(a, PAGE, PROT_READ, MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    fails_with(EINVAL, mmap(a, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 1) == MAP_FAILED);
    fails_with(EBADF, mmap(a, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, -1, 0) == MAP_FAILED);
    fails_with(ENODEV, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
    fails_with(ENOMEM, mmap(NULL, (size_t)1 << 48, PROT_READ, PRIVATE, -1, 0) == MAP_FAILED);
    fails_with(ENOMEM, mmap64(NULL, SIZE_MAX, PROT_READ, PRIVATE, -1, 0) == MAP_FAILED);
    fails_with(EEXIST, mmap(a, PAGE, PROT_READ, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
    fails_with(EINVAL, mremap(a + 1, PAGE, PAGE, 0) == MAP_FAILED);
    fails_with(EINVAL, mremap(a, PAGE, 0, MREMAP_MAYMOVE) == MAP_FAILED);
    fails_with(EINVAL, mremap(a, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, a + PAGE) == MAP_FAILED);
    fails_with(EINVAL, mremap(a, 4 * PAGE, 4 * PAGE, MREMAP_FIXED, a + 5 * PAGE) == MAP_FAILED);
    fails_with(ENOMEM, mremap(a, 5 * PAGE, 6 * PAGE, 0) == MAP_FAILED);
    close(fd);
    fails_for_want_of_mappings(a);
    unmap(a + 3 * PAGE, 1);
    tell("site_map", 2, 10 + MANY, 1, 1 + MANY, 0);
}

static void files(void)
{
    int fd = memfd_create("mappings", 0);
    must(fd >= 0 && ftruncate(fd, 20 * PAGE) == 0);
    char *a = site_file(fd, 20, MAP_SHARED), *b = site_file(fd, 4, MAP_PRIVATE);
    char *again = site_move_to(a, 0, 20, MREMAP_MAYMOVE, NULL);
    site_move(b, 4, 8);
    unmap(a + 5 * PAGE, 10);
    unmap(again + 19 * PAGE, 1);
    site_map(1);
    close(fd);
    tell("site_file", 2, 24, 1, 14, 0);
    tell("site_map", 1, 1, 0, 0, 0);
    tell("site_move", 1, 8, 0, 0, 1);
    tell("site_move_to", 1, 20, 0, 1, 0);
}

/* --- many ------------------------------------------------------------------------------------------------- */

static char *_Atomic slots[SLOTS];
static _Atomic long born, died;

static uint32_t chosen(uint64_t *state, uint32_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % n;
}

/* Addresses are free, and somebody else's, as soon as they are unmapped. */
static void *uses_slots(void *seed)
{
    uint64_t state = (uintptr_t)seed;
    for (int i = 0; i < ROUNDS; i++) {
        char *new = chosen(&state, 2) ? site_map(4) : NULL;
        char *old = __atomic_exchange_n(&slots[chosen(&state, SLOTS)], new, __ATOMIC_ACQ_REL);
        born += new != NULL;
        died += old != NULL;
        if (old && chosen(&state, 2))
            unmap(old + PAGE, 2);
        if (old)
            unmap(old, 4);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t ids[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        must(!pthread_create(&ids[i], NULL, uses_slots, (void *)(i + 1)));
    for (int i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
    tell("site_map", born, 4 * born, died, 4 * died, 0);
}

/* The child's figures: what it inherited is live, allocated and freed count from the fork. */
static void forks(void)
{
    char *a = site_map(10), *b = site_map(20);
    unmap(a + 5 * PAGE, 1);
    pid_t pid = fork();
    if (pid == 0) {
        unmap(a, 5);
        unmap(b, 20);
        site_map(3);
        printf("site_map 1 %d 1 0 2 %d\n", 3 * PAGE, 7 * PAGE);
        exit(0);
    }
    must(waitpid(pid, NULL, 0) == pid);
}

static void stops(void)
{
    char *a = site_map(10), *b = site_map(5);
    tracemalloc_clear_traces();
    char *c = site_map(6), *d = site_map(8);
    tracemalloc_stop();
    char *unseen = site_map(100);
    unmap(a, 10);
    unmap(c, 2);
    d = site_move(d, 8, 9);
    tracemalloc_start(0);
    unmap(b, 5);
    unmap(unseen, 50);
    site_move(unseen + 50 * PAGE, 50, 1);
    unmap(d, 9);
    site_map(1);
    tell("site_map", 3, 15, 1, 10, 0);
    tell("site_move", 1, 1, 0, 0, 0);
}

static void temporary(void)
{
    for (int i = 0; i < 10; i++)
        unmap(site_map(1), 1);
    tell("site_map", 10, 10, 10, 10, 0);
}

static void waits(void)
{
    struct pollfd input = {.events = POLLIN};
    while (!poll(&input, 1, 1))
        unmap(site_map(1), 1);
}

static const struct {
    const char *name;
    void (*run)(void);
} all[] = {
    {"parts", parts}, {"over", over}, {"moves", moves}, {"fails", fails}, {"files", files}, {"threads", threads},
    {"forks", forks}, {"stops", stops}, {"temporary", temporary}, {"waits", waits},
};

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (size_t i = 0; argc == 2 && i < sizeof all / sizeof *all; i++) {
        if (!strcmp(argv[1], all[i].name)) {
            all[i].run();
            return 0;
        }
    }
    return 2;
}
