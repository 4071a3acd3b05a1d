// SPDX-License-Identifier: MIT
/* Stacks as a view shows them, numbered: those of which the same is seen have the same number. */
#ifndef MODEL_STACK_NUMBERS_H
#define MODEL_STACK_NUMBERS_H

#include "model/scope.h"

struct numbered_branch;

/* Zeroed to begin with. */
struct stack_numbers {
    struct numbered_branch *known;
    uint32_t count; /* of numbers: the next one is one more */
};

void stack_numbers_free(struct stack_numbers *numbers);

/* The number of a stack, from 1 on, in the order in which they were first met.  The stack's scope must live as
   long as the numbers. */
uint32_t stack_number(struct stack_numbers *numbers, const struct scope_stack *stack);

#endif
