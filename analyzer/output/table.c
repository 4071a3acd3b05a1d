// SPDX-License-Identifier: MIT
/* The ranked sites of the text report, each with the callers that matter. */
#include <stdio.h>

#include "output/cells.h"

#define WIDE_ENOUGH 110 /* for callers below their function instead of at the left */

static const char *const nouns[GROUPINGS][2] = {
    [BY_SITE] = {"call site", "call sites"},   [BY_LINE] = {"line", "lines"},
    [BY_FUNCTION] = {"function", "functions"}, [BY_FILE] = {"file", "files"},
    [BY_MODULE] = {"module", "modules"},       [BY_DOMAIN] = {"domain", "domains"},
};

struct widths {
    int rank;
    struct cell_widths cells;
};

static int put_rank(const struct text *text, size_t number, int width)
{
    return fprintf(text->out, "%*zu.  ", width, number + 1);
}

static struct widths measure(const struct report *report, size_t count)
{
    struct widths widths = {.rank = snprintf(NULL, 0, "%zu", count)};
    for (size_t i = 0; i < count; i++) {
        struct cells cells;
        cells_fill(&cells, report, report->rows->all[i].figures);
        cells_widen(&widths.cells, &cells);
    }
    return widths;
}

static void put_row(const struct text *text, size_t number, const struct widths *widths, struct stack *stack)
{
    const struct report *report = text->report;
    const struct row *row = &report->rows->all[number];
    struct cells cells;
    cells_fill(&cells, report, row->figures);
    int indent = put_rank(text, number, widths->rank) + cells_columns(&widths->cells);
    cells_put(text, &cells, &widths->cells);
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
    text_callers(text, stack, below ? indent : widths->rank + 5);
}

/* Rows in which the metric is zero come last and are not worth a line; blocks of no bytes are blocks. */
static bool is_worth(const struct figures *figures, enum metric metric)
{
    return metric_of(figures, metric) || (metric == METRIC_CURRENT && figures->current_blocks);
}

static size_t rows_to_show(const struct report *report)
{
    size_t count = 0;
    while (count < report->rows->count && (!report->limit || count < report->limit) &&
           is_worth(report->rows->all[count].figures, report->view->metric))
        count++;
    return count;
}

bool text_table(const struct text *text)
{
    const struct report *report = text->report;
    size_t count = rows_to_show(report), all = report->rows->total;
    const char *title = cells_title(report);
    const char *const *noun = nouns[report->view->by];
    char number[UNITS_SIZE];
    if (!count && view_selects(report->view) && !all)
        return false; /* the head has said that nothing matches */
    if (!count && all && !report->rows->count) {
        fprintf(text->out, "no %s is that large\n", noun[0]);
        return false;
    }
    if (!count) {
        fprintf(text->out, "nothing to rank %s\n", title);
        return false;
    }
    if (count < all)
        fprintf(text->out, "%zu of ", count);
    fprintf(text->out, "%s %s, %s%s\n", units_count(all, number), noun[all != 1], title,
            view_adds_callees(report->view) ? ", callees included" : "");
    struct widths widths = measure(report, count);
    struct stack stack = {0};
    for (size_t i = 0; i < count; i++)
        put_row(text, i, &widths, &stack);
    stack_free(&stack);
    return true;
}
