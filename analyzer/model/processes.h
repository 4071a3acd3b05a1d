// SPDX-License-Identifier: MIT
/* Processes whose traces are looked at together. */
#ifndef MODEL_PROCESSES_H
#define MODEL_PROCESSES_H

#include "model/process.h"
#include "model/trace.h"

struct one_process {
    char *file; /* its trace */
    char **command;
    size_t command_count;
    char *exe; /* null if unknown */
    int32_t pid;
    uint64_t process_start, started_realtime_ns;
    struct process process;
    bool replaced; /* by the next program that the process ran (exec): that has a trace of its own */
    struct figures totals;
    dev_t device; /* of the file */
    ino_t inode;
};

struct processes {
    struct one_process *all;
    size_t count, capacity;
};

/* Adds the process of a trace, of which nothing is needed afterwards.  False: the very file is there already. */
bool processes_add(struct processes *processes, const char *file, const struct trace *trace);

/* When all were added: the largest peak first, the earlier one of equals. */
void processes_sort(struct processes *processes);

/* From the start of the first to the end of the last: running if one is. */
struct process processes_together(const struct processes *processes);

void processes_free(struct processes *processes);

#endif
