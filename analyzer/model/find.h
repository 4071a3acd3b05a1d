// SPDX-License-Identifier: MIT
/* Traces in a directory, known by their first bytes and not by their names. */
#ifndef MODEL_FIND_H
#define MODEL_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The trace in a directory that was written to last: its path (the plain name for "."), to be freed;
   null if there is none.  Never blocks on what else lies there. */
char *find_newest(const char *directory);

/* The trace in a directory of the process with this pid and start time (see model/process.h) that
   began last (a process that calls exec leaves several); to be freed; null if there is none. */
char *find_of_process(const char *directory, int32_t pid, uint64_t process_start);

/* All traces in a directory, those that began first before the others: their paths, each and the array to be
   freed, and in *count how many. */
char **find_all(const char *directory, size_t *count);

/* The same, only those of a process that `tracemalloc run` started as `run_pid`, and of its descendants, begun
   at or after `since_ns` of CLOCK_MONOTONIC. */
char **find_of_run(const char *directory, int32_t run_pid, uint64_t since_ns, size_t *count);

/* The trace in a directory of a program that runs, the latest that began; to be freed; null if there is
   none. */
char *find_running(const char *directory);

/* The trace that a process has mapped, wherever it is; to be freed; null if there is none, or if it is not
   ours to look into. */
char *find_mapped(int32_t pid);

#endif
