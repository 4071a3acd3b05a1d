// SPDX-License-Identifier: MIT
/*
 * maps HOW: mappings where they are hardest to keep books of.
 *
 *   races      threads map over each other's, unmap and move them, at the same addresses
 *   handler    a handler maps and unmaps, 10,000 times a second, wherever it comes
 *   vforks     children map into their parent's memory
 *   small      threads with the smallest stacks
 *   many       as many as a process may have, unmapped by one call
 *
 * But for the handler's, each figure of a site is known.
 */
#include "told.h"
#include <errno.h>
#include <pthread.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, THREADS = 4, ROUNDS = 20000, ROOM = 64, CHILDREN = 50, MANY = 20000 };
enum { PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS };

NOT_INLINED static char *mapped(char *wanted, size_t pages, int more)
{
    char *at = mmap(wanted, pages * PAGE, PROT_READ | PROT_WRITE, PRIVATE | more, -1, 0);
    must(at != MAP_FAILED);
    return at;
}

static void unmapped(char *at, size_t pages)
{
    must(!munmap(at, pages * PAGE));
}

static uint32_t chosen(uint64_t *state, uint32_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % n;
}

/* --- threads at the same addresses ---------------------------------------------------------------------- */

/* Far from where the kernel puts what nobody wants anywhere: in its holes nothing of others shall lie. */
static char *const room = (char *)((uintptr_t)1 << 40);

/* Calls may fail here: what they would move has gone. */
static void *races(void *seed)
{
    uint64_t state = (uintptr_t)seed;
    for (int i = 0; i < ROUNDS; i++) {
        size_t first = chosen(&state, ROOM), pages = 1 + chosen(&state, (uint32_t)(ROOM - first));
        char *at = room + first * PAGE, *other = room + chosen(&state, ROOM) * PAGE;
        switch (chosen(&state, 4)) {
        case 0:
            unmapped(at, pages);
            break;
        case 1:
            mremap(at, pages * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other);
            break;
        default:
            mapped(at, pages, MAP_FIXED);
        }
    }
    return NULL;
}

static void by_threads(void *(*run)(void *seed), size_t stack)
{
    pthread_t ids[THREADS];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (stack)
        must(!pthread_attr_setstacksize(&attributes, stack));
    for (uintptr_t i = 0; i < THREADS; i++)
        must(!pthread_create(&ids[i], &attributes, run, (void *)(i + 1)));
    for (int i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
}

/* --- signals ---------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t signals;

static void handle(int signal)
{
    int saved = errno;
    char *at = mapped(NULL, 3, 0);
    unmapped(at + PAGE, 1);
    at = mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    must(at != MAP_FAILED && munmap(at, 2 * PAGE) == 0);
    free(malloc(10));
    signals += signal == SIGALRM;
    errno = saved;
}

static void by_handler(void)
{
    struct itimerval often = {{0, 100}, {0, 100}}, never = {0};
    signal(SIGALRM, handle);
    setitimer(ITIMER_REAL, &often, NULL);
    while (signals < 3000) {
        char *at = mapped(NULL, 4, 0);
        errno = 4711;
        free(malloc(100));
        unmapped(at + PAGE, 2);
        unmapped(at, 4);
        must(errno == 4711);
    }
    setitimer(ITIMER_REAL, &never, NULL);
}

/* --- the rest ---------------------------------------------------------------------------------------------- */

static char *volatile of_child;

NOT_INLINED static void by_vfork(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        of_child = mapped(NULL, 5, 0);
        unmapped(of_child, 1);
        _exit(0);
    }
    must(pid > 0 && waitpid(pid, NULL, 0) == pid);
    unmapped(of_child + PAGE, 1);
}

static void *in_small_stack(void *unused)
{
    for (int i = 0; i < 100; i++) {
        char *at = mapped(NULL, 4, 0);
        unmapped(at + PAGE, 1);
        at = mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE);
        must(at != MAP_FAILED);
        unmapped(at, 3);
    }
    return unused;
}

/* Every other is of another kind, so that the kernel keeps them apart. */
static void many(void)
{
    char *all = mapped(NULL, MANY, 0);
    for (int i = 0; i < MANY; i += 2)
        mapped(all + (size_t)i * PAGE, 1, MAP_FIXED | MAP_NORESERVE);
    for (int i = 0; i < MANY; i += 2)
        must(!mprotect(all + (size_t)i * PAGE, PAGE, PROT_READ));
    unmapped(all, MANY);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (!strcmp(how, "races")) {
        mapped(room, ROOM, MAP_FIXED);
        by_threads(races, 0);
        mapped(room, ROOM, MAP_FIXED);
        unmapped(room, ROOM);
        tell("mapped", "current_bytes", 0);
        tell("mapped", "current_blocks", 0);
        tell("races", "current_bytes", 0);
        tell("races", "current_blocks", 0);
    } else if (!strcmp(how, "handler")) {
        by_handler();
    } else if (!strcmp(how, "vforks")) {
        for (int i = 0; i < CHILDREN; i++)
            by_vfork();
        tell("mapped", "allocations", CHILDREN);
        tell("mapped", "frees", 0);
        tell("mapped", "current_bytes", CHILDREN * 3 * PAGE);
    } else if (!strcmp(how, "small")) {
        by_threads(in_small_stack, (size_t)PTHREAD_STACK_MIN);
        tell("mapped", "allocations", 100 * THREADS);
        tell("mapped", "current_bytes", 0);
        tell("in_small_stack", "current_bytes", 0);
    } else if (!strcmp(how, "many")) {
        many();
        tell("mapped", "allocations", 1 + MANY / 2);
        tell("mapped", "frees", 1 + MANY / 2);
        tell("mapped", "current_bytes", 0);
    } else {
        return 2;
    }
    return 0;
}
