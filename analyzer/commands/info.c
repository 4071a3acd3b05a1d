// SPDX-License-Identifier: MIT
/* tracemalloc info: what is in a trace file, damaged or not. */
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/options.h"
#include "model/trace.h"
#include "output/dump.h"
#include "output/message.h"
#include "output/terminal.h"

struct options {
    const char *file;
    bool sections;
    bool records[FIELDS_TYPES]; /* by section type */
};

enum { KEY_SECTIONS = 's', KEY_RECORDS = 'r' };

static const struct argp_option argp_options[] = {
    {"sections", KEY_SECTIONS, NULL, 0, "List the sections one by one", 0},
    {"records", KEY_RECORDS, "TABLE", OPTION_ARG_OPTIONAL,
     "List the records of all tables, or of one: strings, modules, frames, nodes, sites, counters, "
     "inherited, spills, timeline, snapshots, snapshot-sites, control or marks; can be given again for "
     "another. What is all zero is left out",
     0},
    {0}};

static void choose_records(struct options *options, const char *table, const struct argp_state *state)
{
    const char *names[FIELDS_TYPES - 1];
    for (size_t type = 1; type < FIELDS_TYPES; type++) {
        names[type - 1] = record_fields[type].name;
        if (!table)
            options->records[type] = true;
    }
    if (table)
        options->records[1 + options_choose(state, "records", table, names, FIELDS_TYPES - 1)] = true;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_SECTIONS:
        options->sections = true;
        return 0;
    case KEY_RECORDS:
        choose_records(options, argument, state);
        return 0;
    case ARGP_KEY_ARG:
        options_take_trace(state, &options->file, argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[FILE]",
    "Show what is in a trace file: its header, its sections, the modules and the snapshots, for people who "
    "debug the format."
    "\vFILE is a trace, finished or not; left out, it is the newest trace in the current directory. Of a "
    "damaged one it shows what there is, says what is wrong, and exits with status 1.",
    NULL,
    NULL,
    NULL};

/* The reader knows how things must hang together: what it says is noted, too. */
static void dump_whole(const struct dump *dump, const char *file)
{
    struct failure why;
    struct trace trace;
    if (!trace_read(&trace, file, &why)) {
        layout_note(dump->layout, "%s", why.text);
        return;
    }
    dump_timeline(dump, &trace);
    if (trace.mark_count)
        dump_marks(dump, &trace);
    dump_snapshots(dump, &trace);
    trace_free(&trace);
}

static void dump(struct layout *layout, const struct options *options, const char *file)
{
    struct dump dump = {stdout, layout, terminal_is_wide()};
    dump_header(&dump);
    dump_summary(&dump);
    dump_modules(&dump);
    dump_whole(&dump, file);
    if (options->sections)
        dump_sections(&dump);
    for (uint32_t type = 1; type < FIELDS_TYPES; type++)
        if (options->records[type])
            dump_records(&dump, type);
    message_flush_stdout();
}

static bool conclude(const struct layout *layout, const char *file)
{
    size_t kept = layout->problem_count < LAYOUT_PROBLEMS ? layout->problem_count : LAYOUT_PROBLEMS;
    for (size_t i = 0; i < kept; i++)
        message("%s: %s", file, layout->problems[i].text);
    if (layout->problem_count > kept)
        message("%s: and %zu times more", file, layout->problem_count - kept);
    return !layout->problem_count;
}

int command_info(int argc, char **argv)
{
    struct options options = {0};
    struct layout layout;
    struct failure why;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    char *file = options_trace(options.file);
    if (!file)
        return EXIT_FAILURE;
    bool fine = layout_open(&layout, file, &why);
    if (fine) {
        dump(&layout, &options, file);
        fine = conclude(&layout, file);
        layout_close(&layout);
    } else {
        message("%s: %s", file, why.text);
    }
    free(file);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
