// SPDX-License-Identifier: MIT
/* Several traces at once. */
#ifndef COMMANDS_TRACES_H
#define COMMANDS_TRACES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/processes.h"

struct traces {
    char **files; /* names for options_open */
    size_t count, capacity;
    bool several; /* two were named, or a directory: a sum even if there is but one */
};

/* What the arguments of a command name: files (see options_open), directories for all traces in them, the newest
   trace of this directory if there is no argument.  False: there is none, as it has then said. */
bool traces_find(struct traces *traces, char **named, size_t count);

/* Adds all traces in a directory, or those of a run (see model/find.h).  False: there is none. */
bool traces_add_directory(struct traces *traces, const char *directory);
bool traces_add_run(struct traces *traces, const char *directory, int32_t run_pid, uint64_t since_ns);

void traces_free(struct traces *traces);

/* The sum of all, and their processes, both to be freed.  Those that cannot be read are left out, and it has
   said so.  False: one was left out; of none at all the sum is empty. */
bool traces_sum(const struct traces *traces, struct trace *sum, struct processes *processes);

#endif
