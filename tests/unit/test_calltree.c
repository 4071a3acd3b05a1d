// SPDX-License-Identifier: MIT
/* Stacks as one tree: what they share, which frames are one, sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/calltree.h"
#include "trace_writer.h"

static struct trace_writer writer;
static struct trace traces[2];
static struct symbols *symbols[2];
static struct view view;
static struct scope scopes[2];
static struct calltree tree;
static uint32_t *nodes[2];
static uint32_t shared, leaf, other_leaf, cut, overflow; /* sites */

static void load(size_t which)
{
    char path[] = "/tmp/test_calltree.XXXXXX";
    struct failure why;
    int fd = mkstemp(path);
    writer_save(&writer, path);
    assert_true(trace_read(&traces[which], path, &why));
    close(fd);
    unlink(path);
    symbols[which] = symbols_open(&traces[which]);
    scope_open(&scopes[which], &view, &traces[which], symbols[which]);
}

static uint32_t add_site(uint32_t node, uint64_t blocks)
{
    uint32_t site = writer_site(&writer, node);
    *writer_counter(&writer, 0, site) =
        (struct trace_counter){.allocations = blocks, .allocated_bytes = 10 * blocks};
    return site;
}

/* a -> b (1 block) -> c (10) and -> d (100), the same beyond what is known (1000), and what found no room. */
static void write_trace(uint32_t unused_frames)
{
    writer_start(&writer);
    uint32_t module = writer_module(&writer, "/nonexistent/a.so");
    for (uint32_t i = 0; i < unused_frames; i++) /* other numbers for the same frames */
        writer_frame(&writer, module, 0x9000 + i);
    uint32_t a = writer_node(&writer, TRACE_NODE_ROOT, writer_frame(&writer, module, 0xa));
    uint32_t b_frame = writer_frame(&writer, module, 0xb), b = writer_node(&writer, a, b_frame);
    shared = add_site(b, 1);
    leaf = add_site(writer_node(&writer, b, writer_frame(&writer, module, 0xc)), 10);
    other_leaf = add_site(writer_node(&writer, b, writer_frame(&writer, module, 0xd)), 100);
    cut = add_site(writer_node(&writer, TRACE_NODE_TRUNCATED, b_frame), 1000);
    overflow = add_site(TRACE_NODE_OVERFLOW, 10000);
    writer_site(&writer, a); /* never counted anything */
}

static int make(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        write_trace(7 * (uint32_t)i);
        load(i);
    }
    calltree_open(&tree);
    for (size_t i = 0; i < 2; i++)
        nodes[i] = calltree_add(&tree, &scopes[i]);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    calltree_close(&tree);
    for (size_t i = 0; i < 2; i++) {
        free(nodes[i]);
        scope_close(&scopes[i]);
        symbols_close(symbols[i]);
        trace_free(&traces[i]);
    }
    return 0;
}

static const char *function_of(uint32_t node)
{
    return tree.frames[tree.nodes[node].frame].source.function;
}

static void stacks_share_what_they_have_in_common(void **state)
{
    (void)state;
    assert_int_equal(tree.nodes[nodes[0][leaf]].parent, nodes[0][shared]);
    assert_int_equal(tree.nodes[nodes[0][other_leaf]].parent, nodes[0][shared]);
    assert_int_not_equal(nodes[0][leaf], nodes[0][other_leaf]);
    assert_int_equal(tree.nodes[tree.nodes[nodes[0][shared]].parent].parent, CALLTREE_ROOT);
    /* root, a, b, c, d, [truncated], b, [overflow] */
    assert_int_equal(tree.node_count, 8);
    assert_int_equal(tree.frame_count, 6);
}

static void ends_that_are_not_known_are_nodes(void **state)
{
    (void)state;
    assert_string_equal(function_of(tree.nodes[nodes[0][cut]].parent), "[truncated]");
    assert_int_equal(tree.nodes[nodes[0][cut]].frame, tree.nodes[nodes[0][shared]].frame);
    assert_string_equal(function_of(nodes[0][overflow]), "[overflow]");
    assert_int_equal(tree.nodes[nodes[0][overflow]].parent, CALLTREE_ROOT);
    assert_int_equal(nodes[0][overflow + 1], CALLTREE_NONE);
}

static void parents_come_first(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < tree.node_count; i++)
        assert_true(tree.nodes[i].parent < i);
}

static void another_trace_has_the_same_nodes(void **state)
{
    (void)state;
    assert_int_equal(nodes[0][leaf], nodes[1][leaf]);
    assert_int_equal(nodes[0][cut], nodes[1][cut]);
    assert_int_equal(nodes[0][overflow], nodes[1][overflow]);
}

static void sums(void **state)
{
    (void)state;
    struct figures *figures = calltree_figures(&tree, &traces[0], nodes[0]);
    assert_int_equal(figures[nodes[0][shared]].current_blocks, 1);
    assert_int_equal(figures[CALLTREE_ROOT].current_blocks, 0);
    calltree_sum(&tree, figures);
    assert_int_equal(figures[nodes[0][leaf]].current_blocks, 10);
    assert_int_equal(figures[nodes[0][shared]].current_blocks, 111);
    assert_int_equal(figures[tree.nodes[nodes[0][shared]].parent].current_bytes, 1110);
    assert_memory_equal(&figures[CALLTREE_ROOT], &traces[0].totals, sizeof(*figures));
    free(figures);
}

static void what_is_not_in_the_view_is_not_in_the_tree(void **state)
{
    (void)state;
    struct calltree part;
    struct view filter = {0};
    struct scope scope;
    struct failure why;
    assert_true(patterns_add(&filter.filter, "module=*/a.so", PATTERN_ANY, &why));
    scope_open(&scope, &filter, &traces[0], symbols[0]);
    calltree_open(&part);
    uint32_t *places = calltree_add(&part, &scope);
    assert_int_equal(places[overflow], CALLTREE_NONE);
    assert_int_not_equal(places[leaf], CALLTREE_NONE);
    struct figures *figures = calltree_figures(&part, &traces[0], places);
    calltree_sum(&part, figures);
    assert_int_equal(figures[CALLTREE_ROOT].allocations, 1111);
    free(figures);
    free(places);
    calltree_close(&part);
    scope_close(&scope);
    view_free(&filter);
}

static void hidden_frames_are_their_callers(void **state)
{
    (void)state;
    struct calltree part;
    struct view hiding = {0};
    struct scope scope;
    struct failure why;
    assert_true(patterns_add(&hiding.hide, "module=*/a.so", PATTERN_ANY, &why));
    scope_open(&scope, &hiding, &traces[0], symbols[0]);
    calltree_open(&part);
    uint32_t *places = calltree_add(&part, &scope);
    assert_int_equal(places[leaf], places[other_leaf]);
    assert_int_equal(part.nodes[places[leaf]].parent, CALLTREE_ROOT);
    assert_int_not_equal(places[leaf], places[overflow]);
    free(places);
    calltree_close(&part);
    scope_close(&scope);
    view_free(&hiding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_share_what_they_have_in_common),
        cmocka_unit_test(ends_that_are_not_known_are_nodes),
        cmocka_unit_test(parents_come_first),
        cmocka_unit_test(another_trace_has_the_same_nodes),
        cmocka_unit_test(sums),
        cmocka_unit_test(what_is_not_in_the_view_is_not_in_the_tree),
        cmocka_unit_test(hidden_frames_are_their_callers),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
