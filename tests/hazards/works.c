// SPDX-License-Identifier: MIT
/*
 * works: does a little of everything, at many call sites, by two threads and a child; and looks after each
 * call whether errno is what it was.
 */
#include "new_sites.h"
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNLIKELY = 4242, SITES = 120, KEPT = 10, TIMES = 300 };

static _Atomic long errno_changed, wrong;
static volatile size_t half_of_all = SIZE_MAX / 2 + 1;

#define LOOK(call)                                                                                           \
    do {                                                                                                     \
        errno = UNLIKELY;                                                                                    \
        call;                                                                                                \
        errno_changed += errno != UNLIKELY;                                                                  \
    } while (0)

static void every_function(void)
{
    void *block = NULL, *aligned = NULL;
    LOOK(block = calloc(3, 33));
    for (int i = 0; i < 99; i++)
        wrong += ((char *)block)[i] != 0;
    LOOK(block = realloc(block, 5000));
    LOOK(block = realloc(block, 50));
    LOOK(wrong += malloc_usable_size(block) < 50);
    LOOK(free(block));
    LOOK(wrong += posix_memalign(&aligned, 64, 100) != 0);
    LOOK(free(aligned));
    LOOK(aligned = memalign(256, 100));
    LOOK(free(aligned));
    LOOK(free(NULL));
}

/* It fails as it always does. */
static void fails(void)
{
    errno = UNLIKELY;
    wrong += malloc(half_of_all) != NULL || errno != ENOMEM;
    errno = UNLIKELY;
    wrong += calloc(half_of_all, 3) != NULL || errno != ENOMEM;
    void *block = counted_malloc(10), *aligned;
    errno = UNLIKELY;
    wrong += realloc(block, half_of_all) != NULL || errno != ENOMEM;
    counted_free(block, 10);
    errno = UNLIKELY;
    wrong += posix_memalign(&aligned, 3, 10) != EINVAL || errno != UNLIKELY;
}

static void *work(void *unused)
{
    void *block = NULL;
    for (int i = 0; i < SITES; i++) {
        LOOK(block = new_site_malloc(64));
        memset(block, 1, 64);
        if (i >= KEPT)
            LOOK(counted_free(block, 64));
    }
    for (int i = 0; i < TIMES; i++)
        every_function();
    fails();
    return unused;
}

int main(void)
{
    pthread_t thread;
    int status = -1;
    work(NULL);
    if (pthread_create(&thread, NULL, work, NULL))
        return 1;
    pthread_join(thread, NULL);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        work(NULL);
        _exit(errno_changed || wrong ? 1 : 0);
    }
    waitpid(pid, &status, 0);
    printf("errno changed %ld times, %ld wrong results, the child's status %d\n", errno_changed, wrong,
           status);
    counted_print();
    return 0;
}
