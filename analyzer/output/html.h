// SPDX-License-Identifier: MIT
/* The report as one self-contained HTML page. */
#ifndef OUTPUT_HTML_H
#define OUTPUT_HTML_H

#include <stdbool.h>
#include <stdio.h>

#include "model/calltree.h"
#include "model/moments.h"
#include "model/process.h"
#include "model/pruning.h"

/* A trace that the page tells about. */
struct html_trace {
    const char *file; /* as the user named it */
    const struct trace *trace;
    struct process process;
    struct selection selection; /* of its sites */
};

struct html_page {
    const struct html_trace *traces; /* one, or two to be compared */
    size_t trace_count;
    const struct moment *moments; /* of one trace all, of two one each */
    size_t moment_count, moments_left_out;
    const struct view *view; /* of all traces */
    enum metric metric;      /* that is shown at first, */
    size_t shown;            /* of that moment, */
    size_t base;             /* compared with another; HTML_NO_BASE: with none */
    const struct calltree *tree;
    const struct pruned *pruned;
};

#define HTML_NO_BASE SIZE_MAX

/* What every page begins with. */
#define HTML_MARK "<!DOCTYPE html>\n<!-- tracemalloc report -->\n"

/* Writes it; false if a moment's figures could not be had. */
bool html_page(FILE *out, const struct html_page *page, struct failure *why);

/* Writes only the elements that have the page's data. */
bool html_data(FILE *out, const struct html_page *page, struct failure *why);

#endif
