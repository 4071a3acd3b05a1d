// SPDX-License-Identifier: MIT
#include "model/fault.h"

#include <stdlib.h>

static void look_at_leaks(struct fault *fault, const struct checked *checked)
{
    for (enum side side = OLD; side < SIDES; side++) {
        const struct checked_side *from = &checked->side[side];
        if (!from->trace)
            continue;
        leaks_only(&fault->leaking[side], from->trace, from->symbols, checked->suppressions);
        fault->trace[side] = &fault->leaking[side];
    }
}

/* The sites that have a part in it, be it of no bytes. */
static void find_largest(struct fault *fault, const struct checked *checked)
{
    enum metric metric = fault->view.metric;
    struct rows *rows = &fault->rows;
    scope_open(&fault->scope, &fault->view, fault->trace[NEW], checked->side[NEW].symbols);
    rows_make(rows, &fault->scope);
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (metric_of(rows->all[i].figures, metric) || metric_blocks(rows->all[i].figures, metric))
            rows->all[count++] = rows->all[i];
    rows->count = rows->total = count;
}

static void find_grown(struct fault *fault, const struct checked *checked)
{
    struct symbols *symbols[SIDES] = {checked->side[OLD].symbols, checked->side[NEW].symbols};
    difference_make(&fault->difference, &fault->view, fault->trace, symbols, checked->translation);
    difference_keep_grown(&fault->difference);
}

void fault_find(struct fault *fault, const struct limit *limit, const struct checked *checked)
{
    *fault = (struct fault){.view = *checked->view,
                            .trace = {checked->side[OLD].trace, checked->side[NEW].trace},
                            .relative = limit->relative};
    fault->view.metric = limited_metric(limit->what);
    if (limit->what == LIMITED_LEAKED)
        look_at_leaks(fault, checked);
    if (limit->relative)
        find_grown(fault, checked);
    else
        find_largest(fault, checked);
}

void fault_free(struct fault *fault)
{
    if (fault->relative) {
        difference_free(&fault->difference);
    } else {
        rows_free(&fault->rows);
        scope_close(&fault->scope);
    }
    for (enum side side = OLD; side < SIDES; side++)
        free(fault->leaking[side].sites);
}
