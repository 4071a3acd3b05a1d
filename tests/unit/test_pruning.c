// SPDX-License-Identifier: MIT
/* A call tree without its smallest branches: what is kept, where the rest is added, and that sums stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/pruning.h"

/* 0 -> 1 -> 2 -> 3, 1 -> 4 -> 5, 0 -> 6 */
enum { NODES = 7 };
static struct calltree_node all[NODES] = {{0, 0}, {0, 10}, {1, 20}, {2, 30}, {1, 40}, {4, 50}, {0, 60}};
static const struct calltree tree = {.nodes = all, .node_count = NODES};

/* Bytes at two moments: of the second only 5 is something. */
static const uint64_t bytes[2][NODES] = {{0, 0, 900, 0, 6, 4, 90}, {0, 0, 0, 0, 0, 1, 0}};

static struct figures *figures_at(size_t moment)
{
    static struct figures figures[NODES];
    memset(figures, 0, sizeof(figures));
    for (size_t i = 0; i < NODES; i++)
        figures[i].current_bytes = bytes[moment][i];
    return figures;
}

static struct pruned prune(size_t moments, double share, size_t most)
{
    struct pruning pruning;
    struct pruned pruned;
    pruning_open(&pruning, &tree);
    for (size_t i = 0; i < moments; i++)
        pruning_consider(&pruning, &tree, figures_at(i));
    pruning_apply(&pruning, &tree, share, most, &pruned);
    pruning_close(&pruning);
    return pruned;
}

static void nothing_is_left_out_without_a_share(void **state)
{
    (void)state;
    struct pruned pruned = prune(1, 0, 100);
    assert_int_equal(pruned.count, NODES);
    assert_int_equal(pruned.left_out, 0);
    for (uint32_t i = 0; i < NODES; i++)
        assert_int_equal(pruned.places[i], i);
    pruned_free(&pruned);
}

static void small_branches_are_one(void **state)
{
    (void)state;
    struct pruned pruned = prune(1, 0.05, 100); /* of 1000 */
    /* root, 1, 2, (other) of 2 with 3, (other) of 1 with 4 and 5, 6 */
    assert_int_equal(pruned.count, 6);
    assert_int_equal(pruned.left_out, 3);
    assert_int_equal(pruned.places[4], pruned.places[5]);
    assert_int_equal(pruned.nodes[pruned.places[4]].frame, PRUNING_OTHER);
    assert_int_equal(pruned.nodes[pruned.places[4]].parent, pruned.places[1]);
    assert_int_equal(pruned.nodes[pruned.places[6]].frame, 60);
    assert_true(pruned.counting[pruned.places[4]]);
    assert_false(pruned.counting[pruned.places[1]]);
    for (uint32_t i = 1; i < pruned.count; i++)
        assert_true(pruned.nodes[i].parent < i);
    pruned_free(&pruned);
}

static void what_is_large_at_any_moment_stays(void **state)
{
    (void)state;
    struct pruned pruned = prune(2, 0.05, 100);
    assert_int_equal(pruned.nodes[pruned.places[5]].frame, 50);
    assert_int_equal(pruned.nodes[pruned.places[5]].parent, pruned.places[4]);
    assert_int_equal(pruned.left_out, 1);
    pruned_free(&pruned);
}

static void more_is_left_out_of_too_many(void **state)
{
    (void)state;
    struct pruned pruned = prune(1, 0.01, 3); /* root, 1, 2 */
    assert_true(pruned.threshold > 0.09);
    assert_int_equal(pruned.nodes[pruned.places[6]].frame, PRUNING_OTHER);
    assert_int_equal(pruned.nodes[pruned.places[2]].frame, 20);
    assert_int_equal(pruned.left_out, 4);
    pruned_free(&pruned);
    pruned = prune(1, 0, 3);
    assert_int_equal(pruned.left_out, 4);
    pruned_free(&pruned);
    pruned = prune(1, 0, 0); /* the root always stays */
    assert_int_equal(pruned.left_out, NODES - 1);
    pruned_free(&pruned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_out_without_a_share),
        cmocka_unit_test(small_branches_are_one),
        cmocka_unit_test(what_is_large_at_any_moment_stays),
        cmocka_unit_test(more_is_left_out_of_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
