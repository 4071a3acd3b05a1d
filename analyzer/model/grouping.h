// SPDX-License-Identifier: MIT
/* Frames that have a line, a function, a file or a module in common, numbered. */
#ifndef MODEL_GROUPING_H
#define MODEL_GROUPING_H

#include "model/view.h"

struct grouped;

/* The groups of one trace, in the order in which they were first met. */
struct groups {
    enum grouping by;
    struct grouped *known; /* by what their frames have in common */
    struct grouped **all;  /* by number, from 1 on */
    size_t count, capacity;
};

/* Of BY_SITE a group is a function: a whole stack is no property of a frame. */
void groups_start(struct groups *groups, enum grouping by);

void groups_free(struct groups *groups);

/* The number of the frame's group, from 1 on.  The frame's strings must live as long as the groups. */
uint32_t groups_number(struct groups *groups, const struct source_frame *frame);

/* What the frames of a group have in common: other members are null and 0. */
const struct source_frame *groups_frame(const struct groups *groups, uint32_t number);

#endif
