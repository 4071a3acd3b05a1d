// SPDX-License-Identifier: MIT
/*
 * The live view beside a program that `run` starts.  Within tmux it gets a pane of its own, and the program
 * has its terminal for itself.  Elsewhere the view takes the terminal: what the program writes there is kept,
 * and written when the view is left; of the terminal it can read nothing.
 */
#ifndef COMMANDS_BESIDE_H
#define COMMANDS_BESIDE_H

#include <stdint.h>
#include <sys/types.h>

struct beside;

/* The trace of the process that started then (see model/process.h) and may have ended; to be freed. */
typedef char *beside_finder(const void *context, pid_t pid, uint64_t process_start);

/* Before the program is started.  Null: there is no terminal for a view, as it has then said. */
struct beside *beside_prepare(beside_finder *find, const void *context);

/* The program's streams (see commands/launch.h). */
const int *beside_streams(const struct beside *beside);

/* Opens the view of the program, which runs now; *context is the struct beside. */
void beside_start(pid_t pid, void *context);

/* The program has ended: waits until the user has left the view, and has the rest of the output written. */
void beside_finish(struct beside *beside);

#endif
