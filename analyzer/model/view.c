// SPDX-License-Identifier: MIT
#include "model/view.h"

const char *const grouping_names[GROUPINGS] = {
    [BY_SITE] = "site", [BY_LINE] = "line",     [BY_FUNCTION] = "function",
    [BY_FILE] = "file", [BY_MODULE] = "module", [BY_DOMAIN] = "domain",
};

void view_free(struct view *view)
{
    patterns_free(&view->filter);
    patterns_free(&view->exclude);
    patterns_free(&view->from);
    patterns_free(&view->hide);
    patterns_free(&view->marked);
    domains_free(&view->domains);
}

bool view_selects(const struct view *view)
{
    return view->filter.count || view->exclude.count || view->from.count || view->domains.count;
}

bool view_adds_callees(const struct view *view)
{
    return view->cumulative && view->by != BY_SITE && view->by != BY_DOMAIN;
}

bool view_reshapes(const struct view *view)
{
    return view->from.count || view->hide.count;
}

bool view_shows(const struct view *view, const struct figures *figures)
{
    return metric_bytes(figures, view->metric) >= view->min_bytes &&
           metric_blocks(figures, view->metric) >= view->min_blocks;
}
