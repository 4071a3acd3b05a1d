// SPDX-License-Identifier: MIT
#include "output/chart.h"

#include <string.h>

#include "output/utf8.h"

#define BRAILLE 0x2800

/* Dots of a cell: two values wide and four high. */
static const uint8_t dots[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

int chart_values(int columns, bool wide)
{
    return wide ? 2 * columns : columns;
}

/* How many of `height` levels a value fills: what is not zero fills one at least. */
static int level_of(uint64_t value, uint64_t top, int height)
{
    if (value == CHART_UNKNOWN)
        return -1;
    if (!value || !top)
        return 0;
    double exact = (double)value / (double)top * height;
    return exact < 1 ? 1 : exact >= height ? height : (int)(exact + 0.5);
}

/* The levels that the line takes at a value: where it is, and up or down to where it was. */
struct span {
    int from, to; /* lowest and highest level, from 1 on; to 0: none */
};

static struct span line_at(const uint64_t *line, int at, uint64_t top, int height)
{
    int here = level_of(line[at], top, height);
    int there = at > 0 ? level_of(line[at - 1], top, height) : -1;
    if (here < 1)
        return (struct span){0};
    if (there < 1 || there == here)
        return (struct span){here, here};
    return there < here ? (struct span){there + 1, here} : (struct span){here, there - 1};
}

static void draw_braille(struct chart_cell *cell, int bottom, int column, int height, const uint64_t *area,
                         const uint64_t *line, uint64_t top)
{
    uint8_t pattern = 0;
    *cell = (struct chart_cell){.part = CHART_NOTHING};
    for (int side = 0; side < 2; side++) {
        int at = 2 * column + side, filled = level_of(area[at], top, height);
        struct span span = line_at(line, at, top, height);
        for (int i = 0; i < 4; i++) {
            int level = bottom + 4 - i;
            bool on_line = level >= span.from && level <= span.to;
            if (level <= filled || on_line)
                pattern |= dots[i][side];
            if (on_line)
                cell->part = CHART_LINE;
            else if (level <= filled && cell->part == CHART_NOTHING)
                cell->part = CHART_AREA;
        }
    }
    if (pattern)
        utf8_encode(BRAILLE + pattern, cell->text);
    else
        strcpy(cell->text, " ");
}

/* Each cell is two levels high. */
static void draw_plain(struct chart_cell *cell, int bottom, int column, int height, const uint64_t *area,
                       const uint64_t *line, uint64_t top)
{
    int filled = level_of(area[column], top, height), over = level_of(line[column], top, height);
    bool on_line = over == bottom + 1 || over == bottom + 2;
    *cell = (struct chart_cell){.text = " "};
    if (filled > bottom)
        *cell = (struct chart_cell){.text = ":", .part = CHART_AREA};
    if (filled == bottom + 1)
        strcpy(cell->text, ".");
    if (on_line)
        *cell = (struct chart_cell){.text = "-", .part = CHART_LINE};
}

void chart_draw(struct chart_cell *cells, int rows, int columns, const uint64_t *area, const uint64_t *line,
                uint64_t top, bool wide)
{
    int levels = wide ? 4 : 2, height = rows * levels;
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            (wide ? draw_braille : draw_plain)(&cells[row * columns + column], (rows - 1 - row) * levels,
                                               column, height, area, line, top);
}
