// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "output/live.h"

#include <stdlib.h>
#include <string.h>

#include "output/live_parts.h"
#include "output/screen.h"
#include "output/terminal.h"
#include "output/units.h"
#include "output/utf8.h"

#define TOTALS       64 /* columns of the totals, where the picture stands beside them */
#define LEAST_BESIDE 100
#define LEAST_TALL   20
#define BAR          8

static const char *bullet(void)
{
    return terminal_is_wide() ? "\u25cf" : "*";
}

/* --- figures ------------------------------------------------------------------------------------------- */

/* How the rows by a metric look. */
static const struct look {
    const char *title, *second_title;
    bool is_bytes, second_is_bytes;
    size_t second;
} looks[METRICS] = {
    [METRIC_PEAK] = {"peak", "blocks", true, false, offsetof(struct figures, peak_blocks)},
    [METRIC_CURRENT] = {"current", "blocks", true, false, offsetof(struct figures, current_blocks)},
    [METRIC_ALLOCATED] = {"allocated", "allocations", true, false, offsetof(struct figures, allocations)},
    [METRIC_ALLOCATIONS] = {"allocations", "bytes", false, true, offsetof(struct figures, allocated_bytes)},
    [METRIC_TEMPORARY] = {"temporary", "allocations", false, false, offsetof(struct figures, allocations)},
};

static const char *const nouns[GROUPINGS][2] = {
    [BY_SITE] = {"call site", "call sites"},   [BY_LINE] = {"line", "lines"},
    [BY_FUNCTION] = {"function", "functions"}, [BY_FILE] = {"file", "files"},
    [BY_MODULE] = {"module", "modules"},       [BY_DOMAIN] = {"domain", "domains"},
};

static const char *amount(uint64_t value, bool bytes, char text[UNITS_SIZE])
{
    return (bytes ? units_bytes : units_count)(value, text);
}

/* "+12.3 MiB/s"; nothing if it does not change. */
static const char *rate(double change, bool bytes, char text[2 * UNITS_SIZE])
{
    char size[UNITS_SIZE];
    double much = change < 0 ? -change : change;
    *text = 0;
    if (much >= 0.5 && much < 1e19)
        snprintf(text, 2 * UNITS_SIZE, "%c%s/s", change < 0 ? '-' : '+',
                 amount((uint64_t)(much + 0.5), bytes, size));
    return text;
}

static int rate_style(double change)
{
    return change > 0 ? SCREEN_WARN : SCREEN_GOOD;
}

int live_put_right(int row, int end, int style, const char *text)
{
    int columns = (int)utf8_columns(text);
    return screen_put(row, end - columns, columns, style, text);
}

struct text live_text(const struct report *report)
{
    return (struct text){.report = report, .terminal = {.wide = terminal_is_wide()}};
}

/* --- head ---------------------------------------------------------------------------------------------- */

static char *state_text(const struct live *live)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return memory_get(1, 1);
    if (live->paused)
        fputs("paused  ", out);
    fprintf(out, "%s ", bullet());
    text_state(out, &live->process);
    fprintf(out, "  pid %d", live->trace->header.pid);
    fclose(out);
    return text;
}

static void put_head(const struct live *live)
{
    struct report report = {.trace = live->trace};
    struct text text = live_text(&report);
    int columns = screen_columns(), style = SCREEN_BAR;
    char *state = state_text(live), *command = text_command(&text, 0);
    int room = columns - (int)utf8_columns(state) - 3 * MARGIN;
    screen_line(0, style);
    if (room < columns / 3) {
        screen_put(0, MARGIN, columns - MARGIN, style, state);
    } else {
        screen_put(0, MARGIN, room, style, command);
        live_put_right(0, columns - MARGIN, style, state);
    }
    free(command);
    free(state);
}

/* --- totals -------------------------------------------------------------------------------------------- */

void live_put_total(int row, const char *label, const char *value, int style)
{
    screen_put(row, MARGIN, LABEL, SCREEN_FAINT, label);
    live_put_right(row, MARGIN + LABEL + 11, style, value);
}

