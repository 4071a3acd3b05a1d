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

/* Calls `visit` for the frames of a site from the innermost on, until it returns false. */
typedef bool frame_visitor(const struct source_frame *frame, void *context);
static void visit_frames(const struct trace *trace, struct symbols *symbols, uint32_t site,
                         frame_visitor *visit, void *context)
{
    uint32_t node = stack_innermost(trace, site);
    for (; node >= TRACE_NODE_FIRST; node = trace->nodes[node].parent) {
        struct source_frames here = symbols_resolve(symbols, trace->nodes[node].frame);
        for (size_t i = 0; i < here.count; i++)
            if (!visit(&here.frames[i], context))
                return;
    }
    if (node == TRACE_NODE_OVERFLOW)
        visit(&stack_overflow, context);
}

static bool push(const struct source_frame *frame, void *context)
{
    struct stack *stack = context;
    if (stack->count == STACK_DEEPEST) {
        stack->truncated = true;
        return false;
    }
    stack->frames = memory_grow(stack->frames, stack->count, &stack->capacity, sizeof(*frame));
    stack->frames[stack->count++] = *frame;
    return true;
}

void stack_of_site(struct stack *stack, const struct trace *trace, struct symbols *symbols, uint32_t site)
{
    stack->count = stack->origin = 0;
    stack->truncated = trace->sites[site].truncated;
    visit_frames(trace, symbols, site, push, stack);
    while (stack->origin + 1 < stack->count && stack_is_runtime(&stack->frames[stack->origin]))
        stack->origin++;
}

void stack_free(struct stack *stack)
{
    free(stack->frames);
    *stack = (struct stack){0};
}

static bool until_origin(const struct source_frame *frame, void *context)
{
    *(struct source_frame *)context = *frame;
    return stack_is_runtime(frame);
}

struct source_frame stack_origin(const struct trace *trace, struct symbols *symbols, uint32_t site)
{
    struct source_frame origin = {0};
    visit_frames(trace, symbols, site, until_origin, &origin);
    return origin;
}
