// SPDX-License-Identifier: MIT
/*
 * forks_while_attaching POINT HOW: makes a child whose second thread allocates until it is worth a file, and stands
 * at that point meanwhile; the child then makes a child of its own, by fork or _Fork, which allocates as much.
 */
#include "counted.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORTH_A_FILE = 2000 };

static const char *wanted;
static sem_t got_there, go_on;
/* Volatile: malloc is declared to call nothing of this file. */
static __thread volatile bool stops __attribute__((tls_model("initial-exec")));

static void stop_here(void)
{
    stops = false;
    sem_post(&got_there);
    while (sem_wait(&go_on))
        ;
}

void libtrace_point(const char *name)
{
    if (stops && !strcmp(name, wanted))
        stop_here();
}

static void allocate(void)
{
    for (int i = 0; i < WORTH_A_FILE; i++)
        counted_free(counted_malloc(10), 10);
}

static void *becomes_worth_a_file(void *unused)
{
    stops = true;
    allocate();
    if (stops)
        stop_here();
    return unused;
}

static int status_of(pid_t pid)
{
    int status = -1;
    waitpid(pid, &status, 0);
    return status;
}

static int child(bool by_fork)
{
    pthread_t thread;
    pthread_create(&thread, NULL, becomes_worth_a_file, NULL);
    while (sem_wait(&got_there))
        ;
    pid_t pid = by_fork ? fork() : _Fork();
    if (pid == 0) {
        alarm(10);
        allocate();
        _exit(0);
    }
    int status = status_of(pid);
    sem_post(&go_on);
    pthread_join(thread, NULL);
    return status != 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    wanted = argv[1];
    sem_init(&got_there, 0, 0);
    sem_init(&go_on, 0, 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(!strcmp(argv[2], "fork")));
    printf("the child's status: %d\n", status_of(pid));
    return 0;
}
