// SPDX-License-Identifier: MIT
/*
 * Calls the malloc family on stacks of its own, painted before each call, and says how many bytes below the
 * caller were written at most: at places never seen, at places seen before, at once again; by a thread's
 * first call, and by a forked child's first ones.
 */
#include "sites.h"
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { SIZE = 64 * 1024, PAINT = 0xa5, BELOW = 7, CHILD_ALLOCATIONS = 2000 };

static _Alignas(4096) unsigned char stack[SIZE];
static const unsigned char *caller;     /* where the family's callers have their frame */
static uint32_t place;
static void *volatile sink;

static void paint(void)
{
    memset(stack, PAINT, sizeof stack);
}

static long written(void)
{
    const unsigned char *lowest = stack;
    while (*lowest == PAINT)
        lowest++;
    return caller - lowest;
}

/* --- what is called ------------------------------------------------------------------------------------- */

static void calls(void)
{
    void *block;
    caller = __builtin_frame_address(0);
    sink = malloc(100);
    sink = realloc(sink, 300);
    free(sink);
    sink = calloc(3, 5);
    free(sink);
    sink = posix_memalign(&block, 64, 100) ? NULL : block;
    free(sink);
    sink = aligned_alloc(64, 128);
    free(sink);
}

static void here(void)
{
    site_at(place, BELOW, place, calls);
}

static void here_often(void)
{
    for (int i = 0; i < CHILD_ALLOCATIONS; i++)
        here();
}

/* --- on which stack ------------------------------------------------------------------------------------- */

static long in_context(void (*function)(void))
{
    ucontext_t back, context;
    paint();
    getcontext(&context);
    context.uc_stack = (stack_t){.ss_sp = stack, .ss_size = sizeof stack};
    context.uc_link = &back;
    makecontext(&context, function, 0);
    swapcontext(&back, &context);
    return written();
}

static long at_all_places(void)
{
    long most = 0;
    for (place = 0; place < SITES / 2; place++) {
        long now = in_context(here);
        most = now > most ? now : most;
    }
    return most;
}

static void *thread(void *unused)
{
    here();
    return unused;
}

static long in_thread(void)
{
    pthread_t id;
    pthread_attr_t attributes;
    paint();
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, sizeof stack);
    if (pthread_create(&id, &attributes, thread, NULL) || pthread_join(id, NULL))
        return -1;
    return written();
}

static void say(const char *what, long bytes)
{
    printf("%s %ld\n", what, bytes);
    fflush(stdout);
}

int main(void)
{
    calls();        /* the loader finds the functions */
    say("unknown", at_all_places());
    say("known", at_all_places());
    place = 1;
    in_context(here);
    say("again", in_context(here));
    place = SITES - 1;
    say("thread", in_thread());
    if (fork() == 0) {
        place = SITES - 2;
        say("child", in_context(here_often));
        return 0;
    }
    wait(NULL);
    return 0;
}
