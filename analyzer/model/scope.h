// SPDX-License-Identifier: MIT
/*
 * A view laid over a trace: which sites are in it, and what of their stacks is seen.  Frames are resolved,
 * matched and grouped once each, when they are first met; so 100,000 sites cost little more than walking
 * their stacks.
 */
#ifndef MODEL_SCOPE_H
#define MODEL_SCOPE_H

#include "model/grouping.h"
#include "model/stack.h"

/* A frame as stacks are made of; each lives, at its place, as long as the scope: two stacks have the same
   frame if the pointers are the same. */
struct scope_frame {
    struct source_frame source;
    uint32_t group; /* 0: not asked for yet; see scope_group() */
    bool runtime;   /* a language's own allocator, to which nothing is attributed */
    bool from, hidden, filtered, excluded, marked; /* matches these patterns of the view */
};

/* What is seen of a site's stack: at least one frame. */
struct scope_stack {
    const struct scope_frame *const *frames; /* innermost first; they are valid until the next question */
    size_t count;
    size_t origin;  /* index of the frame that allocations are attributed to */
    bool truncated; /* it goes on outside, but is not known further */
};

/* A domain of the trace, as a frame: the module bears its name. */
struct scope_domain {
    struct domain domain;
    char name[DOMAIN_NAME_SIZE];
    struct scope_frame frame;
};

struct scope {
    const struct view *view;
    const struct trace *trace;
    struct symbols *symbols;
    struct groups groups;
    struct scope_frames *known; /* by number of the trace's frame */
    uint32_t frame_room, site_room;
    struct scope_frame overflow; /* the ends of stacks that are no frames of the trace */
    struct scope_frame unknown, hidden;
    const struct scope_frame **frames; /* of the last stack */
    size_t count, capacity;
    uint8_t *verdicts; /* by site */
    struct scope_domain heap, **domains; /* by module; null: not met yet, or the heap */
    uint32_t *outermost; /* by node, the module of its outermost frame; of as many as were met */
    uint32_t outermost_count, outermost_room, domain_room;
};

/* What is in a view. */
struct selection {
    struct figures figures;
    size_t sites, of; /* that ever counted anything, of how many in the trace */
};

/* View, trace and symbols must live as long as the scope; the figures of the trace's sites may change, and
   its tables may grow. */
void scope_open(struct scope *scope, const struct view *view, const struct trace *trace,
                struct symbols *symbols);

void scope_close(struct scope *scope);

/* After a change of the view's grouping: groups are numbered anew.  Nothing else of a view may change. */
void scope_regroup(struct scope *scope);

/* Whether a site is in the view. */
bool scope_has(struct scope *scope, uint32_t site);

/* What is seen of the stack of a site that is in the view. */
struct scope_stack scope_stack(struct scope *scope, uint32_t site);

/* The frame that a site's allocations are attributed to: the same as in scope_stack(), but no more of the
   stack is resolved than that takes. */
const struct scope_frame *scope_origin(struct scope *scope, uint32_t site);

/* The domain of a site, in the view or not; it lives as long as the scope. */
const struct scope_domain *scope_domain(struct scope *scope, uint32_t site);

/* The frame by which a site is grouped, without its callers: of its domain, or scope_origin(). */
const struct scope_frame *scope_grouped(struct scope *scope, uint32_t site, enum grouping by);

/* The number in scope->groups of a frame's group. */
uint32_t scope_group(struct scope *scope, const struct scope_frame *frame);

/* Makes *stack that of a site in the view, reusing its memory; start with a zeroed one. */
void scope_copy(struct scope *scope, uint32_t site, struct stack *stack);

/* The sites in the view that ever counted anything, and their sums. */
struct selection scope_select(struct scope *scope);

#endif