static void put_rest(int row, const char *text, const char *change, int style)
{
    int column = MARGIN + LABEL + 13;
    screen_put(row, column, 26, SCREEN_PLAIN, text);
    if (*change)
        screen_put(row, column + 26, 14, style, change);
}

static void put_totals(const struct live *live, int row)
{
    const struct figures *totals = &live->trace->totals;
    char size[UNITS_SIZE], count[UNITS_SIZE], rest[3 * UNITS_SIZE], change[2 * UNITS_SIZE] = "";
    const struct live_rates *rates = &live->rates;
    live_put_total(row, "current", units_bytes(totals->current_bytes, size), SCREEN_STRONG);
    snprintf(rest, sizeof(rest), "%s %s", units_count(totals->current_blocks, count),
             totals->current_blocks == 1 ? "block" : "blocks");
    put_rest(row, rest, rates->known ? rate(rates->current_bytes, true, change) : "",
             rate_style(rates->current_bytes));
    live_put_total(row + 1, "peak", units_bytes(totals->peak_bytes, size), SCREEN_STRONG);
    snprintf(rest, sizeof(rest), "%s %s", units_count(totals->peak_blocks, count),
             totals->peak_blocks == 1 ? "block" : "blocks");
    put_rest(row + 1, rest,
             totals->peak_bytes && totals->current_bytes == totals->peak_bytes ? "it is now" : "",
             SCREEN_FAINT);
    live_put_total(row + 2, "allocated", units_bytes(totals->allocated_bytes, size), SCREEN_STRONG);
    snprintf(rest, sizeof(rest), "%s %s", units_count(totals->allocations, count),
             totals->allocations == 1 ? "allocation" : "allocations");
    put_rest(row + 2, rest, rates->known ? rate(rates->allocations, false, change) : "", SCREEN_PLAIN);
    live_put_total(row + 3, "temporary", units_count(totals->temporary, count), SCREEN_STRONG);
    snprintf(rest, sizeof(rest), "%s of allocations",
             units_share(totals->temporary, totals->allocations, size));
    put_rest(row + 3, totals->temporary ? rest : "", "", SCREEN_PLAIN);
    live_put_total(row + 4, "resident", live->resident_bytes ? units_bytes(live->resident_bytes, size) : "-",
                   SCREEN_STRONG);
}

static uint64_t selected_value(const struct live *live)
{
    return metric_of(&ranking_selection(live->ranking)->figures, ranking_view(live->ranking)->metric);
}

static const char *selected_amount(const struct live *live, char text[UNITS_SIZE])
{
    return amount(selected_value(live), looks[ranking_view(live->ranking)->metric].is_bytes, text);
}

/* Of what the rows are, if it is not all: "selected 9.8 KiB  0.2 % of current, 1 of 12 call sites". */
static void put_selection(const struct live *live, int row, int end)
{
    enum metric metric = ranking_view(live->ranking)->metric;
    const struct selection *selection = ranking_selection(live->ranking);
    char text[UNITS_SIZE], share[UNITS_SIZE], sites[UNITS_SIZE], of[UNITS_SIZE], rest[8 * UNITS_SIZE];
    int column = MARGIN + LABEL + 13;
    if (live->starting || !ranking_selects(live->ranking))
        return;
    live_put_total(row, "selected", selected_amount(live, text), SCREEN_STRONG);
    snprintf(rest, sizeof(rest), "%s of %s, %s of %s %s",
             units_share(selected_value(live), metric_of(&live->trace->totals, metric), share),
             metric_names[metric], units_count(selection->sites, sites), units_count(selection->of, of),
             nouns[BY_SITE][selection->of != 1]);
    screen_put(row, column, end - column, SCREEN_PLAIN, rest);
}

