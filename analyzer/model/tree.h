// SPDX-License-Identifier: MIT
/*
 * A view's stacks as one tree: from the outermost callers to what they call, or inverted, from where blocks
 * are allocated to the callers.  A node's figures are those of its children, of what goes no further, and of
 * children too small to be nodes.
 */
#ifndef MODEL_TREE_H
#define MODEL_TREE_H

#include "model/scope.h"

struct tree_node {
    const struct source_frame *frame; /* what its frames have in common; null: what goes no further than the
                                         parent, beside its other children */
    struct figures figures;           /* with all that is below */
    uint32_t parent, child, next;     /* child and next sibling by rank; 0: none */
    uint32_t children;
    bool recursive; /* a function or line that calls itself directly, which is one node */

    uint32_t folded;     /* children that are no nodes */
    struct figures rest; /* of these together */
};

struct tree {
    struct tree_node *nodes; /* the first is none of the program's: its children are the roots */
    size_t count, capacity;
};

/* The tree of what is in the scope and has something of the view's metric; nodes have `least` of it or more
   and are large enough for the view; frames are one node if they are one group (see model/grouping.h).
   False: there are too many stacks. */
bool tree_make(struct tree *tree, struct scope *scope, bool inverted, uint64_t least, struct failure *why);

void tree_free(struct tree *tree);

/* The node that follows in the order of writing, parents first; 0: none. */
uint32_t tree_following(const struct tree *tree, uint32_t node);

#endif
