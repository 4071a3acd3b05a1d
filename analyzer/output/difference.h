// SPDX-License-Identifier: MIT
/* What changed between two traces, for a person and for programs. */
#ifndef OUTPUT_DIFFERENCE_H
#define OUTPUT_DIFFERENCE_H

#include <stdio.h>

#include "model/difference.h"
#include "output/report.h"

struct difference_report {
    const struct difference *difference;
    struct report side[SIDES]; /* each without rows */
    size_t limit;              /* of changes; 0: all */
};

void difference_text(FILE *out, const struct difference_report *report);

/* Only the changes, of which there are some. */
void difference_changes(FILE *out, const struct difference_report *report);

/* One object: both sides as in the report, then the changes. */
void difference_json(FILE *out, const struct difference_report *report);

/* The member of the changes, and the closing brace. */
void difference_json_changes(FILE *out, const struct difference_report *report);

/* A line for each stack that has anything on either side, as programs for differential flame graphs take it:
   functions from outside in, with ";" between them, then the old and the new figure of the metric. */
void difference_folded(FILE *out, const struct difference_report *report);

#endif