/* All that matters in one line, for small screens. */
static void put_brief(const struct live *live, int row)
{
    const struct figures *totals = &live->trace->totals;
    char current[UNITS_SIZE], peak[UNITS_SIZE], selected[UNITS_SIZE], line[6 * UNITS_SIZE],
        change[2 * UNITS_SIZE] = "";
    bool all = live->starting || !ranking_selects(live->ranking);
    snprintf(line, sizeof(line), "%s, peak %s%s%s", units_bytes(totals->current_bytes, current),
             units_bytes(totals->peak_bytes, peak), all ? "" : ", selected ",
             all ? "" : selected_amount(live, selected));
    int taken = screen_put(row, MARGIN, screen_columns() - MARGIN, SCREEN_STRONG, line);
    if (live->rates.known)
        screen_put(row, MARGIN + taken + 2, screen_columns(), rate_style(live->rates.current_bytes),
                   rate(live->rates.current_bytes, true, change));
}

/* --- the upper part ------------------------------------------------------------------------------------ */

/* Everything above the rows; returns the line below it. */
static int put_upper(const struct live *live)
{
    int rows = screen_rows(), columns = screen_columns();
    put_head(live);
    if (rows < 14 || live->page != LIVE_ROWS) {
        put_brief(live, 1);
        return 2;
    }
    put_totals(live, 2);
    put_selection(live, 7, columns < LEAST_BESIDE ? columns : TOTALS + GUTTER);
    if (columns >= LEAST_BESIDE) {
        live_put_picture(live, 2, TOTALS, columns - TOTALS - MARGIN);
        return 9;
    }
    if (rows < LEAST_TALL)
        return 8;
    live_put_picture(live, 8, 0, columns - MARGIN);
    return 9 + PICTURE_ROWS + 1;
}

/* --- rows ---------------------------------------------------------------------------------------------- */

/* Where the columns end; 0: there is no room for one. */
struct columns {
    int value, share, bar, change, second, name;
};

static struct columns lay_out(void)
{
    int columns = screen_columns();
    struct columns at = {.value = MARGIN + 11};
    int end = at.value;
    if (columns >= 48)
        end = at.share = end + 9;
    if (columns >= 120)
        end = at.bar = end + 1 + BAR;
    if (columns >= 66)
        end = at.change = end + 15;
    if (columns >= 84)
        end = at.second = end + 13;
    at.name = end + 2;
    return at;
}

static void put_titles(const struct live *live, int row, const struct columns *at)
{
    const struct view *view = ranking_view(live->ranking);
    const struct look *look = &looks[view->metric];
    char title[128], count[UNITS_SIZE];
    size_t all = ranking_count(live->ranking);
    const struct source_frame *inside = ranking_inside(live->ranking);
    screen_line(row, SCREEN_BAR);
    live_put_right(row, at->value, SCREEN_BAR, look->title);
    if (at->share)
        live_put_right(row, at->share, SCREEN_BAR, "share");
    if (at->change)
        live_put_right(row, at->change, SCREEN_BAR, "change");
    if (at->second)
        live_put_right(row, at->second, SCREEN_BAR, look->second_title);
    snprintf(title, sizeof(title), "%s %s%s%s", units_count(all, count), nouns[view->by][all != 1],
             view_adds_callees(view) ? ", callees included" : "", live->filter[0] ? " matching" : "");
    int column = at->name;
    column += screen_put(row, column, screen_columns(), SCREEN_BAR, title);
    if (inside) {
        struct live_name name = {0};
        live_name_group(live, inside, &name);
        column += screen_put(row, column, screen_columns(), SCREEN_BAR, " in ");
        screen_put(row, column, screen_columns() - column, SCREEN_BAR, name.what);
        free(name.what);
        free(name.where);
    }
}

static void put_bar(int row, int column, double share, int style)
{
    static const char *const parts[] = {"",       "\u258f", "\u258e", "\u258d",
                                        "\u258c", "\u258b", "\u258a", "\u2589"};
    int eighths = (int)(share * BAR * 8 + 0.5);
    if (!terminal_is_wide())
        return;
    for (int i = 0; i < eighths / 8 && i < BAR; i++)
        screen_put(row, column + i, 1, style, "\u2588");
    if (eighths < BAR * 8)
        screen_put(row, column + eighths / 8, 1, style, parts[eighths % 8]);
}

