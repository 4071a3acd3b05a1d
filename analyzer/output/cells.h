// SPDX-License-Identifier: MIT
/* Figures in columns: the metric of the view, its share of the program's, and what belongs to it. */
#ifndef OUTPUT_CELLS_H
#define OUTPUT_CELLS_H

#include "output/text.h"
#include "output/units.h"

struct cells {
    char value[UNITS_SIZE], share[UNITS_SIZE], second[2 * UNITS_SIZE];
};

struct cell_widths {
    int value, share, second;
};

/* "by bytes at the peak" */
const char *cells_title(const struct report *report);

void cells_fill(struct cells *cells, const struct report *report, const struct figures *figures);

void cells_widen(struct cell_widths *widths, const struct cells *cells);

/* How many columns cells_put() takes. */
int cells_columns(const struct cell_widths *widths);

/* Writes them, and two blanks. */
void cells_put(const struct text *text, const struct cells *cells, const struct cell_widths *widths);

#endif
