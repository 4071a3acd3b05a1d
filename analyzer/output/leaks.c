// SPDX-License-Identifier: MIT
#include "output/leaks.h"

#include <inttypes.h>
#include <stdlib.h>

#include "output/json.h"
#include "output/text.h"
#include "output/units.h"
#include "output/utf8.h"

/* Only what a program holds that ended by itself is a leak. */
static bool is_final(const struct leaks_report *report)
{
    return report->report.process.end == PROCESS_EXITED && !report->report.trace->at;
}

static void put_sum(FILE *out, const struct leak_sum *sum)
{
    char bytes[UNITS_SIZE], blocks[UNITS_SIZE];
    fprintf(out, "%s in %s %s", units_bytes(sum->bytes, bytes), units_count(sum->blocks, blocks),
            text_plural(sum->blocks, "block", "blocks"));
}

static void put_caution(const struct text *text)
{
    static const char *const cautions[] = {
        [PROCESS_RUNNING] = "still running: live at this moment, not necessarily leaked",
        [PROCESS_KILLED] = "killed: live at that moment, not necessarily leaked",
        [PROCESS_ENDED] = "how it ended is not known: live at that moment, not necessarily leaked",
    };
    const char *caution = cautions[text->report->process.end];
    if (text->report->trace->at)
        caution = "a snapshot: live at that moment, not necessarily leaked";
    if (!caution)
        return;
    text_style(text, TEXT_WARN);
    fputs(caution, text->out);
    text_style(text, TEXT_PLAIN);
    fputc('\n', text->out);
}

static void put_by_line(const struct text *text, const struct leak_sum *sum, const struct suppression *by)
{
    char *file = utf8_escape(by->file ? by->file : "built-in", text->terminal.wide);
    char *pattern = utf8_escape(by->pattern, text->terminal.wide);
    fputs("  ", text->out);
    put_sum(text->out, sum);
    fprintf(text->out, " by %s", file);
    if (by->file)
        fprintf(text->out, ":%u", by->line);
    fprintf(text->out, " leak:%s\n", pattern);
    free(pattern);
    free(file);
}

/* How much is suppressed by which line, most first; by the built-in list in one line, unless --full. */
static void put_suppressed(const struct text *text, const struct leaks_report *report)
{
    const struct leaks *leaks = report->leaks;
    const struct suppressions *suppressions = report->suppressions;
    struct leak_sum builtin = {0};
    fputs("suppressed ", text->out);
    put_sum(text->out, &leaks->suppressed);
    fputc('\n', text->out);
    for (size_t rank = 0; rank < leaks->used_count; rank++) {
        size_t number = leaks->used[rank];
        if (number >= suppressions->builtin || text->report->full)
            put_by_line(text, &leaks->by[number], &suppressions->all[number]);
        else
            leak_sum_add(&builtin, &leaks->by[number]);
    }
    if (!builtin.blocks)
        return;
    fputs("  ", text->out);
    put_sum(text->out, &builtin);
    fputs(" by the built-in list: held by design (--strict counts it)\n", text->out);
}

/* The one sentence when there is nothing to list. */
static void put_nothing(const struct text *text, const struct leaks_report *report)
{
    const char *leaked = is_final(report) ? "leaked" : "live";
    if (report->leaks->suppressed.blocks)
        fprintf(text->out, "nothing is %s but what is suppressed\n", leaked);
    else if (!text->report->trace->totals.allocations)
        fputs("nothing is leaked: nothing was allocated while it was recorded\n", text->out);
    else
        fprintf(text->out, "nothing is %s: every block was freed\n", leaked);
}

void leaks_nameless(const struct text *text, const char *module)
{
    char *harmless = utf8_escape(module, text->terminal.wide);
    fprintf(text->out,
            "\nfunctions of %s have no names: with its debug symbols, what it holds by design is known\n",
            harmless);
    free(harmless);
}

void leaks_text(FILE *out, const struct leaks_report *report)
{
    const struct leaks *leaks = report->leaks;
    struct trace trace = *report->report.trace;
    struct report shown = report->report;
    struct text text = {out, terminal_of(out), &shown};
    shown.trace = &trace;
    trace.totals.current_bytes = leaks->leaked.bytes; /* shares are shares of that */
    text_process(&text);
    put_caution(&text);
    text_losses(&text);
    if (leaks->leaked.blocks) {
        fputs(is_final(report) ? "leaked " : "live ", out);
        text_style(&text, TEXT_STRONG);
        put_sum(out, &leaks->leaked);
        text_style(&text, TEXT_PLAIN);
        fputs("\n\n", out);
        text_table(&text);
    } else {
        put_nothing(&text, report);
    }
    if (leaks->nameless)
        leaks_nameless(&text, leaks->nameless);
    if (leaks->suppressed.blocks) {
        fputc('\n', out);
        put_suppressed(&text, report);
    }
}

static void put_json_sum(FILE *out, const struct leak_sum *sum)
{
    fprintf(out, "\"bytes\": %" PRIu64 ", \"blocks\": %" PRIu64 ", \"sites\": %" PRIu64, sum->bytes,
            sum->blocks, sum->sites);
}

void leaks_json(FILE *out, const struct leaks_report *report)
{
    const struct leaks *leaks = report->leaks;
    json_head(out, &report->report);
    fprintf(out, " \"final\": %s,\n \"leaked\": {", is_final(report) ? "true" : "false");
    put_json_sum(out, &leaks->leaked);
    fputs("},\n \"suppressed\": {", out);
    put_json_sum(out, &leaks->suppressed);
    fputs(", \"by\": [", out);
    for (size_t rank = 0; rank < leaks->used_count; rank++) {
        const struct suppression *suppression = &report->suppressions->all[leaks->used[rank]];
        fputs(rank ? ",\n  {\"file\": " : "\n  {\"file\": ", out);
        json_string(out, suppression->file);
        if (suppression->file)
            fprintf(out, ", \"line\": %u, \"pattern\": ", suppression->line);
        else
            fputs(", \"line\": null, \"pattern\": ", out);
        json_string(out, suppression->pattern);
        fputs(", ", out);
        put_json_sum(out, &leaks->by[leaks->used[rank]]);
        fputc('}', out);
    }
    fputs("]},\n", out);
    json_sites(out, &report->report);
}