static void put_row(struct live *live, const struct ranked *ranked, int row, const struct columns *at,
                    bool chosen)
{
    enum metric metric = ranking_view(live->ranking)->metric;
    const struct look *look = &looks[metric];
    int mark = chosen ? SCREEN_CHOSEN : 0, columns = screen_columns();
    uint64_t value = metric_of(ranked->figures, metric), whole = metric_of(&live->trace->totals, metric);
    uint64_t second = *(const uint64_t *)((const char *)ranked->figures + look->second);
    char text[2 * UNITS_SIZE];
    const struct live_name *name = live_name_row(live, ranked);
    if (chosen)
        screen_line(row, SCREEN_PLAIN | mark);
    live_put_right(row, at->value, SCREEN_STRONG | mark, amount(value, look->is_bytes, text));
    if (at->share)
        live_put_right(row, at->share, SCREEN_PLAIN | mark, units_share(value, whole, text));
    if (at->bar)
        put_bar(row, at->bar - BAR, whole ? (double)value / (double)whole : 0, SCREEN_FIRST | mark);
    if (at->change && ranked->has_change)
        live_put_right(row, at->change, rate_style(ranked->change) | mark,
                       rate(ranked->change, look->is_bytes, text));
    if (at->second)
        live_put_right(row, at->second, SCREEN_PLAIN | mark, amount(second, look->second_is_bytes, text));
    int column = at->name;
    column += screen_put(row, column, columns - column, SCREEN_STRONG | mark, name->what) + 2;
    if (*name->where)
        column += screen_put(row, column, columns - column, SCREEN_FAINT | mark, name->where) + 2;
    if (name->callers && *name->callers)
        screen_put(row, column, columns - column, SCREEN_PLAIN | mark, name->callers);
}

/* The rows that the screen has room for; the one where the user is among them. */
static void place_rows(struct live *live, size_t room)
{
    size_t count = ranking_count(live->ranking);
    if (count > LIVE_MOST)
        count = LIVE_MOST;
    if (live->line >= count)
        live->line = count ? count - 1 : 0;
    if (live->first > live->line)
        live->first = live->line;
    if (room && live->line >= live->first + room)
        live->first = live->line - room + 1;
    if (live->first + room > count)
        live->first = count > room ? count - room : 0;
    live->shown = room;
}

static void put_nothing(const struct live *live, int row, int column)
{
    const struct view *view = ranking_view(live->ranking);
    const char *why = "nothing so far";
    if (view->min_bytes && view->metric == METRIC_TEMPORARY)
        why = "temporary blocks are counted, but not their bytes: --min-bytes leaves none";
    else if (selected_value(live) && (view->min_bytes || view->min_blocks))
        why = "nothing is that large";
    else if (ranking_selects(live->ranking))
        why = "nothing matches";
    screen_put(row, column, screen_columns(), SCREEN_FAINT, live->busy ? live->busy : why);
}

static void put_rows(struct live *live, int row, int end)
{
    struct columns at = lay_out();
    size_t count;
    live->has_chosen = false;
    if (row < end && end - row >= 2)
        put_titles(live, row++, &at);
    place_rows(live, end > row ? (size_t)(end - row) : 0);
    if (live->starting) {
        screen_put(row, at.name, screen_columns(), SCREEN_FAINT, live->busy);
        return;
    }
    const struct ranked *rows = ranking_top(live->ranking, live->first + live->shown, &count);
    if (!count && end > row)
        put_nothing(live, row, at.name);
    for (size_t i = live->first; i < count; i++) {
        bool chosen = i == live->line;
        put_row(live, &rows[i], row + (int)(i - live->first), &at, chosen);
        if (!chosen)
            continue;
        live->chosen = rows[i];
        live->has_chosen = true;
    }
}

