// SPDX-License-Identifier: MIT
/* What changed from one trace to another, or from one moment of a trace to another. */
#ifndef MODEL_DIFFERENCE_H
#define MODEL_DIFFERENCE_H

#include "model/rows.h"
#include "model/translation.h"

/* By the view's metric. */
enum change_kind { CHANGE_NONE, CHANGE_NEW, CHANGE_GONE, CHANGE_GROWN, CHANGE_SHRUNK, CHANGE_KINDS };

extern const char *const change_names[CHANGE_KINDS];

/* A site, or a group of sites, on both sides. */
struct change {
    struct figures figures[SIDES];
    enum change_kind kind;
    uint32_t site[SIDES]; /* BY_SITE: its number, or that of the first that is the same; 0: none */
    const struct source_frame *frame; /* otherwise: what its sites have in common */
};

struct difference {
    const struct view *view;
    struct view seen; /* the same, with what is small */
    struct scope scope[SIDES];
    struct selection selection[SIDES];
    struct change
        *all; /* `count` that changed, the largest change first, then those that did not, or that are
                           too small for the view */
    size_t count, total;
    size_t kinds[CHANGE_KINDS]; /* how many of each there are of all */
    bool equal;                 /* nothing differs, by any metric */

    struct rows rows[SIDES]; /* that groups are made of */
    struct groups groups;
};

/* Compares two traces in a view, of which --min-bytes and --min-blocks are for the change.  The translation is
   that of the symbols.  All must live as long. */
void difference_make(struct difference *difference, const struct view *view,
                     const struct trace *const trace[SIDES], struct symbols *const symbols[SIDES],
                     const struct translation *translation);

/* What did not grow is counted no more among the first `count`. */
void difference_keep_grown(struct difference *difference);

void difference_free(struct difference *difference);

/* The side on which a change is looked at: the newer one, if it is there. */
enum side change_side(const struct change *change);

#endif
