// SPDX-License-Identifier: MIT
/* What `tracemalloc run` says at the end. */
#include <stdlib.h>

#include "output/place.h"
#include "output/text.h"
#include "output/units.h"

#define ROWS 5

static void put_totals(const struct text *text)
{
    const struct figures *totals = &text->report->trace->totals;
    char peak[UNITS_SIZE], current[UNITS_SIZE], allocated[UNITS_SIZE], count[UNITS_SIZE];
    units_count(totals->allocations, count);
    fprintf(text->out, "  peak %s, at the end %s, allocated %s in %s %s\n",
            units_bytes(totals->peak_bytes, peak), units_bytes(totals->current_bytes, current),
            units_bytes(totals->allocated_bytes, allocated), count,
            text_plural(totals->allocations, "allocation", "allocations"));
}

static void put_row(const struct text *text, const struct row *row)
{
    const struct report *report = text->report;
    char bytes[UNITS_SIZE], share[UNITS_SIZE];
    int indent = fprintf(text->out, "  %10s  %7s  ", units_bytes(row->figures->peak_bytes, bytes),
                         units_share(row->figures->peak_bytes, report->trace->totals.peak_bytes, share));
    const struct source_frame *origin = &scope_origin(report->scope, row->site)->source;
    size_t columns = text->terminal.columns > indent ? (size_t)(text->terminal.columns - indent) : 0;
    struct place_text place = place_text(text, origin, columns);
    fprintf(text->out, "%s%s%s\n", place.what, *place.where ? "  " : "", place.where);
    place_free(&place);
}

void text_summary(FILE *out, const struct report *report)
{
    struct text text = {out, terminal_of(out), report};
    size_t columns = (size_t)text.terminal.columns, taken = 45;
    char *command = text_command(&text, columns > taken ? columns - taken : columns);
    fprintf(out, "tracemalloc: %s: ", command);
    free(command);
    text_state(out, &report->process);
    fputc('\n', out);
    put_totals(&text);
    for (size_t i = 0; i < report->rows->count && i < ROWS; i++)
        if (report->rows->all[i].figures->peak_bytes)
            put_row(&text, &report->rows->all[i]);
    fputs("  more: ", out);
    text_report_command(&text, "");
    fputc('\n', out);
}
