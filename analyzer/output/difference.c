// SPDX-License-Identifier: MIT
/* The difference for a person. */
#include "output/difference.h"

#include <string.h>

#include "output/text.h"
#include "output/units.h"

#define WIDE_ENOUGH 120 /* for callers below their function instead of at the left */

struct cells {
    char rank[UNITS_SIZE], change[2 * UNITS_SIZE], old[UNITS_SIZE], new[UNITS_SIZE];
};

struct widths {
    int rank, change, old, new;
};

struct writing {
    const struct difference_report *report;
    struct text side[SIDES];
    FILE *out;
    enum metric metric;
    bool counts; /* the metric is a number, not bytes */
};

static const char *const titles[METRICS] = {
    [METRIC_PEAK] = "bytes at the peak",         [METRIC_CURRENT] = "live bytes",
    [METRIC_ALLOCATED] = "bytes ever allocated", [METRIC_ALLOCATIONS] = "allocations",
    [METRIC_TEMPORARY] = "temporary blocks",
};

static const char *amount(uint64_t value, bool counts, char text[UNITS_SIZE])
{
    return counts ? units_count(value, text) : units_bytes(value, text);
}

/* With its sign. */
static void put_change(uint64_t old, uint64_t new, bool counts, char text[2 * UNITS_SIZE])
{
    char value[UNITS_SIZE];
    const char *sign = new > old ? "+" : new < old ? "-" : "";
    snprintf(text, 2 * UNITS_SIZE, "%s%s", sign, amount(new > old ? new - old : old - new, counts, value));
}

/* --- head ---------------------------------------------------------------------------------------------- */

static void put_total(const struct writing *writing, const char *label, size_t offset, bool counts)
{
    const struct difference *difference = writing->report->difference;
    char old[UNITS_SIZE], new[UNITS_SIZE], change[2 * UNITS_SIZE], share[UNITS_SIZE] = "";
    uint64_t value[SIDES];
    for (enum side side = OLD; side < SIDES; side++)
        value[side] = *(const uint64_t *)((const char *)&difference->selection[side].figures + offset);
    if (!value[OLD] && !value[NEW])
        return;
    put_change(value[OLD], value[NEW], counts, change);
    if (value[OLD] && value[OLD] != value[NEW])
        snprintf(share, sizeof(share), "%+.1f %%",
                 100.0 * ((double)value[NEW] - (double)value[OLD]) / (double)value[OLD]);
    if (value[OLD] == value[NEW])
        strcpy(change, "=");
    fprintf(writing->out, "%-11s  %12s  %12s  %13s", label, amount(value[OLD], counts, old),
            amount(value[NEW], counts, new), change);
    fprintf(writing->out, *share ? "  %9s\n" : "\n", share);
}

static void put_totals(const struct writing *writing)
{
    fprintf(writing->out, "\n%-11s  %12s  %12s  %13s\n", "", "old", "new", "change");
    put_total(writing, "current", offsetof(struct figures, current_bytes), false);
    put_total(writing, "peak", offsetof(struct figures, peak_bytes), false);
    put_total(writing, "allocated", offsetof(struct figures, allocated_bytes), false);
    put_total(writing, "allocations", offsetof(struct figures, allocations), true);
    put_total(writing, "temporary", offsetof(struct figures, temporary), true);
    fputc('\n', writing->out);
}

/* --- changes ------------------------------------------------------------------------------------------- */

static void fill(struct cells *cells, const struct writing *writing, size_t number)
{
    const struct change *change = &writing->report->difference->all[number];
    uint64_t old = metric_of(&change->figures[OLD], writing->metric);
    uint64_t new = metric_of(&change->figures[NEW], writing->metric);
    snprintf(cells->rank, sizeof(cells->rank), "%zu.", number + 1);
    put_change(old, new, writing->counts, cells->change);
    amount(old, writing->counts, cells->old);
    amount(new, writing->counts, cells->new);
}

static void widen(int *width, const char *cell)
{
    int size = (int)strlen(cell);
    *width = size > *width ? size : *width;
}

static struct widths measure(const struct writing *writing, size_t count)
{
    struct widths widths = {0};
    for (size_t i = 0; i < count; i++) {
        struct cells cells;
        fill(&cells, writing, i);
        widen(&widths.rank, cells.rank);
        widen(&widths.change, cells.change);
        widen(&widths.old, cells.old);
        widen(&widths.new, cells.new);
    }
    return widths;
}

static void put_stack(const struct writing *writing, const struct change *change, int indent, int narrow)
{
    enum side side = change_side(change);
    const struct text *text = &writing->side[side];
    struct stack stack = {0};
    scope_copy(text->report->scope, change->site[side], &stack);
    text_place(text, &stack.frames[text->report->full ? 0 : stack.origin], indent, true);
    fputc('\n', writing->out);
    bool below = text->terminal.columns == 0 || text->terminal.columns >= WIDE_ENOUGH;
    text_callers(text, &stack, below ? indent : narrow);
    stack_free(&stack);
}

