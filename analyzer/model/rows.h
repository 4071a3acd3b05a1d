// SPDX-License-Identifier: MIT
/* Sites, or groups of sites, as rows to be ranked and shown. */
#ifndef MODEL_ROWS_H
#define MODEL_ROWS_H

#include "model/scope.h"

struct row {
    const struct figures *figures;
    uint32_t site;                    /* BY_SITE: its number, or that of the first that looks the same */
    const struct source_frame *frame; /* otherwise: what its sites have in common */
};

struct rows {
    struct row *all; /* ranked */
    size_t count;
    size_t total;         /* with those that are too small for the view */
    struct figures *sums; /* that the rows point to, unless they point into the trace */
};

/* What the scope has, added up by its view, largest first; equal ones in the order of the file.  Sites that
   never counted anything are left out.  Scope and trace must live as long. */
void rows_make(struct rows *rows, struct scope *scope);

/* Looks up the symbols of the first `limit` rows (0: of all) that are sites: whoever writes them then need not
   wait for any. */
void rows_resolve(const struct rows *rows, const struct scope *scope, size_t limit);

void rows_free(struct rows *rows);

#endif
