// SPDX-License-Identifier: MIT
/* What a report is made of, ready to be written. */
#ifndef OUTPUT_REPORT_H
#define OUTPUT_REPORT_H

#include "model/process.h"
#include "model/processes.h"
#include "model/rows.h"
#include "model/stack.h"
#include "model/trace.h"

struct report {
    const char *file; /* as the user named it; null: found in the current directory */
    const struct trace *trace;
    struct symbols *symbols; /* stacks are resolved as they are written */
    struct process process;
    const struct processes *processes; /* whose sum the trace is, null: it is of one */
    char **files;                      /* of a sum: as the user named them, file_count of them */
    size_t file_count;
    const struct view *view;
    struct scope *scope; /* the view, on this trace */
    struct selection selection;
    const struct rows *rows; /* null where something else is shown of the selection */
    size_t limit;            /* of rows; 0: all */
    bool full;               /* whole stacks */
};

#endif
