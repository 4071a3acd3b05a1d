// SPDX-License-Identifier: MIT
/*
 * Counts what a process has of descriptors, threads and signals in use, from its first moment to its last.
 */
#include "sites.h"
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BELOW = 12 };

/* The numbers that a directory has for names, without its own descriptor; or only how many. */
static void list(const char *what, const char *path, int each)
{
    int count = 0;
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.' || (each && atoi(entry->d_name) == dirfd(directory)))
            continue;
        if (each)
            printf(" %s", entry->d_name);
        count++;
    }
    if (directory)
        closedir(directory);
    printf(" (%d %s)", count, what);
}

/* Pending, blocked, ignored, caught. */
static void list_signals(void)
{
    char line[256], masks[32];
    FILE *status = fopen("/proc/thread-self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, "Sig", 3) && sscanf(line, "Sig%*3s: %16[0-9a-f]", masks) == 1)
            printf(" %.3s %s", line + 3, masks);
    if (status)
        fclose(status);
}

static void census(const char *moment)
{
    printf("%s:", moment);
    list("descriptors", "/proc/self/fd", 1);
    list("threads", "/proc/self/task", 0);
    list_signals();
    printf("\n");
    fflush(stdout);
}

static void block(void)
{
    static void *volatile sink;
    sink = malloc(100);
    free(sink);
}

static void learn(uint32_t seed)
{
    for (uint32_t n = 0; n < SITES; n++)
        site_at(n, BELOW, seed + n, block);
}

static void *thread(void *unused)
{
    census("in a thread");
    learn(1000);
    census("in a thread, after learning");
    return unused;
}

static void last(void)
{
    census("at exit");
}

__attribute__((constructor)) static void first(void)
{
    census("before main");
}

__attribute__((destructor)) static void very_last(void)
{
    census("after all");
}

int main(void)
{
    pthread_t id;
    atexit(last);
    census("main");
    learn(0);
    census("after learning");
    if (pthread_create(&id, NULL, thread, NULL) || pthread_join(id, NULL))
        return 1;
    census("after a thread");
    if (fork() == 0) {
        census("in a child");
        learn(2000);
        learn(3000);
        census("in a child, after learning");
        return 0;
    }
    wait(NULL);
    census("after a fork");
    return 0;
}
