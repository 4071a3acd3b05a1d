// SPDX-License-Identifier: MIT
/*
 * The stacks of all sites as one tree, from the outermost callers to those that allocate: where stacks begin
 * alike, they share nodes.  Functions that were inlined have nodes of their own.  Traces can be added one
 * after another: the nodes then tell what they have in common.
 */
#ifndef MODEL_CALLTREE_H
#define MODEL_CALLTREE_H

#include "model/scope.h"

#define CALLTREE_ROOT 0u         /* number of the node that all outermost callers are called from */
#define CALLTREE_NONE UINT32_MAX /* of a site that is not in the tree */

/* A frame, called from the node `parent`, whose number is smaller. */
struct calltree_node {
    uint32_t parent, frame;
};

/* Frames that a person would take for the same are one: function, file and line are, or, where no file is
   known, function and module, or at last module and address. */
struct calltree_frame {
    struct source_frame source;
    bool runtime; /* an allocation function of a language's runtime, such as C++'s operator new */
};

struct calltree {
    struct calltree_frame *frames;
    struct calltree_node *nodes; /* parents before callees; the first is the root, whose frame says nothing */
    size_t frame_count, node_count, frame_capacity, node_capacity;
    struct calltree_index *index;
};

/* An empty tree. */
void calltree_open(struct calltree *tree);

void calltree_close(struct calltree *tree);

/* Adds the stacks of all sites in the scope that ever counted anything; returns the node of each site of its
   trace, by number, to be freed.  The strings of the symbols must live as long as the tree. */
uint32_t *calltree_add(struct calltree *tree, struct scope *scope);

/* The figures of each node's own sites, without its callees', to be freed; `nodes` is what calltree_add
   returned for the trace. */
struct figures *calltree_figures(const struct calltree *tree, const struct trace *trace,
                                 const uint32_t *nodes);

/* Adds to the figures of each node those of all its callees. */
void calltree_sum(const struct calltree *tree, struct figures *figures);

#endif
