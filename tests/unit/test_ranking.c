// SPDX-License-Identifier: MIT
/* Rows that are kept from look to look are those that are made anew from the same trace. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/ranking.h"
#include "model/rows.h"
#include "model/truncation.h"
#include "model/watch.h"
#include "trace_writer.h"

#define SECOND UINT64_C(1000000000)

static const char *const path = writer_path;
static struct trace_writer writer;
static struct watch *watch;
static struct symbols *symbols;
static struct ranking *ranking;
static uint32_t modules[3], frames[6], domain_frame;
static uint64_t now;
static unsigned seed;

static unsigned below(unsigned limit)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % limit;
}

/* With room for all records, so that sections stay where they are. */
static void save(void)
{
    const struct trace_writer keep = writer;
    size_t size;
    writer.frame_count = writer.node_count = writer.site_count = WRITER_RECORDS;
    unsigned char *image = writer_image(&writer, &size);
    writer = keep;
    writer.header.module_count = writer.module_count;
    writer.header.frame_count = writer.frame_count;
    writer.header.node_count = writer.node_count;
    writer.header.site_count = writer.site_count;
    writer.header.used = size;
    memcpy(image, &writer.header, sizeof(writer.header));
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(pwrite(fd, image, size, 0), size);
    close(fd);
    free(image);
}

/* A site below up to three frames, of the heap or of another domain. */
static uint32_t add_site(void)
{
    uint32_t node = TRACE_NODE_ROOT;
    if (below(3) == 0)
        node = writer_node(&writer, node, domain_frame);
    for (unsigned i = 1 + below(3); i > 0; i--)
        node = writer_node(&writer, node, frames[below(6)]);
    return writer_site(&writer, node);
}

static void count(uint32_t site, int64_t blocks, uint64_t size)
{
    struct trace_counter *counter = writer_counter(&writer, 0, site);
    if (blocks > 0) {
        counter->allocations += (uint64_t)blocks;
        counter->allocated_bytes += (uint64_t)blocks * size;
    } else {
        counter->frees += (uint64_t)-blocks;
        counter->freed_bytes += (uint64_t)-blocks * size;
    }
}

static void look(uint64_t after)
{
    struct failure why;
    size_t changed_count;
    save();
    if (!watch_update(watch, &why))
        fail_msg("%s", why.text);
    const uint32_t *changed = watch_changed(watch, &changed_count);
    now += after;
    ranking_update(ranking, changed, changed_count, now);
}

static void work(void)
{
    while (ranking_work(ranking, 0))
        ;
}

static int set_up(void **state)
{
    (void)state;
    struct failure why;
    size_t changed_count;
    seed = 7;
    now = SECOND;
    unlink(path);
    writer_start(&writer);
    modules[0] = writer_module(&writer, "/nonexistent/alpha.so");
    modules[1] = writer_module(&writer, "/nonexistent/beta.so");
    modules[2] = writer_module(&writer, "/nonexistent/gamma.so");
    domain_frame = writer_frame(&writer, writer_module(&writer, "[domain 7]"), 0);
    for (uint32_t i = 0; i < 6; i++)
        frames[i] = writer_frame(&writer, modules[i % 3], 0x1000 + i);
    for (int i = 0; i < 5; i++)
        count(add_site(), 1 + below(9), 10);
    save();
    watch = watch_open(path, &why);
    assert_non_null(watch);
    symbols = symbols_open(watch_trace(watch));
    ranking = ranking_open(watch_trace(watch), symbols, &(struct view){.metric = METRIC_CURRENT});
    ranking_update(ranking, watch_changed(watch, &changed_count), 0, now);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ranking_close(ranking);
    symbols_close(symbols);
    watch_close(watch);
    return 0;
}

/* --- the same rows -------------------------------------------------------------------------------------- */

static void assert_same_rows(const struct view *view)
{
    struct scope scope;
    struct rows rows;
    size_t rank = 0, there;
    scope_open(&scope, view, watch_trace(watch), symbols);
    rows_make(&rows, &scope);
    while (rank < rows.count && metric_of(rows.all[rank].figures, view->metric))
        rank++;
    const struct ranked *top = ranking_top(ranking, 1000, &there);
    assert_int_equal(there, rank);
    assert_int_equal(ranking_count(ranking), rank);
    struct selection selection = scope_select(&scope);
    assert_memory_equal(ranking_selection(ranking), &selection, sizeof(selection));
    for (size_t i = 0; i < there; i++) {
        assert_memory_equal(top[i].figures, rows.all[i].figures, sizeof(struct figures));
        if (view->by == BY_SITE)
            assert_int_equal(top[i].site, rows.all[i].site);
    }
    top = ranking_top(ranking, 3, &there);
    assert_int_equal(there, rank < 3 ? rank : 3);
    for (size_t i = 0; i < there; i++)
        assert_int_equal(metric_of(top[i].figures, view->metric),
                         metric_of(rows.all[i].figures, view->metric));
    rows_free(&rows);
    scope_close(&scope);
}

