// SPDX-License-Identifier: MIT
#include "output/cells.h"

#include <stdio.h>
#include <string.h>

/* By what is ranked. */
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

const char *cells_title(const struct report *report)
{
    if (report->view->metric == METRIC_CURRENT && report->trace->at)
        return "by bytes live then";
    if (report->view->metric == METRIC_CURRENT && report->process.end != PROCESS_RUNNING)
        return "by bytes live at the end";
    return columns_of[report->view->metric].title;
}

void cells_fill(struct cells *cells, const struct report *report, const struct figures *figures)
{
    enum metric metric = report->view->metric;
    const struct columns *columns = &columns_of[metric];
    uint64_t value = metric_of(figures, metric);
    uint64_t second = *(const uint64_t *)((const char *)figures + columns->second);
    char amount[UNITS_SIZE];
    (columns->value_is_bytes ? units_bytes : units_count)(value, cells->value);
    units_share(value, metric_of(&report->trace->totals, metric), cells->share);
    (columns->second_is_bytes ? units_bytes : units_count)(second, amount);
    snprintf(cells->second, sizeof(cells->second), "%s%s%s", amount, *columns->one ? " " : "",
             text_plural(second, columns->one, columns->many));
}

static void widen(int *width, const char *cell)
{
    int size = (int)strlen(cell);
    *width = size > *width ? size : *width;
}

void cells_widen(struct cell_widths *widths, const struct cells *cells)
{
    widen(&widths->value, cells->value);
    widen(&widths->share, cells->share);
    widen(&widths->second, cells->second);
}

int cells_columns(const struct cell_widths *widths)
{
    return widths->value + widths->share + widths->second + 6;
}

void cells_put(const struct text *text, const struct cells *cells, const struct cell_widths *widths)
{
    text_style(text, TEXT_STRONG);
    fprintf(text->out, "%*s", widths->value, cells->value);
    text_style(text, TEXT_PLAIN);
    fprintf(text->out, "  %*s  %*s  ", widths->share, cells->share, widths->second, cells->second);
}
