// SPDX-License-Identifier: MIT
/* Running a program as a shell does, and seeing it to its end. */
#ifndef COMMANDS_LAUNCH_H
#define COMMANDS_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct launch {
    char **argv;
    const char *preload; /* library to preload first; null: environment as it is */
    const char *options; /* added to LIBTRACE_OPTIONS; root=PID is added too */
    const int *streams;  /* descriptors for its standard streams, -1: ours; null: ours, all three */
    void (*started)(pid_t pid, void *context); /* called once it runs; null: nobody wants to know */
    void *context;
};

struct launched {
    pid_t pid;
    uint64_t process_start; /* as in model/process.h */
    uint64_t since_ns;      /* CLOCK_MONOTONIC before it began */
    int error;              /* why the program could not be started: errno, else 0 */
    int wait_status;        /* as from waitpid */
};

/* Runs the program and waits for its end.  Meanwhile SIGINT and SIGQUIT from the terminal, which the
   program gets itself, do not end us; those sent to us alone, SIGTERM and SIGHUP, are passed on.
   False and errno: it could not even be tried. */
bool launch(const struct launch *launch, struct launched *launched);

/* The exit status a shell has for it: 128 + N for signal N, 126 and 127 for what cannot be started. */
int launch_exit_status(const struct launched *launched);

#endif
