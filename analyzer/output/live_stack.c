// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "output/live_parts.h"
#include "output/place.h"
#include "output/screen.h"
#include "output/units.h"
#include "output/utf8.h"

static int put_site(const struct live *live, int row)
{
    const struct figures *figures = ranking_figures(live->ranking, live->site);
    const struct figures *totals = &live->trace->totals;
    char size[UNITS_SIZE], count[UNITS_SIZE], share[UNITS_SIZE], line[8 * UNITS_SIZE];
    const struct {
        const char *label, *noun;
        uint64_t bytes, blocks, whole;
    } lines[] = {
        {"current", "blocks", figures->current_bytes, figures->current_blocks, totals->current_bytes},
        {"peak", "blocks", figures->peak_bytes, figures->peak_blocks, totals->peak_bytes},
        {"allocated", "allocations", figures->allocated_bytes, figures->allocations, totals->allocated_bytes},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++, row++) {
        live_put_total(row, lines[i].label, units_bytes(lines[i].bytes, size), SCREEN_STRONG);
        live_put_right(row, MARGIN + LABEL + 20, SCREEN_PLAIN,
                       units_share(lines[i].bytes, lines[i].whole, share));
        snprintf(line, sizeof(line), "%s %s", units_count(lines[i].blocks, count), lines[i].noun);
        screen_put(row, MARGIN + LABEL + 23, screen_columns(), SCREEN_PLAIN, line);
    }
    live_put_total(row, "temporary", units_count(figures->temporary, count), SCREEN_STRONG);
    live_put_right(row, MARGIN + LABEL + 20, SCREEN_PLAIN,
                   units_share(figures->temporary, figures->allocations, share));
    return row + 1;
}

/* The column of the places: behind the names that are shown, unless they are very long. */
static int place_column(const struct text *text, const struct stack *stack, size_t first, size_t count)
{
    size_t widest = 0, most = (size_t)screen_columns() * 2 / 5;
    for (size_t i = first; i < first + count && i < stack->count; i++) {
        struct place_text place = place_text(text, &stack->frames[i], 0);
        size_t columns = utf8_columns(place.what);
        widest = columns > widest ? columns : widest;
        place_free(&place);
    }
    return MARGIN + 6 + (int)(widest < most ? widest : most) + 2;
}

static void put_frame(const struct text *text, const struct source_frame *frame, size_t number, bool strong,
                      int row, int place_at)
{
    struct place_text place = place_text(text, frame, 0);
    char *module = frame->file && frame->module ? strrchr(frame->module, '/') : NULL;
    char digits[UNITS_SIZE];
    int columns = screen_columns(), column = MARGIN + 6;
    snprintf(digits, sizeof(digits), "%zu", number);
    live_put_right(row, MARGIN + 4, SCREEN_FAINT, digits);
    column +=
        screen_put(row, column, columns - column, strong ? SCREEN_STRONG : SCREEN_PLAIN, place.what) + 2;
    column = column < place_at ? place_at : column;
    if (*place.where)
        column += screen_put(row, column, columns - column, SCREEN_FIRST, place.where) + 2;
    if (frame->inlined)
        column += screen_put(row, column, columns - column, SCREEN_FAINT, "inlined") + 2;
    if (module) {
        char *harmless = utf8_escape(module + 1, text->terminal.wide);
        screen_put(row, column, columns - column, SCREEN_FAINT, harmless);
        free(harmless);
    }
    place_free(&place);
}

void live_put_stack(struct live *live, int row, int end)
{
    struct report report = {.trace = live->trace, .full = true};
    struct text text = live_text(&report);
    struct stack stack = {0};
    char title[128], number[UNITS_SIZE];
    if (screen_rows() >= 14)
        row = put_site(live, row + 1) + 1;
    ranking_stack(live->ranking, live->site, &stack);
    snprintf(title, sizeof(title), "call stack of %s %s, innermost first", units_count(stack.count, number),
             stack.count == 1 ? "frame" : "frames");
    screen_line(row, SCREEN_BAR);
    screen_put(row++, MARGIN + 6, screen_columns(), SCREEN_BAR, title);
    size_t room = end > row ? (size_t)(end - row) : 0, lines = stack.count + stack.truncated;
    if (live->line + room > lines)
        live->line = lines > room ? lines - room : 0;
    live->shown = room;
    int place_at = place_column(&text, &stack, live->line, room);
    for (size_t i = live->line; i < stack.count && row < end; i++, row++)
        put_frame(&text, &stack.frames[i], i, i == stack.origin, row, place_at);
    if (stack.truncated && row < end)
        screen_put(row, MARGIN + 6, screen_columns(), SCREEN_FAINT, "[truncated]");
    stack_free(&stack);
}
