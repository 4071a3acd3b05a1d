// SPDX-License-Identifier: MIT
/* What is allocated in the lines of source files. */
#ifndef MODEL_ANNOTATION_H
#define MODEL_ANNOTATION_H

#include "model/scope.h"

struct annotated_line {
    int number;
    struct figures figures;
};

struct annotated_file {
    struct source_frame frame; /* one that is in it */
    struct figures figures;
    struct annotated_line
        *lines; /* by number; those that have something of the metric and are large enough */
    size_t line_count;
};

struct annotation {
    struct annotated_file *files; /* by rank */
    size_t file_count;
    const char *without_lines; /* module of frames that match, but whose line is not known; null: none */
    bool only_callers;         /* frames match, but none that allocations are attributed to */
    struct figures figures;    /* of all files: each site counts once */
};

/* The lines of the frames that are marked in the scope, whose view is BY_LINE: what is attributed to them or,
   in a cumulative view, what is allocated there and below.  Scope and trace must live as long. */
void annotation_make(struct annotation *annotation, struct scope *scope);

void annotation_free(struct annotation *annotation);

#endif
