// SPDX-License-Identifier: MIT
/* Traces in a directory, known by their first bytes and not by their names. */
#ifndef MODEL_FIND_H
#define MODEL_FIND_H

#include <stdint.h>

/* The trace in a directory that was written to last: its path (the plain name for "."), to be freed;
   null if there is none.  Never blocks on what else lies there. */
char *find_newest(const char *directory);

/* The trace in a directory of the process with this pid and start time (see model/process.h) that
   began last (a process that calls exec leaves several); to be freed; null if there is none. */
char *find_of_process(const char *directory, int32_t pid, uint64_t process_start);

/* The trace in a directory of a program that runs, the latest that began; to be freed; null if there is
   none. */
char *find_running(const char *directory);

/* The trace that a process has mapped, wherever it is; to be freed; null if there is none, or if it is not
   ours to look into. */
char *find_mapped(int32_t pid);

#endif
