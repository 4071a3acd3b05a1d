// SPDX-License-Identifier: MIT
/* A call tree without its smallest branches: what is left out is added up in nodes "(other)", so that all
   sums stay. */
#ifndef MODEL_PRUNING_H
#define MODEL_PRUNING_H

#include "model/calltree.h"

#define PRUNING_OTHER UINT32_MAX /* the frame of such a node */

struct pruning {
    float *shares;  /* of each node with its callees: the largest of any figure at any moment */
    bool *counting; /* whether a node has sites of its own */
};

/* The tree that is left. */
struct pruned {
    struct calltree_node *nodes; /* parents before callees; the first is the root */
    size_t count;
    uint32_t *places; /* by node of the whole tree: where its figures are */
    bool *counting;   /* as above, by node of this tree */
    size_t left_out;  /* nodes */
    double threshold; /* share below which they were */
};

/* For the tree as it now is. */
void pruning_open(struct pruning *pruning, const struct calltree *tree);

void pruning_close(struct pruning *pruning);

/* Takes the figures of one moment into account: those of the nodes' own sites. */
void pruning_consider(struct pruning *pruning, const struct calltree *tree, const struct figures *own);

/* Leaves out what is below the share everywhere, or below a larger one, until at most `most` are kept. */
void pruning_apply(const struct pruning *pruning, const struct calltree *tree, double share, size_t most,
                   struct pruned *pruned);

void pruned_free(struct pruned *pruned);

#endif
