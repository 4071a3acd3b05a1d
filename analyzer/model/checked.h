// SPDX-License-Identifier: MIT
/* A trace that is held against limits, and the baseline if there is one: what each has. */
#ifndef MODEL_CHECKED_H
#define MODEL_CHECKED_H

#include "model/limits.h"
#include "model/translation.h"

struct checked_side {
    const struct trace *trace; /* null: there is no baseline; nor is there then what follows */
    struct symbols *symbols;
    struct scope scope;
    struct selection selection;
    struct leaks leaks; /* zeroed if nobody asked */
    struct amounts amounts;
};

struct checked {
    const struct view *view;                 /* which sites count: by METRIC_CURRENT, BY_SITE */
    const struct suppressions *suppressions; /* null: what leaked is not asked for */
    struct checked_side side[SIDES];
    struct translation *translation; /* of a baseline */
};

/* Measures the trace trace[NEW] and the baseline trace[OLD], which may be null.  All must live as long. */
void checked_open(struct checked *checked, const struct view *view, const struct suppressions *suppressions,
                  const struct trace *const trace[SIDES]);

void checked_close(struct checked *checked);

#endif