static enum grouping any_grouping(bool cumulative)
{
    static const enum grouping groupings[] = {BY_MODULE, BY_DOMAIN, BY_SITE};
    return groupings[below(cumulative ? 2 : 3)];
}

static void any_change(void **state)
{
    (void)state;
    struct failure why;
    struct view view = {.metric = METRIC_CURRENT}, filtered = {.all_frames = true};
    bool filter = false;
    assert_true(patterns_add(&filtered.filter, "module=*beta*", PATTERN_ANY, &why));
    for (int i = 0; i < 500; i++) {
        if (below(15) == 0 && writer.node_count < WRITER_RECORDS - 4)
            count(add_site(), 3, 1 + below(50));
        for (unsigned j = below(4); j > 0; j--)
            count(1 + below(writer.site_count - 1), (int64_t)below(9) - 3, 10);
        if (below(10) == 0)
            ranking_sort(ranking, view.metric = (enum metric)below(METRICS));
        if (below(10) == 0)
            ranking_group(ranking, view.by = any_grouping(false));
        if (below(10) == 0)
            ranking_filter(ranking, (filter = !filter) ? "BETA" : "");
        look(below(2) * SECOND);
        if (below(3))
            ranking_work(ranking, 0); /* a little of it */
        else
            look(1);
        work();
        filtered.metric = view.metric;
        filtered.by = view.by;
        assert_same_rows(filter ? &filtered : &view);
    }
    assert_true(writer.site_count > 15);
    view_free(&filtered);
}

/* --- the same rows of a view ---------------------------------------------------------------------------- */

static const struct narrowing {
    const char *filter, *exclude, *from, *hide;
    bool all_frames, cumulative;
    uint64_t min_bytes, min_blocks;
} narrowings[] = {
    {.filter = "module=*beta*"},
    {.exclude = "module=*beta*", .all_frames = true},
    {.from = "module=*gamma*"},
    {.hide = "module=*alpha*"},
    {.hide = "module=*beta*", .filter = "module=*alpha*", .from = "module=*gamma*", .cumulative = true},
    {.cumulative = true},
    {.min_bytes = 300},
    {.min_blocks = 20, .exclude = "module=*gamma*", .cumulative = true},
};

static void add_pattern(struct patterns *patterns, const char *text)
{
    struct failure why;
    if (text)
        assert_true(patterns_add(patterns, text, PATTERN_ANY, &why));
}

static struct view view_of(const struct narrowing *narrowing)
{
    struct view view = {.metric = METRIC_CURRENT,
                        .by = narrowing->cumulative ? BY_MODULE : BY_SITE,
                        .all_frames = narrowing->all_frames,
                        .cumulative = narrowing->cumulative,
                        .min_bytes = narrowing->min_bytes,
                        .min_blocks = narrowing->min_blocks};
    add_pattern(&view.filter, narrowing->filter);
    add_pattern(&view.exclude, narrowing->exclude);
    add_pattern(&view.from, narrowing->from);
    add_pattern(&view.hide, narrowing->hide);
    return view;
}

/* What a group has is what the sites have that are seen after it is entered. */
static void assert_entered_as_shown(enum grouping by)
{
    size_t there;
    ranking_group(ranking, by);
    work();
    const struct ranked *top = ranking_top(ranking, 1, &there);
    if (!there)
        return;
    struct figures figures = *top[0].figures;
    ranking_enter(ranking, &top[0]);
    work();
    assert_memory_equal(&ranking_selection(ranking)->figures, &figures, sizeof(figures));
    ranking_leave(ranking);
    work();
}

/* While the trace gets more sites and frames. */
static void any_view(void **state)
{
    for (size_t n = 0; n < sizeof(narrowings) / sizeof(narrowings[0]); n++) {
        struct view view = view_of(&narrowings[n]);
        seed = (unsigned)n;
        ranking_close(ranking);
        ranking = ranking_open(watch_trace(watch), symbols, &view);
        for (int i = 0; i < 100; i++) {
            if (below(5) == 0 && writer.node_count < WRITER_RECORDS - 4) {
                frames[below(6)] = writer_frame(&writer, modules[below(3)], 0x2000 + below(0x1000));
                count(add_site(), 3, 1 + below(50));
            }
            for (unsigned j = below(4); j > 0; j--)
                count(1 + below(writer.site_count - 1), (int64_t)below(9) - 3, 10);
            if (below(10) == 0)
                ranking_sort(ranking, view.metric = (enum metric)below(METRICS));
            if (below(10) == 0)
                ranking_group(ranking, view.by = any_grouping(view.cumulative));
            look(1);
            work();
            assert_same_rows(&view);
        }
        assert_true(writer.site_count > 12 && writer.frame_count > 12);
        assert_entered_as_shown(BY_MODULE);
        assert_entered_as_shown(BY_DOMAIN);
        tear_down(state); /* before the view goes */
        set_up(state);
        view_free(&view);
    }
}

