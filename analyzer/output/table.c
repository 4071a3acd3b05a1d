// SPDX-License-Identifier: MIT
/* The ranked sites of the text report, each with the callers that matter. */
#include <string.h>

#include "output/text.h"
#include "output/units.h"
#include "output/utf8.h"

#define WIDE_ENOUGH 110 /* for callers below their function instead of at the left */

/* What a row shows of a site, by what the sites are ranked by. */
static const struct columns {
    const char *title;
    bool value_is_bytes, second_is_bytes;
    size_t second;
    const char *one, *many; /* of the second */
} columns_of[METRICS] = {
    [METRIC_PEAK] = {.title = "by bytes at the peak",
                     .value_is_bytes = true,
                     .second = offsetof(struct figures, peak_blocks),
                     .one = "block",
                     .many = "blocks"},
    [METRIC_CURRENT] = {.title = "by bytes live now",
                        .value_is_bytes = true,
                        .second = offsetof(struct figures, current_blocks),
                        .one = "block",
                        .many = "blocks"},
    [METRIC_ALLOCATED] = {.title = "by bytes ever allocated",
                          .value_is_bytes = true,
                          .second = offsetof(struct figures, allocations),
                          .one = "allocation",
                          .many = "allocations"},
    [METRIC_ALLOCATIONS] = {.title = "by number of allocations",
                            .second_is_bytes = true,
                            .second = offsetof(struct figures, allocated_bytes),
                            .one = "",
                            .many = ""},
    [METRIC_TEMPORARY] = {.title = "by blocks freed by the very next heap call",
                          .second = offsetof(struct figures, allocations),
                          .one = "allocation",
                          .many = "allocations"},
};

static const char *const nouns[GROUPINGS][2] = {
    [BY_SITE] = {"call site", "call sites"},   [BY_LINE] = {"line", "lines"},
    [BY_FUNCTION] = {"function", "functions"}, [BY_FILE] = {"file", "files"},
    [BY_MODULE] = {"module", "modules"},
};

struct cells {
    char rank[UNITS_SIZE], value[UNITS_SIZE], share[UNITS_SIZE], second[2 * UNITS_SIZE];
};

struct widths {
    int rank, value, share, second;
};

static void fill(struct cells *cells, const struct report *report, size_t number)
{
    const struct columns *columns = &columns_of[report->view->metric];
    const struct figures *figures = report->rows->all[number].figures;
    uint64_t value = metric_of(figures, report->view->metric);
    uint64_t second = *(const uint64_t *)((const char *)figures + columns->second);
    char amount[UNITS_SIZE];
    snprintf(cells->rank, sizeof(cells->rank), "%zu.", number + 1);
    (columns->value_is_bytes ? units_bytes : units_count)(value, cells->value);
    units_share(value, metric_of(&report->trace->totals, report->view->metric), cells->share);
    (columns->second_is_bytes ? units_bytes : units_count)(second, amount);
    snprintf(cells->second, sizeof(cells->second), "%s%s%s", amount, *columns->one ? " " : "",
             text_plural(second, columns->one, columns->many));
}

static void widen(int *width, const char *cell)
{
    int size = (int)strlen(cell);
    *width = size > *width ? size : *width;
}

static struct widths measure(const struct report *report, size_t count)
{
    struct widths widths = {0};
    for (size_t i = 0; i < count; i++) {
        struct cells cells;
        fill(&cells, report, i);
        widen(&widths.rank, cells.rank);
        widen(&widths.value, cells.value);
        widen(&widths.share, cells.share);
        widen(&widths.second, cells.second);
    }
    return widths;
}

static void put_row(const struct text *text, size_t number, const struct widths *widths, struct stack *stack)
{
    const struct report *report = text->report;
    const struct row *row = &report->rows->all[number];
    struct cells cells;
    fill(&cells, report, number);
    fprintf(text->out, "%*s  ", widths->rank, cells.rank);
    text_style(text, TEXT_STRONG);
    fprintf(text->out, "%*s", widths->value, cells.value);
    text_style(text, TEXT_PLAIN);
    fprintf(text->out, "  %*s  %*s  ", widths->share, cells.share, widths->second, cells.second);
    int indent = widths->rank + widths->value + widths->share + widths->second + 8;
    if (report->view->by != BY_SITE) {
        text_place(text, row->frame, indent, true);
        fputc('\n', text->out);
        return;
    }
    static const struct source_frame unknown;
    scope_copy(report->scope, row->site, stack);
    size_t head = report->full ? 0 : stack->origin;
    text_place(text, stack->count ? &stack->frames[head] : &unknown, indent, true);
    fputc('\n', text->out);
    bool below = text->terminal.columns == 0 || text->terminal.columns >= WIDE_ENOUGH;
    text_callers(text, stack, below ? indent : widths->rank + 4);
}

/* Rows in which the metric is zero come last and are not worth a line. */
static size_t rows_to_show(const struct report *report)
{
    size_t count = 0;
    while (count < report->rows->count && (!report->limit || count < report->limit) &&
           metric_of(report->rows->all[count].figures, report->view->metric))
        count++;
    return count;
}

void text_table(const struct text *text)
{
    const struct report *report = text->report;
    size_t count = rows_to_show(report), all = report->rows->total;
    const char *title = columns_of[report->view->metric].title;
    const char *const *noun = nouns[report->view->by];
    char number[UNITS_SIZE];
    if (report->view->metric == METRIC_CURRENT && report->process.end != PROCESS_RUNNING)
        title = "by bytes live at the end";
    if (!count && view_selects(report->view) && !all)
        return; /* the head has said that nothing matches */
    if (!count && all && !report->rows->count) {
        fprintf(text->out, "no %s is that large\n", noun[0]);
        return;
    }
    if (!count) {
        fprintf(text->out, "nothing to rank %s\n", title);
        return;
    }
    if (count < all)
        fprintf(text->out, "%zu of ", count);
    fprintf(text->out, "%s %s, %s%s\n", units_count(all, number), noun[all != 1], title,
            report->view->cumulative ? ", callees included" : "");
    struct widths widths = measure(report, count);
    struct stack stack = {0};
    for (size_t i = 0; i < count; i++)
        put_row(text, i, &widths, &stack);
    stack_free(&stack);
}
