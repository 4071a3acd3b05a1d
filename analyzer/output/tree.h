// SPDX-License-Identifier: MIT
/* A view's stacks as a tree, for a person or a program. */
#ifndef OUTPUT_TREE_H
#define OUTPUT_TREE_H

#include "model/tree.h"
#include "output/report.h"

#include <stdio.h>

struct call_tree {
    const struct report *report; /* without rows */
    const struct tree *tree;
    bool inverted;  /* from callee to caller */
    double percent; /* of what is selected: below it children are folded */
};

/* The report's head, and the tree, indented where it branches. */
void tree_text(FILE *out, const struct call_tree *call_tree);

/* One JSON object: the report's, with the nodes instead of the sites, parents first. */
void tree_json(FILE *out, const struct call_tree *call_tree);

#endif