/* Sites of which the same is seen are one row, which has a stack and the figures of all. */
static void sites_that_look_the_same(void **state)
{
    (void)state;
    size_t there;
    struct stack stack = {0};
    struct view view = {.metric = METRIC_CURRENT};
    add_pattern(&view.hide, "*beta*");
    add_pattern(&view.hide, "*gamma*");
    uint32_t outer = writer_node(&writer, TRACE_NODE_ROOT, frames[0]);
    uint32_t first = writer_site(&writer, writer_node(&writer, outer, frames[1]));
    uint32_t second = writer_site(&writer, writer_node(&writer, outer, frames[2]));
    ranking_close(ranking);
    ranking = ranking_open(watch_trace(watch), symbols, &view);
    count(first, 1, 100000);
    count(second, 1, 10000);
    look(1);
    work();
    const struct ranked *top = ranking_top(ranking, 1, &there);
    assert_int_equal(there, 1);
    assert_true(top[0].figures->current_bytes >= 110000);
    assert_ptr_equal(ranking_figures(ranking, second), top[0].figures);
    ranking_stack(ranking, top[0].site, &stack);
    assert_int_equal(stack.count, 1);
    assert_string_equal(stack.frames[0].module, "/nonexistent/alpha.so");
    stack_free(&stack);
    view_free(&view);
}

/* --- changes -------------------------------------------------------------------------------------------- */

static const struct ranked *row_of(uint32_t site)
{
    size_t there;
    const struct ranked *top = ranking_top(ranking, 100, &there);
    for (size_t i = 0; i < there; i++)
        if (top[i].site == site)
            return &top[i];
    fail_msg("no row of site %u", site);
    return NULL;
}

static void change_per_second(void **state)
{
    (void)state;
    assert_false(row_of(1)->has_change);
    for (int i = 0; i < 30; i++) {
        count(1, 2, 10);
        count(2, i < 5 ? 1 : 0, 10);
        look(SECOND / 10);
    }
    assert_true(row_of(1)->has_change);
    assert_true(row_of(1)->change > 199 && row_of(1)->change < 201);
    assert_true(row_of(2)->change > -0.001 && row_of(2)->change < 0.001);
    count(1, -10, 10);
    look(SECOND / 10);
    assert_true(row_of(1)->change < 150);
    uint32_t fresh = add_site();
    count(fresh, 7, 100);
    look(SECOND / 10);
    assert_true(row_of(fresh)->has_change && row_of(fresh)->change > 300);
}

/* --- rows that are entered ------------------------------------------------------------------------------ */

static void enter_and_leave(void **state)
{
    (void)state;
    size_t there;
    ranking_group(ranking, BY_MODULE);
    work();
    const struct ranked *top = ranking_top(ranking, 10, &there);
    assert_true(there >= 2);
    struct ranked row = top[1];
    struct figures sum = {0}, whole = *row.figures;
    char *module = strdup(row.frame->module);
    ranking_enter(ranking, &row);
    work();
    assert_string_equal(ranking_inside(ranking)->module, module);
    assert_int_equal(ranking_view(ranking)->by, BY_SITE);
    top = ranking_top(ranking, 100, &there);
    for (size_t i = 0; i < there; i++)
        figures_add(&sum, top[i].figures);
    assert_int_equal(sum.current_bytes, whole.current_bytes);
    assert_true(there > 0 && there < writer.site_count - 1);
    ranking_leave(ranking);
    work();
    assert_null(ranking_inside(ranking));
    assert_int_equal(ranking_view(ranking)->by, BY_MODULE);
    top = ranking_top(ranking, 10, &there);
    assert_string_equal(top[1].frame->module, module);
    free(module);
}

static void nothing(void **state)
{
    (void)state;
    size_t there;
    ranking_filter(ranking, "nowhere");
    work();
    ranking_top(ranking, 10, &there);
    assert_int_equal(there, 0);
    assert_int_equal(ranking_selection(ranking)->sites, 0);
    ranking_filter(ranking, "");
    ranking_top(ranking, 0, &there);
    assert_int_equal(there, 0);
    ranking_top(ranking, 10, &there);
    assert_int_equal(there, 5);
}

int main(void)
{
    truncation_survive();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_view, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sites_that_look_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(change_per_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(enter_and_leave, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, writer_make_place, writer_remove_place);
}
