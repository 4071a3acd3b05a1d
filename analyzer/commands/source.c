// SPDX-License-Identifier: MIT
/* tracemalloc source: source text, with what its lines allocate in the margin. */
#include "output/source.h"

#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/options.h"
#include "commands/reading.h"
#include "commands/view_options.h"
#include "model/progress.h"
#include "output/message.h"

struct options {
    const char *what, *file;
    struct view_options view;
    const char **directories;
    size_t directory_count, directory_capacity;
    bool all, json;
};

enum { KEY_ALL = 'a', KEY_PATH = 'p', KEY_JSON = 'j' };

static const struct argp_option argp_options[] = {
    {"all", KEY_ALL, NULL, 0, "Show whole files, not only the lines around those that allocate", 0},
    {"source-path", KEY_PATH, "DIRECTORY", 0,
     "Look there for source files first, by as much of their paths as is found there; can be given again", 0},
    {"json", KEY_JSON, NULL, 0, "Write one JSON object", 0},
    {0}};

static const struct argp_child children[] = {{&view_argp}, {&view_argp_cumulative}, {0}};

/* A plain word is a file or a function: whatever there is of that name. */
static void look_for(struct argp_state *state, struct patterns *marked, const char *what)
{
    struct failure why;
    if (!patterns_add(marked, what, PATTERN_FILE, &why) ||
        (marked->all[0].field == PATTERN_FILE && strncmp(what, "file=", 5) != 0 &&
         !patterns_add(marked, what, PATTERN_FUNCTION, &why)))
        argp_error(state, "%s: %s", what, why.text);
    else if (marked->all[0].field == PATTERN_MODULE)
        argp_error(state, "%s: a module has no text: it can be file=GLOB, function=GLOB, or a GLOB", what);
}

static void take_argument(struct argp_state *state, struct options *options, char *argument)
{
    if (!options->what) {
        options->what = argument;
        look_for(state, &options->view.view.marked, argument);
    } else if (!options->file) {
        options->file = argument;
    } else {
        argp_error(state, "one file or function and one trace at a time, please");
    }
}

static void check(const struct argp_state *state, const struct options *options)
{
    if (!options->what)
        argp_error(state, "which file or function?");
    if (options->json && options->all)
        argp_error(state, "--all does not go with --json, which has the lines that allocate");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; i < 2; i++)
            state->child_inputs[i] = &options->view;
        return 0;
    case KEY_ALL:
        options->all = true;
        return 0;
    case KEY_PATH:
        options->directories = memory_grow(options->directories, options->directory_count,
                                           &options->directory_capacity, sizeof(*options->directories));
        options->directories[options->directory_count++] = argument;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        take_argument(state, options, argument);
        return 0;
    case ARGP_KEY_END:
        check(state, options);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {argp_options,
                                 parse,
                                 "FILE|FUNCTION [TRACE[@SNAPSHOT]]",
                                 "Show source text with what its lines allocate in the margin."
                                 "\vFILE and FUNCTION can be globs; of a path the last parts are enough: "
                                 "dict.c, demo/*.c, put. TRACE is of "
                                 "a program that has ended or is still running; left out, it is the newest "
                                 "trace in the current directory.",
                                 children,
                                 NULL,
                                 NULL};

/* Why there is nothing to show. */
static bool explain(const struct annotation *annotation, const struct options *options, struct failure *why)
{
    if (annotation->without_lines)
        return failure_set(why, "no line numbers for '%s': no debug information in %s; build with -g",
                           options->what, annotation->without_lines);
    if (annotation->only_callers)
        return failure_set(why, "'%s' itself allocates nothing; --cumulative shows what its callees do",
                           options->what);
    return failure_set(why, "no file or function '%s' allocates anything%s", options->what,
                       view_selects(&options->view.view) ? " that is selected" : "");
}

static bool write_source(const struct trace *trace, const struct options *options, struct failure *why)
{
    struct reading reading;
    struct annotation annotation;
    reading_begin(&reading, trace, &options->view.view, options->file);
    annotation_make(&annotation, &reading.scope);
    reading_is_made(&reading);
    struct source source = {&reading.report, &annotation, options->directories, options->directory_count,
                            options->all};
    bool fine = annotation.file_count || explain(&annotation, options, why);
    if (fine)
        (options->json ? source_json : source_text)(stdout, &source);
    annotation_free(&annotation);
    reading_end(&reading);
    return fine;
}

int command_source(int argc, char **argv)
{
    struct options options = {.view = {.view = {.by = BY_LINE}}};
    struct failure why;
    struct trace trace;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    bool fine = options_open(&trace, options.file);
    if (fine) {
        fine = write_source(&trace, &options, &why);
        if (!fine)
            message("%s", why.text);
        trace_free(&trace);
    }
    free(options.directories);
    view_free(&options.view.view);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
