// SPDX-License-Identifier: MIT
/* Trees of stacks: what is below what, and what is folded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/tree.h"
#include "stacks_writer.h"

static const char *const written[] = {
    "main run put",          /* 1 */
    "main run",              /* 10 */
    "main load run",         /* 100 */
    "thread put",            /* 1000 */
    "main run !run run put", /* 10000: recursion */
    "main load",             /* 100000 */
};

static struct trace trace;
static struct symbols *symbols;

static int setup(void **state)
{
    (void)state;
    stacks_write(&trace, written, sizeof(written) / sizeof(written[0]));
    symbols = symbols_open(&trace);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    symbols_close(symbols);
    trace_free(&trace);
    return 0;
}

/* Every node's sum is that of what is below, and nothing has been lost. */
static void assert_sums(const struct tree *tree)
{
    uint64_t *below = memory_get(tree->count, sizeof(*below));
    for (size_t i = tree->count; i-- > 0;) {
        const struct tree_node *node = &tree->nodes[i];
        uint32_t children = 0;
        uint64_t last = UINT64_MAX;
        below[i] += node->rest.peak_bytes;
        for (uint32_t child = node->child; child; child = tree->nodes[child].next, children++) {
            assert_int_equal(tree->nodes[child].parent, i);
            assert_true(child > i && tree->nodes[child].figures.peak_bytes <= last);
            last = tree->nodes[child].figures.peak_bytes;
            below[i] += last;
        }
        assert_int_equal(children, node->children);
        if (below[i] || i == 0)
            assert_int_equal(below[i], node->figures.peak_bytes);
    }
    free(below);
}

/* One line: "main 11(run 11)", children in brackets, "itself" for what goes no further, "+N" for folded. */
static void draw(const struct tree *tree, uint32_t number, char *to)
{
    const struct tree_node *node = &tree->nodes[number];
    if (number)
        sprintf(to + strlen(to), "%s %lu", node->frame ? node->frame->module + strlen("/m/") : "itself",
                (unsigned long)node->figures.peak_bytes);
    if (!node->child && !node->folded)
        return;
    strcat(to, number ? "(" : "");
    for (uint32_t child = node->child; child; child = tree->nodes[child].next) {
        draw(tree, child, to);
        strcat(to, tree->nodes[child].next ? " " : "");
    }
    if (node->folded)
        sprintf(to + strlen(to), " +%u %lu", node->folded, (unsigned long)node->rest.peak_bytes);
    strcat(to, number ? ")" : "");
}

static void assert_tree(const struct view *view, bool inverted, uint64_t least, const char *expected)
{
    struct scope scope;
    struct tree tree;
    struct failure why;
    char drawn[1024] = "";
    scope_open(&scope, view, &trace, symbols);
    assert_true(tree_make(&tree, &scope, inverted, least, &why));
    assert_sums(&tree);
    draw(&tree, 0, drawn);
    assert_string_equal(drawn, expected);
    tree_free(&tree);
    scope_close(&scope);
}

static const struct view by_module = {.by = BY_MODULE};

static void from_callers(void **state)
{
    (void)state;
    assert_tree(&by_module, false, 0,
                "main 110111(load 100100(itself 100000 run 100) run 10011(put 10001 itself 10)) "
                "thread 1000(put 1000)");
}

static void inverted(void **state)
{
    (void)state;
    assert_tree(&by_module, true, 0,
                "load 100000(main 100000) put 11001(run 10001(main 10001) thread 1000) "
                "run 110(load 100(main 100) main 10)");
}

static void folded(void **state)
{
    (void)state;
    assert_tree(&by_module, false, 1000,
                "main 110111(load 100100(itself 100000 +1 100) run 10011(put 10001 +1 10)) "
                "thread 1000(put 1000)");
    assert_tree(&by_module, false, 100101, "main 110111( +2 110111) +1 1000");
    assert_tree(&by_module, false, 200000, " +2 111111");
}

static void small_nodes(void **state)
{
    (void)state;
    struct view view = {.by = BY_MODULE, .min_blocks = 10000};
    assert_tree(&view, true, 0, "load 100000(main 100000) put 11001(run 10001(main 10001) +1 1000) +1 110");
}

static void of_a_view(void **state)
{
    (void)state;
    struct failure why;
    struct view view = {.by = BY_MODULE};
    assert_true(patterns_add(&view.from, "main", PATTERN_ANY, &why));
    assert_true(patterns_add(&view.hide, "load", PATTERN_ANY, &why));
    assert_tree(&view, false, 0, "main 110111(itself 100000 run 10111(put 10001 itself 110))");
    assert_true(patterns_add(&view.filter, "thread", PATTERN_ANY, &why));
    assert_tree(&view, false, 0, "");
    view_free(&view);
}

static void nothing_of_the_metric(void **state)
{
    (void)state;
    const struct view view = {.by = BY_MODULE, .metric = METRIC_TEMPORARY};
    assert_tree(&view, false, 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_callers), cmocka_unit_test(inverted),  cmocka_unit_test(folded),
        cmocka_unit_test(small_nodes),  cmocka_unit_test(of_a_view), cmocka_unit_test(nothing_of_the_metric),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
