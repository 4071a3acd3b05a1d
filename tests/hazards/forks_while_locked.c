// SPDX-License-Identifier: MIT
/*
 * forks_while_locked POINT CODE HOW FILE: forks while another thread stands at a point of the recorder, for
 * instance where it holds a lock, or holds the loader's ("loader").  CODE is new where it runs code that
 * nobody has seen yet, or old where only its stack is new.  HOW is fork, or _Fork, which asks nobody.  The
 * child allocates, and by fork makes a thread that does.  FILE gets the name of the point, if it was reached.
 *
 * The other thread goes on once the fork waits for it, or is done.
 */
#include "new_sites.h"
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *wanted, *file;
static bool by_fork, new_code;
static int forking_thread;
static sem_t got_there, go_on;
static _Atomic bool about_to_fork, has_forked;
/* Volatile: malloc is declared to call nothing of this file. */
static __thread volatile bool is_holder __attribute__((tls_model("initial-exec")));

/* Once: what the holder has to do goes on without another stop. */
static void stop_here(const char *where)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    is_holder = false;
    if (write(fd, where, strlen(where)) < 0)
        abort();
    close(fd);
    sem_post(&got_there);
    while (sem_wait(&go_on))
        ;
}

void libtrace_point(const char *name)
{
    if (is_holder && !strcmp(name, wanted))
        stop_here(name);
}

static int in_callback(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)info, (void)size, (void)unused;
    if (is_holder)
        stop_here("loader");
    return 0;
}

__attribute__((noinline)) static void allocate_in_recursion(int depth)
{
    counted_free(counted_malloc(10), 10);
    if (depth)
        allocate_in_recursion(depth - 1);
    __asm__ volatile("");
}

static void *holds(void *depth)
{
    is_holder = depth != NULL;
    if (!strcmp(wanted, "loader"))
        dl_iterate_phdr(in_callback, NULL);
    if (new_code)
        counted_free(new_site_malloc(10), 10);
    else
        allocate_in_recursion(depth ? 5 : 1);
    if (is_holder)
        stop_here("nowhere");
    return depth;
}

static pthread_t start_holder(void *depth)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, holds, depth))
        abort();
    return thread;
}

static void *allocates(void *unused)
{
    counted_free(new_site_malloc(20), 20);
    return unused;
}

/* Threads beyond 32, and twice the processors, share counters, under a lock. */
static pthread_barrier_t parked;

static void *parks(void *unused)
{
    counted_malloc(30);
    pthread_barrier_wait(&parked);
    pause();
    return unused;
}

static void park_threads(void)
{
    int own = 2 * (int)sysconf(_SC_NPROCESSORS_ONLN), count = (own > 32 ? own : 32) + 8;
    pthread_barrier_init(&parked, NULL, (unsigned)count + 1);
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 64 * 1024);
        pthread_create(&thread, &attributes, parks, NULL);
    }
    pthread_barrier_wait(&parked);
}

static bool forking_thread_sleeps(void)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", forking_thread);
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    const char *at = size > 0 ? strrchr(text, ')') : NULL;
    return at && at[1] == ' ' && at[2] == 'S';
}

static void *releases(void *unused)
{
    while (!about_to_fork)
        sched_yield();
    while (!has_forked && !forking_thread_sleeps())
        sched_yield();
    sem_post(&go_on);
    return unused;
}

static int child(void)
{
    pthread_t thread;
    alarm(10);
    for (int i = 0; i < 8; i++)
        counted_free(new_site_malloc(40), 40);
    if (!by_fork)
        return 0;
    if (pthread_create(&thread, NULL, allocates, NULL))
        return 1;
    pthread_join(thread, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    pthread_t holder, releaser;
    int status = -1;
    if (argc != 5)
        return 2;
    wanted = argv[1];
    new_code = !strcmp(argv[2], "new");
    by_fork = strcmp(argv[3], "_Fork");
    file = argv[4];
    forking_thread = (int)syscall(SYS_gettid);
    sem_init(&got_there, 0, 0);
    sem_init(&go_on, 0, 0);
    park_threads();
    pthread_join(start_holder(NULL), NULL);
    pthread_create(&releaser, NULL, releases, NULL);
    holder = start_holder(&holder);
    while (sem_wait(&got_there))
        ;
    about_to_fork = true;
    pid_t pid = by_fork ? fork() : _Fork();
    if (pid == 0)
        _exit(child());
    has_forked = true;
    waitpid(pid, &status, 0);
    pthread_join(holder, NULL);
    pthread_join(releaser, NULL);
    counted_free(new_site_malloc(50), 50);
    printf("the child's status: %d\n", status);
    counted_print();
    return 0;
}
