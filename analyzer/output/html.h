// SPDX-License-Identifier: MIT
/* The report as one self-contained HTML page. */
#ifndef OUTPUT_HTML_H
#define OUTPUT_HTML_H

#include <stdbool.h>
#include <stdio.h>

#include "model/calltree.h"
#include "model/process.h"
#include "model/pruning.h"

/* Figures of all sites at some moment. */
struct html_moment {
    const char *label;   /* for a person */
    const char *reason;  /* why a snapshot was taken; null: it is none */
    uint64_t ns;         /* since recording began */
    const struct trace *trace; /* its figures are those of the moment, see html_page */
    const uint32_t *nodes;     /* as from calltree_add */
    size_t number;             /* for go_to */
};

/* A trace that the page tells about. */
struct html_trace {
    const char *file; /* as the user named it */
    const struct trace *trace;
    struct process process;
};

struct html_page {
    const struct html_trace *traces; /* one, or two to be compared */
    size_t trace_count;
    const struct html_moment *moments; /* the first is shown; to compare, the first with the second */
    size_t moment_count, moments_left_out;
    const struct calltree *tree;
    const struct pruned *pruned;
    /* Makes the figures of a moment's trace those of the moment; false: they cannot be had. */
    bool (*go_to)(const struct html_moment *moment, void *context);
    void *context;
};

/* What every page begins with. */
#define HTML_MARK "<!DOCTYPE html>\n<!-- tracemalloc report -->\n"

/* Writes it; false if a moment's figures could not be had. */
bool html_page(FILE *out, const struct html_page *page);

#endif
