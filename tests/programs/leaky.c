// SPDX-License-Identifier: MIT
/*
 * leaky HOW: leaks 3 blocks of 1000 bytes in `cache`, 10 of 16 in `list`, one of no bytes in `nothing`, and has
 * the C library keep what it keeps by design; HOW is how it ends: "return", "free" (nothing leaks), "tidy"
 * (nor does the C library keep anything), "kill", "pause".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <locale.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NOT_INLINED __attribute__((noinline))
#define BLOCKS      14

static void *blocks[BLOCKS];
static int count;

NOT_INLINED static void keep(size_t size)
{
    blocks[count++] = malloc(size);
}

NOT_INLINED static void cache(void)
{
    for (volatile int i = 0; i < 3; i++)
        keep(1000);
}

NOT_INLINED static void list(void)
{
    for (volatile int i = 0; i < 10; i++)
        keep(16);
}

NOT_INLINED static void nothing(void)
{
    keep(0);
}

static void *thread(void *argument)
{
    return argument;
}

/* Locale, buffer, name service, time zone, environment, loader, a thread's tables. */
static void by_design(void)
{
    pthread_t id;
    time_t now = 0;
    setlocale(LC_ALL, "C.UTF-8");
    printf("%s\n", getpwuid(0) ? "root" : "nobody");
    localtime(&now);
    setenv("LEAKY", "1", 1);
    dlopen("libm.so.6", RTLD_NOW);
    dlopen("/nonexistent/library", RTLD_NOW);
    if (pthread_create(&id, NULL, thread, NULL) == 0)
        pthread_join(id, NULL);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "return";
    bool tidy = !strcmp(how, "tidy");
    if (!tidy)
        by_design();
    cache();
    list();
    nothing();
    fflush(stdout);
    if (tidy || !strcmp(how, "free"))
        while (count)
            free(blocks[--count]);
    if (!strcmp(how, "kill"))
        raise(SIGKILL);
    if (!strcmp(how, "pause"))
        pause();
    return 0;
}
