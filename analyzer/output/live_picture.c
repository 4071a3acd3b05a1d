// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "output/chart.h"
#include "output/live_parts.h"
#include "output/screen.h"
#include "output/terminal.h"
#include "output/units.h"

#define RECENT_NS (UINT64_C(60) * 1000000000)

static uint64_t largest(const uint64_t *values, int count, uint64_t most)
{
    for (int i = 0; i < count; i++)
        if (values[i] != HISTORY_UNKNOWN && values[i] > most)
            most = values[i];
    return most;
}

static void put_cells(const struct chart_cell *cells, int rows, int columns, int row, int column)
{
    static const int styles[] = {SCREEN_PLAIN, SCREEN_FIRST, SCREEN_SECOND};
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            if (cells[i * columns + j].part != CHART_NOTHING)
                screen_put(row + i, column + j, 1, styles[cells[i * columns + j].part],
                           cells[i * columns + j].text);
}

static void put_axis(int row, int column, int columns, uint64_t from, uint64_t to)
{
    char begin[UNITS_SIZE], end[UNITS_SIZE];
    const char *mark = terminal_is_wide() ? "\u28ff " : ": ",
               *line = terminal_is_wide() ? "\u2809\u2809 " : "-- ";
    int middle = column + columns / 2 - 11;
    int taken = screen_put(row, column, columns, SCREEN_FAINT, from ? units_duration(from, begin) : "0 s");
    live_put_right(row, column + columns, SCREEN_FAINT, units_duration(to, end));
    if (columns < 40 || middle < column + taken)
        return;
    middle += screen_put(row, middle, 2, SCREEN_FIRST, mark);
    middle += screen_put(row, middle, 9, SCREEN_FAINT, "current  ");
    middle += screen_put(row, middle, 3, SCREEN_SECOND, line);
    screen_put(row, middle, 8, SCREEN_FAINT, "resident");
}

void live_put_picture(const struct live *live, int row, int column, int columns)
{
    const struct history *history = live->history;
    bool wide = terminal_is_wide();
    int values = columns - GUTTER > 0 ? chart_values(columns - GUTTER, wide) : 0;
    uint64_t to = live->process.duration_ns, from = live->recent && to > RECENT_NS ? to - RECENT_NS : 0;
    char scale[UNITS_SIZE];
    if (values < 16 || !history->count)
        return;
    if (!live->recent && history->points[0].ns > to / 8)
        from = history->points[0].ns; /* nothing is known of what was before */
    uint64_t *current = memory_get((size_t)values, sizeof(*current));
    uint64_t *resident = memory_get((size_t)values, sizeof(*resident));
    history_parts(history, from, to > from ? to : from + 1, (size_t)values, current, resident);
    uint64_t top = largest(current, values, largest(resident, values, 1));
    struct chart_cell *cells = memory_get((size_t)(PICTURE_ROWS * (columns - GUTTER)), sizeof(*cells));
    chart_draw(cells, PICTURE_ROWS, columns - GUTTER, current, resident, top, wide);
    live_put_right(row, column + GUTTER - 1, SCREEN_FAINT, units_bytes(top, scale));
    live_put_right(row + PICTURE_ROWS - 1, column + GUTTER - 1, SCREEN_FAINT, "0");
    put_cells(cells, PICTURE_ROWS, columns - GUTTER, row, column + GUTTER);
    put_axis(row + PICTURE_ROWS, column + GUTTER, columns - GUTTER, from, to);
    free(cells);
    free(current);
    free(resident);
}
