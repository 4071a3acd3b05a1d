// SPDX-License-Identifier: MIT
/* Whether a text is anywhere in a stack: in a function, a file, a line or a module, whatever the case.  Of stacks
   as they were recorded each frame is looked at once, and of their paths each node. */
#ifndef MODEL_STACK_FILTER_H
#define MODEL_STACK_FILTER_H

#include "model/scope.h"

/* Begin with a zeroed one: it lets all pass. */
struct stack_filter {
    char *text; /* null: none */
    /* by frame; by node, for it or one of its callers */
    uint8_t *frames, *nodes;
    uint32_t frame_room, node_room;
};

/* Another text; "": none. */
void stack_filter_set(struct stack_filter *filter, const char *text);

void stack_filter_free(struct stack_filter *filter);

/* Whether the site passes: by what the scope shows of its stack. */
bool stack_filter_passes(struct stack_filter *filter, struct scope *scope, uint32_t site);

#endif
