// SPDX-License-Identifier: MIT
/*
 * What somebody wants to see of a trace, the same for every command.  All zero: every site, its whole stack,
 * by bytes at the peak.  In this order: stacks are cut at `from`, frames of `hide` are left out, filters
 * look at what remains, what passes them is added up, rows that are too small are left out.
 */
#ifndef MODEL_VIEW_H
#define MODEL_VIEW_H

#include "model/domain.h"
#include "model/metric.h"
#include "model/pattern.h"

/* By what sites are added up: a site is its whole stack; a domain goes by the outermost frame; the others go by the
   frame an allocation is attributed to (see model/stack.h). */
enum grouping { BY_SITE, BY_LINE, BY_FUNCTION, BY_FILE, BY_MODULE, BY_DOMAIN, GROUPINGS };

extern const char *const grouping_names[GROUPINGS];

struct view {
    enum metric metric;
    enum grouping by;
    bool cumulative; /* a row includes what its callees allocate; not with BY_SITE or BY_DOMAIN */
    struct patterns filter, exclude; /* a site is in if it has one of the first (or there is none), and none
                                        of the second */
    struct domains domains;          /* only what is of these; none: of any */
    bool all_frames;                 /* filters look at the whole stack, not only at the attributed frame */
    struct patterns from;            /* only what is below such a frame, the outermost of a stack */
    struct patterns hide;            /* frames that are not shown: they count as their callers */
    struct patterns marked;          /* frames that a command looks for; they change nothing in the view */
    uint64_t min_bytes, min_blocks;  /* of a row, by the metric */
};

void view_free(struct view *view);

/* Whether some sites may not be in it. */
bool view_selects(const struct view *view);

/* Whether callees are added up, too: a whole stack has none, and a domain neither. */
bool view_adds_callees(const struct view *view);

/* Whether stacks are seen other than they were recorded. */
bool view_reshapes(const struct view *view);

/* Whether a row of these figures is large enough. */
bool view_shows(const struct view *view, const struct figures *figures);

#endif
