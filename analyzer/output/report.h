// SPDX-License-Identifier: MIT
/* What a report is made of, ready to be written. */
#ifndef OUTPUT_REPORT_H
#define OUTPUT_REPORT_H

#include "model/grouping.h"
#include "model/process.h"
#include "model/stack.h"
#include "model/trace.h"

struct report {
    const char *file; /* as the user named it; null: found in the current directory */
    const struct trace *trace;
    struct symbols *symbols; /* stacks are resolved as they are written */
    struct process process;
    const struct rows *rows;
    enum grouping by;
    enum metric metric;
    size_t limit; /* of rows; 0: all */
    bool full;    /* whole stacks */
};

#endif
