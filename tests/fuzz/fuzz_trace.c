// SPDX-License-Identifier: MIT
/* Any bytes as a trace: all that can be written of it, which must be harmless. */
#define _GNU_SOURCE 1 /* open_memstream */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model/ending.h"
#include "output/dump.h"
#include "output/json.h"
#include "output/message.h"
#include "output/text.h"
#include "tests/unit/output_check.h"

#define ROWS      8
#define SNAPSHOTS 3

/* What differs from input to input. */
struct variation {
    bool wide;
    int columns;
    enum grouping by;
    enum metric metric;
};

static struct variation vary(const uint8_t *data, size_t size)
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    return (struct variation){.wide = sum & 1,
                              .columns = sum & 2 ? 40 + (int)(sum >> 2 & 63) : 0,
                              .by = (enum grouping)(sum / 4 % GROUPINGS),
                              .metric = (enum metric)(sum / 16 % METRICS)};
}

/* setlocale would read files each time. */
static void use_locale(bool wide)
{
    static locale_t locales[2];
    if (!locales[wide])
        locales[wide] = newlocale(LC_ALL_MASK, wide ? "C.UTF-8" : "C", NULL);
    uselocale(locales[wide]);
}

/* --- output that is checked when it is complete --------------------------------------------------------- */

static char *written;
static size_t written_size;

static FILE *output(void)
{
    FILE *out = open_memstream(&written, &written_size);
    if (!out)
        fuzz_check("no memory for the output");
    return out;
}

static void check_text(FILE *out, const struct variation *variation)
{
    fclose(out);
    fuzz_check(strlen(written) == written_size ? wrong_in_text(written, variation->wide) : "text: a zero");
    free(written);
}

static void check_json(FILE *out)
{
    fclose(out);
    fuzz_check(strlen(written) == written_size ? wrong_in_json(written) : "JSON: a zero");
    free(written);
}

/* --- what there is -------------------------------------------------------------------------------------- */

static void try_info(const char *path, const struct variation *variation)
{
    struct layout layout;
    struct failure why;
    if (!layout_open(&layout, path, &why))
        return;
    struct dump dump = {output(), &layout, variation->wide};
    dump_header(&dump);
    dump_summary(&dump);
    dump_modules(&dump);
    dump_sections(&dump);
    for (uint32_t type = 1; type < FIELDS_TYPES; type++)
        dump_records(&dump, type);
    layout_close(&layout);
    check_text(dump.out, variation);
}

static void try_what_was_when(const char *path, const struct trace *trace, const struct variation *variation)
{
    struct layout layout;
    struct failure why;
    if (!layout_open(&layout, path, &why))
        return;
    struct dump dump = {output(), &layout, variation->wide};
    dump_timeline(&dump, trace);
    dump_snapshots(&dump, trace);
    layout_close(&layout);
    check_text(dump.out, variation);
}

static void try_messages(const struct report *report, const struct variation *variation)
{
    FILE *usual = stderr;
    stderr = output();
    message_modules(report->trace, report->symbols);
    FILE *out = stderr;
    stderr = usual;
    check_text(out, variation);
}

static void try_text(const struct report *report, const struct variation *variation)
{
    struct text text = {output(), {.wide = variation->wide, .columns = variation->columns}, report};
    text_head(&text);
    text_table(&text);
    text_hint(&text);
    if (report->view->by == BY_SITE)
        text_summary(text.out, report);
    check_text(text.out, variation);
}

static void try_report(const struct trace *trace, enum grouping by, const struct variation *variation)
{
    struct symbols *symbols = symbols_open(trace);
    struct rows rows;
    struct view view = {.by = by, .metric = variation->metric};
    struct scope scope;
    scope_open(&scope, &view, trace, symbols);
    rows_make(&rows, &scope);
    struct report report = {.file = trace->cwd,
                            .trace = trace,
                            .symbols = symbols,
                            .process = process_of(trace),
                            .view = &view,
                            .scope = &scope,
                            .selection = scope_select(&scope),
                            .rows = &rows,
                            .limit = ROWS};
    FILE *out = output();
    json_report(out, &report);
    check_json(out);
    try_text(&report, variation);
    report.full = true;
    try_text(&report, variation);
    try_messages(&report, variation);
    rows_free(&rows);
    scope_close(&scope);
    symbols_close(symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct variation variation = vary(data, size);
    struct trace trace;
    struct failure why;
    const char *path = fuzz_file(data, size);
    use_locale(variation.wide);
    try_info(path, &variation);
    if (!trace_read(&trace, path, &why))
        return 0;
    try_report(&trace, BY_SITE, &variation);
    try_report(&trace, variation.by, &variation);
    try_what_was_when(path, &trace, &variation);
    for (size_t i = 0; i < trace.snapshot_count && i < SNAPSHOTS; i++)
        if (trace_at_snapshot(&trace, i, &why))
            try_report(&trace, variation.by, &variation);
    ending_note(path, trace.header.pid, TRACE_KILLED, 9, &why);
    trace_free(&trace);
    return 0;
}
