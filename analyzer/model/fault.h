// SPDX-License-Identifier: MIT
/* Who is at fault where a limit is exceeded: the largest sites, or those that grew since the baseline. */
#ifndef MODEL_FAULT_H
#define MODEL_FAULT_H

#include "model/checked.h"
#include "model/difference.h"

struct fault {
    struct view view;            /* the same, by the limit's metric */
    struct trace leaking[SIDES]; /* of what leaked: the traces without what is suppressed */
    const struct trace *trace[SIDES];
    struct rows rows; /* of an absolute limit */
    struct scope scope;
    struct difference difference; /* of a relative one: only what grew is counted in */
    bool relative;
};

/* `checked` must live as long. */
void fault_find(struct fault *fault, const struct limit *limit, const struct checked *checked);

void fault_free(struct fault *fault);

#endif
