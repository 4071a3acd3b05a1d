// SPDX-License-Identifier: MIT
/* Two series over time as a small picture of characters: an area, and a line over it. */
#ifndef OUTPUT_CHART_H
#define OUTPUT_CHART_H

#include <stdbool.h>
#include <stdint.h>

#define CHART_UNKNOWN UINT64_MAX

enum chart_part { CHART_NOTHING, CHART_AREA, CHART_LINE };

struct chart_cell {
    char text[5]; /* one character */
    enum chart_part part;
};

/* How many values a picture so wide shows of a series. */
int chart_values(int columns, bool wide);

/*
 * Fills in rows x columns cells, the upper row first, from chart_values() values of each series; some may
 * be CHART_UNKNOWN; `top` is the value at the upper edge.  `wide`: braille may be used.
 */
void chart_draw(struct chart_cell *cells, int rows, int columns, const uint64_t *area, const uint64_t *line,
                uint64_t top, bool wide);

#endif
