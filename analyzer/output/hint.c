// SPDX-License-Identifier: MIT
/* The last line of the text report: what to try next. */
#include <stdlib.h>
#include <string.h>

#include "output/text.h"
#include "output/units.h"
#include "output/utf8.h"

#define FILES 8 /* so many names are repeated in a command */

/* So that the suggested command can be copied into a shell. */
static void put_quoted(const struct text *text, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+,:@%=";
    if (*name && strspn(name, plain) == strlen(name)) {
        fputs(name, text->out);
        return;
    }
    char *harmless = utf8_escape(name, text->terminal.wide);
    putc('\'', text->out);
    for (const char *at = harmless; *at; at++)
        fputs(*at == '\'' ? "'\\''" : (char[]){*at, 0}, text->out);
    putc('\'', text->out);
    free(harmless);
}

void text_report_command(const struct text *text, const char *options)
{
    const struct report *report = text->report;
    fprintf(text->out, "tracemalloc report%s", options);
    if (report->file) {
        fputc(' ', text->out);
        put_quoted(text, report->file);
    }
    for (size_t i = 0; i < report->file_count && report->file_count <= FILES; i++) {
        fputc(' ', text->out);
        put_quoted(text, report->files[i]);
    }
    if (report->file_count > FILES)
        fputs(" FILE...", text->out);
}

static void put_command(const struct text *text, const char *options)
{
    fputc('`', text->out);
    text_report_command(text, options);
    fputs("`\n", text->out);
}

/* The module of the largest site whose source is not known, if it is the lack of debug information. */
static const char *module_without_lines(const struct report *report)
{
    if (report->rows->count == 0)
        return NULL;
    const struct row *row = &report->rows->all[0];
    const struct source_frame *frame =
        report->view->by == BY_SITE ? &scope_origin(report->scope, row->site)->source : row->frame;
    if (frame->file || !frame->module)
        return NULL;
    return symbols_state_of_path(report->symbols, frame->module) == MODULE_NO_DWARF ? frame->module : NULL;
}

static bool is_system(const char *module)
{
    return strncmp(module, "/usr/", 5) == 0 || strncmp(module, "/lib", 4) == 0;
}

static bool hint_debug(const struct text *text)
{
    const char *module = module_without_lines(text->report);
    if (!module)
        return false;
    char *harmless = utf8_escape(module, text->terminal.wide);
    fprintf(text->out, "no debug information in %s: %s\n", harmless,
            is_system(module) ? "install its debug symbols (a -dbg or -dbgsym package), or build with -g"
                              : "build with -g");
    free(harmless);
    return true;
}

static void hint_current(const struct text *text)
{
    char amount[UNITS_SIZE];
    const struct trace *trace = text->report->trace;
    bool running = text->report->process.end == PROCESS_RUNNING;
    fprintf(text->out, "%s %s: ", units_bytes(trace->totals.current_bytes, amount),
            trace->at ? "allocated then" : running ? "allocated now" : "still allocated");
    put_command(text, " --sort current");
}

static void hint_full(const struct text *text)
{
    char options[64];
    snprintf(options, sizeof(options), " --sort %s --full", metric_names[text->report->view->metric]);
    fputs("whole stacks: ", text->out);
    put_command(text, options);
}

void text_hint(const struct text *text, bool has_rows)
{
    const struct report *report = text->report;
    const struct figures *totals = &report->trace->totals;
    fputc('\n', text->out);
    if (!totals->allocations && !totals->current_blocks) {
        fputs("nothing was allocated while it was recorded\n", text->out);
        return;
    }
    if (hint_debug(text) && report->view->metric != METRIC_PEAK)
        return;
    if (totals->current_bytes && report->view->metric == METRIC_PEAK) {
        hint_current(text);
    } else if (totals->temporary > totals->allocations / 10 && report->view->metric != METRIC_TEMPORARY) {
        fputs("blocks freed at once: ", text->out);
        put_command(text, " --sort temporary");
    } else if (report->view->metric == METRIC_PEAK) {
        fputs("everything was freed; who allocates most: ", text->out);
        put_command(text, " --sort allocated");
    } else if (!has_rows) {
        fputs("who held most at the peak: ", text->out);
        put_command(text, "");
    } else if (!report->full && report->view->by == BY_SITE) {
        hint_full(text);
    } else {
        fputs("the same for programs: ", text->out);
        put_command(text, " --json");
    }
}
