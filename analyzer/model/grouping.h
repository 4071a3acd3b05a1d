// SPDX-License-Identifier: MIT
/* Sites, or groups of sites, as rows to be ranked and shown. */
#ifndef MODEL_GROUPING_H
#define MODEL_GROUPING_H

#include "model/metric.h"
#include "model/symbols.h"

/* By what the sites are added up: a site is its whole stack; the others go by the frame an allocation
   is attributed to (see model/stack.h). */
enum grouping { BY_SITE, BY_LINE, BY_FUNCTION, BY_FILE, BY_MODULE, GROUPINGS };

extern const char *const grouping_names[GROUPINGS];

struct row {
    const struct figures *figures;
    uint32_t site;                    /* BY_SITE: its number */
    const struct source_frame *frame; /* otherwise: what its sites have in common */
};

struct rows {
    struct row *all; /* ranked */
    size_t count;
    struct group *groups; /* that the rows point to, unless it is BY_SITE */
};

/* All sites that ever counted anything, grouped, largest first; equal ones in the order of the file.  The
   trace and symbols must live as long. */
void rows_make(struct rows *rows, const struct trace *trace, struct symbols *symbols, enum grouping by,
               enum metric metric);

void rows_free(struct rows *rows);

#endif
