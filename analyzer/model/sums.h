// SPDX-License-Identifier: MIT
/* Figures of sites added up by a number, such as that of a group. */
#ifndef MODEL_SUMS_H
#define MODEL_SUMS_H

#include "model/trace.h"

struct sum {
    struct figures figures;
    uint32_t last; /* site that was added; 0: none was */
};

/* Zeroed to begin with. */
struct sums {
    struct sum *all; /* by number */
    size_t count, capacity;
};

/* Adds a site's figures, each site once, however often it is given: sites come one after the other. */
void sums_add(struct sums *sums, uint32_t number, uint32_t site, const struct figures *figures);

void sums_free(struct sums *sums);

#endif
