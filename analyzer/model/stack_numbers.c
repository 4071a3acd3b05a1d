// SPDX-License-Identifier: MIT
#include "model/stack_numbers.h"

#include <stdlib.h>
#include <uthash.h>

/* What is seen of stacks, as a tree from outside: it takes no more than the trace's own. */
struct numbered_branch {
    UT_hash_handle hh;
    struct {
        const struct numbered_branch *parent;
        const struct scope_frame *frame; /* null: the stack goes on outside, but is not known further */
    } key;
    uint32_t number; /* of the stack that ends here; 0: none does */
};

static struct numbered_branch *step(struct stack_numbers *numbers, const struct numbered_branch *parent,
                                    const struct scope_frame *frame)
{
    struct numbered_branch *branch, sought = {.key = {parent, frame}};
    HASH_FIND(hh, numbers->known, &sought.key, sizeof(sought.key), branch);
    if (branch)
        return branch;
    branch = memory_get(1, sizeof(*branch));
    branch->key = sought.key;
    HASH_ADD(hh, numbers->known, key, sizeof(branch->key), branch);
    return branch;
}

uint32_t stack_number(struct stack_numbers *numbers, const struct scope_stack *stack)
{
    struct numbered_branch *branch = stack->truncated ? step(numbers, NULL, NULL) : NULL;
    for (size_t i = stack->count; i-- > 0;)
        branch = step(numbers, branch, stack->frames[i]);
    if (!branch->number)
        branch->number = ++numbers->count;
    return branch->number;
}

void stack_numbers_free(struct stack_numbers *numbers)
{
    struct numbered_branch *branch, *next;
    HASH_ITER(hh, numbers->known, branch, next)
    {
        HASH_DEL(numbers->known, branch);
        free(branch);
    }
    *numbers = (struct stack_numbers){0};
}