/* --- help ---------------------------------------------------------------------------------------------- */

static void put_help(int row, int end)
{
    static const struct {
        const char *key, *what;
    } lines[] = {
        {"up down j k", "choose a row; PgUp, PgDn, Home, End"},
        {"Enter", "the whole stack of a call site; the call sites of a line, function, file or module"},
        {"Esc", "back; drops the filter"},
        {"c p a n t", "rank by current, peak, allocated, number of allocations, temporary; s, S: next, last"},
        {"g G", "add up by call site, line, function, file, module"},
        {"/", "only call sites with the text anywhere in their stack: function, file:line or module"},
        {"space", "pause: the picture stays, the program runs on"},
        {"w", "the picture shows the last minute, or the whole time"},
        {"r", "open the file again, if it was replaced"},
        {"q", "quit"},
        {"", ""},
        {"current", "live now"},
        {"peak", "live at the moment when most was; a site has what it had then"},
        {"allocated", "ever, freed or not"},
        {"temporary", "blocks freed by the same thread's very next heap call"},
        {"change", "of the value on the left, per second"},
        {"resident", "memory of the whole process in RAM"},
    };
    row++;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]) && row < end; i++, row++) {
        screen_put(row, MARGIN, 12, SCREEN_STRONG, lines[i].key);
        screen_put(row, MARGIN + 13, screen_columns(), SCREEN_PLAIN, lines[i].what);
    }
}

/* --- foot ---------------------------------------------------------------------------------------------- */

static int put_hint(int row, int column, const char *key, const char *what, const char *value)
{
    column += screen_put(row, column, screen_columns(), SCREEN_STRONG, key) + 1;
    column += screen_put(row, column, screen_columns(), SCREEN_FAINT, what);
    if (*value)
        column += screen_put(row, column + 1, screen_columns(), SCREEN_PLAIN, value) + 1;
    return column + 2;
}

static void put_hints(const struct live *live, int row)
{
    int column = MARGIN;
    if (live->page != LIVE_ROWS) {
        column = put_hint(row, column, "Esc", "back", "");
        put_hint(row, column, "q", "quit", "");
        return;
    }
    column = put_hint(row, column, "?", "help", "");
    column = put_hint(row, column, "s", "sort", metric_names[ranking_view(live->ranking)->metric]);
    column = put_hint(row, column, "g", "by", grouping_names[ranking_view(live->ranking)->by]);
    column = put_hint(row, column, "/", "filter", live->filter);
    column =
        put_hint(row, column, "Enter", ranking_view(live->ranking)->by == BY_SITE ? "stack" : "sites", "");
    column = put_hint(row, column, "space", live->paused ? "go on" : "pause", "");
    put_hint(row, column, "q", "quit", "");
}

static void put_foot(const struct live *live, int row)
{
    int columns = screen_columns();
    if (live->typing) {
        int column = MARGIN + screen_put(row, MARGIN, columns, SCREEN_STRONG, "/");
        column += screen_put(row, column, columns - column, SCREEN_PLAIN, live->filter);
        screen_put(row, column, 1, SCREEN_PLAIN | SCREEN_CHOSEN, " ");
    } else if (live->trouble) {
        screen_put(row, MARGIN, columns - MARGIN, SCREEN_WARN, live->trouble);
        return;
    } else {
        put_hints(live, row);
    }
    if (live->busy)
        live_put_right(row, columns - MARGIN, SCREEN_WARN, live->busy);
}

void live_draw(struct live *live)
{
    int rows = screen_rows(), end = rows >= 5 ? rows - 1 : rows;
    screen_erase();
    int row = put_upper(live);
    if (live->page == LIVE_HELP)
        put_help(row, end);
    else if (live->page == LIVE_STACK)
        live_put_stack(live, row, end);
    else
        put_rows(live, row, end);
    if (end < rows)
        put_foot(live, rows - 1);
    screen_show();
}
