// SPDX-License-Identifier: MIT
/* Source files with what their lines allocate, for a person or a program. */
#ifndef OUTPUT_SOURCE_H
#define OUTPUT_SOURCE_H

#include "model/annotation.h"
#include "output/report.h"

#include <stdio.h>

struct source {
    const struct report *report; /* without rows */
    const struct annotation *annotation;
    const char *const *directories; /* where source is looked for first */
    size_t directory_count;
    bool all; /* whole files, not only what is near lines that allocate */
};

/* The report's head, and each file with figures in the margin.  What is not to be found is shown without
   its text. */
void source_text(FILE *out, const struct source *source);

/* One JSON object: the report's, with files and their lines instead of the sites. */
void source_json(FILE *out, const struct source *source);

#endif
