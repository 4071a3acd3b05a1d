// SPDX-License-Identifier: MIT
/*
 * forks_then_parent_goes_on: between a fork and what the child does first, its parent goes on counting, at call
 * sites whose stacks both know; or exits.  Then the child allocates at the same ones.
 */
#include "new_sites.h"
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PLACES = 8, ENOUGH = 1200 };

typedef void *allocate_function(size_t size);

/* Each call is first one of a function that allocates, then of malloc itself: a call path becomes a site. */
#define PLACE(n)                                                                                             \
    __attribute__((noinline)) static void *place##n(allocate_function *allocate, size_t size)                \
    {                                                                                                        \
        void *block = allocate(size);                                                                        \
        __asm__ volatile("");                                                                                \
        return block;                                                                                        \
    }
PLACE(0)
PLACE(1)
PLACE(2)
PLACE(3)
PLACE(4)
PLACE(5)
PLACE(6)
PLACE(7)
static void *(*const places[PLACES])(allocate_function *, size_t) = {
    place0, place1, place2, place3, place4, place5, place6, place7,
};

static void at_all_places(allocate_function *allocate)
{
    for (int i = 0; i < PLACES; i++)
        free(places[i](allocate, 100));
}

static int go[2];
static pid_t child;

/* What comes between the first visit and the second: in the parent a fork, in the child much that is new. */
static void fork_and_go_on(void)
{
    char byte;
    if (pipe(go))
        abort();
    child = fork();
    if (child)
        return;
    close(go[1]);
    if (read(go[0], &byte, 1) != 0)
        abort();
    for (int i = 0; i < ENOUGH; i++)
        free(counted_malloc(10));
    for (int i = 0; i < 2 * PLACES; i++)
        free(new_site_malloc(20));
}

int main(void)
{
    int status = -1;
    /* By the same calls in both. */
    for (int visit = 0; visit < 2; visit++) {
        if (visit)
            fork_and_go_on();
        at_all_places(visit ? malloc : counted_malloc);
    }
    if (child == 0)
        exit(0);
    close(go[1]);
    waitpid(child, &status, 0);
    printf("the child's status: %d\n", status);
    return 0;
}
