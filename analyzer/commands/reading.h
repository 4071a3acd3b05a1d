// SPDX-License-Identifier: MIT
/* A trace as a view shows it, from its symbols to what is written of it. */
#ifndef COMMANDS_READING_H
#define COMMANDS_READING_H

#include "model/progress.h"
#include "model/scope.h"
#include "output/report.h"

struct reading {
    struct symbols *symbols;
    struct scope scope;
    struct progress progress;
    struct report report; /* to which the command adds its rows, and how they are written */
};

/* `file`: as the user named it, or null.  Until reading_is_made() it shows what takes its time. */
void reading_begin(struct reading *reading, const struct trace *trace, const struct view *view,
                   const char *file);
void reading_is_made(struct reading *reading);

/* When it is written: says what would help to name more of it, and frees all. */
void reading_end(struct reading *reading);

#endif
