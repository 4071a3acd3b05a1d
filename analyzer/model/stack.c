// SPDX-License-Identifier: MIT
#include "model/stack.h"

#include <stdlib.h>
#include <string.h>

const struct source_frame stack_overflow = {.function = "[overflow]"};

/* What stands between malloc and the code that wanted a block: nobody looks for these. */
static const char *const runtime_allocators[] = {
    "operator new(",
    "operator new[](",
    "std::allocator<",
    "std::allocator_traits<",
    "__gnu_cxx::",
    "std::__new_allocator<",
    "std::__allocate_guarded<",
    "std::__allocated_ptr<", /* its return type */
    "__rust_alloc",
    "__rdl_alloc",
    "__rg_alloc",
    "alloc::alloc::",
    "tracemalloc_track", /* of tracemalloc.h */
};

bool stack_is_runtime(const struct source_frame *frame)
{
    for (size_t i = 0; frame->function && i < sizeof(runtime_allocators) / sizeof(char *); i++)
        if (strncmp(frame->function, runtime_allocators[i], strlen(runtime_allocators[i])) == 0)
            return true;
    return false;
}

static bool is_recorder(const struct trace *trace, const struct trace_node *node)
{
    const char *module = trace->module_paths[trace->frames[node->frame].module];
    const char *name = module ? strrchr(module, '/') : NULL;
    return name && strcmp(name, "/libtrace.so") == 0;
}

uint32_t stack_innermost(const struct trace *trace, uint32_t site)
{
    uint32_t node = trace->sites[site].node;
    while (node >= TRACE_NODE_FIRST && is_recorder(trace, &trace->nodes[node]))
        node = trace->nodes[node].parent;
    return node;
}

void stack_free(struct stack *stack)
{
    free(stack->frames);
    *stack = (struct stack){0};
}