static void put_row(const struct writing *writing, size_t number, const struct widths *widths)
{
    const struct text *text = &writing->side[NEW];
    const struct change *change = &writing->report->difference->all[number];
    struct cells cells;
    fill(&cells, writing, number);
    fprintf(writing->out, "%*s  ", widths->rank, cells.rank);
    text_style(text, TEXT_STRONG);
    fprintf(writing->out, "%*s", widths->change, cells.change);
    text_style(text, TEXT_PLAIN);
    fprintf(writing->out, "  %-6s  %*s %s %-*s  ", change_names[change->kind], widths->old, cells.old,
            text->terminal.wide ? "\u2192" : ">", widths->new, cells.new);
    int indent = widths->rank + widths->change + widths->old + widths->new + 17;
    if (change->frame) {
        text_place(text, change->frame, indent, true);
        fputc('\n', writing->out);
    } else {
        put_stack(writing, change, indent, widths->rank + 4);
    }
}

/* "4 call sites changed: 2 new, 1 gone, 1 grown (17 unchanged)" */
static void put_kinds(const struct writing *writing, size_t changed)
{
    static const enum change_kind order[] = {CHANGE_NEW, CHANGE_GONE, CHANGE_GROWN, CHANGE_SHRUNK};
    static const char *const nouns[GROUPINGS][2] = {
        [BY_SITE] = {"call site", "call sites"},   [BY_LINE] = {"line", "lines"},
        [BY_FUNCTION] = {"function", "functions"}, [BY_FILE] = {"file", "files"},
        [BY_MODULE] = {"module", "modules"},       [BY_DOMAIN] = {"domain", "domains"},
    };
    const struct difference *difference = writing->report->difference;
    const char *between = " changed: ";
    char number[UNITS_SIZE];
    fprintf(writing->out, "%s %s", units_count(changed, number), nouns[difference->view->by][changed != 1]);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        size_t count = difference->kinds[order[i]];
        if (!count)
            continue;
        fprintf(writing->out, "%s%s %s", between, units_count(count, number), change_names[order[i]]);
        between = ", ";
    }
    if (difference->kinds[CHANGE_NONE])
        fprintf(writing->out, " (%s unchanged)", units_count(difference->kinds[CHANGE_NONE], number));
    fputc('\n', writing->out);
}

static void put_changes(const struct writing *writing, size_t changed)
{
    const struct difference *difference = writing->report->difference;
    size_t count = difference->count;
    char number[UNITS_SIZE];
    if (writing->report->limit && count > writing->report->limit)
        count = writing->report->limit;
    put_kinds(writing, changed);
    if (count < changed)
        fprintf(writing->out, "%s of them, ", units_count(count, number));
    fprintf(writing->out, "by change of %s%s\n", titles[writing->metric],
            difference->view->cumulative ? ", callees included" : "");
    struct widths widths = measure(writing, count);
    for (size_t i = 0; i < count; i++)
        put_row(writing, i, &widths);
}

static void put_hint(const struct writing *writing)
{
    const struct difference *difference = writing->report->difference;
    if (difference->view->by == BY_SITE && difference->kinds[CHANGE_NEW] && difference->kinds[CHANGE_GONE])
        fputs("\na call path that goes another way is gone and new: see --group-by function\n", writing->out);
}

static const char *program_of(const struct trace *trace)
{
    const char *exe = trace->exe ? trace->exe : "", *slash = strrchr(exe, '/');
    return slash ? slash + 1 : exe;
}

/* The one sentence when no change is there to be listed. */
static void put_nothing(const struct writing *writing)
{
    const struct difference *difference = writing->report->difference;
    if (difference->equal && !difference->selection[OLD].sites && !difference->selection[NEW].sites)
        fputs("no difference: there is nothing on either side\n", writing->out);
    else if (difference->equal)
        fputs("no difference\n", writing->out);
    else if (difference->kinds[CHANGE_NONE] || !difference->count)
        fprintf(writing->out, "no difference in %s; --sort compares by another figure\n",
                titles[writing->metric]);
}

static struct writing start(FILE *out, const struct difference_report *report)
{
    struct terminal terminal = terminal_of(out);
    enum metric metric = report->difference->view->metric;
    return (struct writing){
        .report = report,
        .out = out,
        .side = {{out, terminal, &report->side[OLD]}, {out, terminal, &report->side[NEW]}},
        .metric = metric,
        .counts = metric == METRIC_ALLOCATIONS || metric == METRIC_TEMPORARY};
}

/* How many of all changed. */
static size_t changes(const struct difference *difference)
{
    return difference->total - difference->kinds[CHANGE_NONE];
}

void difference_changes(FILE *out, const struct difference_report *report)
{
    struct writing writing = start(out, report);
    put_changes(&writing, changes(report->difference));
}

void difference_text(FILE *out, const struct difference_report *report)
{
    const struct difference *difference = report->difference;
    struct writing writing = start(out, report);
    size_t changed = changes(difference);
    text_side(&writing.side[OLD], "old");
    text_side(&writing.side[NEW], "new");
    if (strcmp(program_of(report->side[OLD].trace), program_of(report->side[NEW].trace)) != 0)
        fputs("the programs have different names: what they have in common is compared\n", out);
    put_totals(&writing);
    if (!changed) {
        put_nothing(&writing);
    } else if (!difference->count) {
        fputs("no change is that large\n", out);
    } else {
        put_changes(&writing, changed);
        put_hint(&writing);
    }
}
