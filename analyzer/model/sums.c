// SPDX-License-Identifier: MIT
#include "model/sums.h"

#include <stdlib.h>

void sums_add(struct sums *sums, uint32_t number, uint32_t site, const struct figures *figures)
{
    while (sums->count <= number) {
        sums->all = memory_grow(sums->all, sums->count, &sums->capacity, sizeof(*sums->all));
        sums->all[sums->count++] = (struct sum){0};
    }
    if (sums->all[number].last == site)
        return;
    sums->all[number].last = site;
    figures_add(&sums->all[number].figures, figures);
}

void sums_free(struct sums *sums)
{
    free(sums->all);
    *sums = (struct sums){0};
}
