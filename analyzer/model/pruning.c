// SPDX-License-Identifier: MIT
#include "model/pruning.h"

#include <stdlib.h>
#include <string.h>

#include "model/metric.h"

#define LEAST_SHARE 1e-6 /* that is left out where nothing had to be, had there not been too many */

void pruning_open(struct pruning *pruning, const struct calltree *tree)
{
    pruning->shares = memory_get(tree->node_count, sizeof(*pruning->shares));
    pruning->counting = memory_get(tree->node_count, sizeof(*pruning->counting));
}

void pruning_close(struct pruning *pruning)
{
    free(pruning->shares);
    free(pruning->counting);
}

static float largest_share(const struct figures *figures, const struct figures *whole)
{
    float largest = 0;
    for (enum metric metric = 0; metric < METRICS; metric++) {
        uint64_t all = metric_of(whole, metric);
        float share = all ? (float)((double)metric_of(figures, metric) / (double)all) : 0;
        largest = share > largest ? share : largest;
    }
    return largest;
}

void pruning_consider(struct pruning *pruning, const struct calltree *tree, const struct figures *own)
{
    struct figures *sums = memory_get(tree->node_count, sizeof(*sums));
    memcpy(sums, own, tree->node_count * sizeof(*sums));
    calltree_sum(tree, sums);
    for (size_t i = 0; i < tree->node_count; i++) {
        float share = largest_share(&sums[i], &sums[CALLTREE_ROOT]);
        pruning->shares[i] = share > pruning->shares[i] ? share : pruning->shares[i];
        pruning->counting[i] |= figures_any(&own[i]);
    }
    free(sums);
}

/* A node's share is never larger than its caller's: what is kept is a tree. */
static size_t count_kept(const struct pruning *pruning, const struct calltree *tree, double share)
{
    size_t kept = 1;
    for (size_t i = 1; i < tree->node_count; i++)
        kept += pruning->shares[i] >= share;
    return kept;
}

/* Each node's place: its own, that of the "(other)" it is added to, or, below one that was left out, that
   one's. */
static void place(struct pruned *pruned, const struct calltree *tree, const struct pruning *pruning)
{
    uint32_t *others = memory_get(2 * tree->node_count, sizeof(*others));
    pruned->count = 1;
    for (size_t i = 1; i < tree->node_count; i++) {
        uint32_t parent = tree->nodes[i].parent, place = pruned->places[parent];
        bool in_other = place && pruned->nodes[place].frame == PRUNING_OTHER;
        bool keep = !in_other && pruning->shares[i] >= pruned->threshold;
        if (!keep && !in_other && others[place])
            place = others[place];
        else if (!in_other) {
            pruned->nodes[pruned->count] =
                (struct calltree_node){.parent = place, .frame = keep ? tree->nodes[i].frame : PRUNING_OTHER};
            if (!keep)
                others[place] = (uint32_t)pruned->count;
            place = (uint32_t)pruned->count++;
        }
        pruned->places[i] = place;
        pruned->left_out += !keep;
    }
    free(others);
}

void pruning_apply(const struct pruning *pruning, const struct calltree *tree, double share, size_t most,
                   struct pruned *pruned)
{
    *pruned = (struct pruned){.threshold = share,
                              .nodes = memory_get(2 * tree->node_count, sizeof(*pruned->nodes)),
                              .places = memory_get(tree->node_count, sizeof(*pruned->places)),
                              .counting = memory_get(2 * tree->node_count, sizeof(*pruned->counting))};
    while (count_kept(pruning, tree, pruned->threshold) > most && pruned->threshold <= 1)
        pruned->threshold = pruned->threshold > 0 ? 2 * pruned->threshold : LEAST_SHARE;
    place(pruned, tree, pruning);
    for (size_t i = 0; i < tree->node_count; i++)
        pruned->counting[pruned->places[i]] |= pruning->counting[i];
}

void pruned_free(struct pruned *pruned)
{
    free(pruned->nodes);
    free(pruned->places);
    free(pruned->counting);
}
