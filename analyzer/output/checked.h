// SPDX-License-Identifier: MIT
/* How a trace stands to its limits, for a person and for programs. */
#ifndef OUTPUT_CHECKED_H
#define OUTPUT_CHECKED_H

#include <stdio.h>

#include "model/fault.h"
#include "output/report.h"

struct checked_report {
    struct report side[SIDES]; /* without rows; the older is the baseline, without a trace if there is none */
    const struct checked *checked;
    const struct limits *limits; /* judged */
    bool fine;                   /* all hold */
    size_t limit;                /* of sites at fault; 0: all */
};

/* A line for each limit, then who is at fault. */
void checked_text(FILE *out, const struct checked_report *report);

/* A side of the report as it is where a limit is exceeded. */
struct report checked_side_of(const struct checked_report *report, struct fault *fault, enum side side);

/* One object; each limit has the sites at fault. */
void checked_json(FILE *out, const struct checked_report *report);

#endif
