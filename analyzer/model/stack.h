// SPDX-License-Identifier: MIT
/* The stack of a site as places in the source. */
#ifndef MODEL_STACK_H
#define MODEL_STACK_H

#include "model/symbols.h"

/* Of calls and functions inlined there: twice the deepest stack that is ever recorded. */
#define STACK_DEEPEST (1u << 18)

struct stack {
    struct source_frame *frames; /* innermost first */
    size_t count, capacity;
    size_t origin;  /* index of the frame the allocation is attributed to: the innermost that is not
                       an allocation function of a language's runtime, such as C++'s operator new */
    bool truncated; /* it goes on outside, but is not known further */
};

/* What stands at the outer end of a stack that found no room in the recorder's tables. */
extern const struct source_frame stack_overflow;

/* Whether a frame is an allocation function of a language's runtime. */
bool stack_is_runtime(const struct source_frame *frame);

/* The innermost node of a site that is none of the recorder's own: its stack goes from there to the root. */
uint32_t stack_innermost(const struct trace *trace, uint32_t site);

void stack_free(struct stack *stack);

#endif
