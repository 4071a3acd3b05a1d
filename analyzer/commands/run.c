// SPDX-License-Identifier: MIT
/* tracemalloc run: run a program with the recorder preloaded, and say what came of it. */
#define _GNU_SOURCE 1 /* asprintf */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/beside.h"
#include "commands/commands.h"
#include "commands/launch.h"
#include "commands/options.h"
#include "model/ending.h"
#include "model/find.h"
#include "model/program.h"
#include "output/message.h"
#include "output/text.h"

#define DEEPEST 65536

struct options {
    const char *out, *children;
    unsigned long depth; /* 0: the recorder's own */
    bool quiet, live;
    char **program; /* and its arguments */
};

enum { KEY_OUT = 'o', KEY_QUIET = 'q', KEY_DEPTH = 'd', KEY_CHILDREN = 'c', KEY_LIVE = 'l' };

static const struct argp_option argp_options[] = {
    {"output", KEY_OUT, "FILE", 0,
     "Name of the trace (default: tracemalloc.%e.%p.trace; %e program, %p process, %t time); a name that "
     "exists gets a suffix, nothing is overwritten",
     0},
    {"live", KEY_LIVE, NULL, 0,
     "Watch it while it runs, as `tracemalloc live` does: in a pane of its own within tmux; else the program's "
     "output is kept and printed when the view is left",
     0},
    {"quiet", KEY_QUIET, NULL, 0, "No summary at the end", 0},
    {"depth", KEY_DEPTH, "N", 0, "Keep about the innermost N frames of a stack (default 1024)", 0},
    {"children", KEY_CHILDREN, "WHICH", 0,
     "Which processes that the program starts leave a trace of their own: auto (default: those that "
     "allocate much), all or none",
     0},
    {0}};

static const char *const children_names[] = {"auto", "all", "none"};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_OUT:
        if (!*argument || strchr(argument, ','))
            argp_error(state, "--output=%s: the name of a trace must not be empty or have a comma", argument);
        options->out = argument;
        return 0;
    case KEY_QUIET:
        options->quiet = true;
        return 0;
    case KEY_LIVE:
        options->live = true;
        return 0;
    case KEY_DEPTH:
        options->depth = options_number(state, "depth", argument, 1, DEEPEST);
        return 0;
    case KEY_CHILDREN:
        options->children = children_names[options_choose(state, "children", argument, children_names, 3)];
        return 0;
    case ARGP_KEY_ARG:
        options->program = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which program?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "PROGRAM [ARGUMENT...]",
    "Run a program and record its heap. The exit status is the program's."
    "\vThe trace can be looked at with `tracemalloc report`, while the program runs too.",
    NULL,
    NULL,
    NULL};

/* libtrace.so beside this program, or where an installation has it; to be freed. */
static char *find_library(void)
{
    /* A folder of our own before one where another library may bear the name. */
    static const char *const places[] = {"", "../lib/tracemalloc/", "../lib/",
                                         "../lib/x86_64-linux-gnu/tracemalloc/", "../lib/x86_64-linux-gnu/"};
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (size <= 0)
        return NULL;
    self[size] = 0;
    const char *directory = dirname(self);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char *path;
        if (asprintf(&path, "%s/%slibtrace.so", directory, places[i]) < 0)
            return NULL;
        if (access(path, R_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

/* Whether the recorder can be preloaded into the program; says why not. */
static bool can_trace(const char *name)
{
    struct program program;
    if (!program_find(&program, name) || !program.obstacle)
        return true;
    if (strcmp(program.path, program.image) == 0)
        message("%s %s: running it without tracing", name, program.obstacle);
    else
        message("%s: its interpreter %s %s: running it without tracing", name, program.image,
                program.obstacle);
    return false;
}

static char *recorder_options(const struct options *options)
{
    char depth[32] = "", *list = NULL;
    if (options->depth)
        snprintf(depth, sizeof(depth), "depth=%lu,", options->depth);
    int size = asprintf(&list, "%s%s%s%s%s%s%s%s", options->out ? "out=" : "",
                        options->out ? options->out : "", options->out ? "," : "", depth,
                        options->children ? "children=" : "", options->children ? options->children : "",
                        options->children ? "," : "", options->quiet ? "quiet=1," : "");
    if (size < 0)
        return NULL;
    if (size > 0)
        list[size - 1] = 0; /* the last comma */
    return list;
}

/* What the last out= of a list of options says; to be freed; null if nothing. */
static char *out_of(const char *list)
{
    char *copy = strdup(list ? list : ""), *rest, *out = NULL;
    for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest))
        if (strncmp(part, "out=", 4) == 0) {
            free(out);
            out = strdup(part + 4);
        }
    free(copy);
    return out;
}

/* The trace the program left: its path, to be freed.  On file systems that are no good for it the
   recorder puts the file elsewhere. */
static char *find_trace(const struct options *options, const struct launched *launched)
{
    char *out = options->out ? strdup(options->out) : out_of(getenv("LIBTRACE_OPTIONS"));
    const char *places[] = {out ? dirname(out) : ".", getenv("XDG_RUNTIME_DIR"), "/dev/shm"};
    char *found = NULL;
    for (size_t i = 0; !found && i < sizeof(places) / sizeof(places[0]); i++)
        if (places[i])
            found = find_of_process(places[i], launched->pid, launched->process_start);
    free(out);
    return found;
}

static char *find_for_view(const void *context, pid_t pid, uint64_t process_start)
{
    struct launched launched = {.pid = pid, .process_start = process_start};
    return find_trace(context, &launched);
}

static void summarise(const char *file)
{
    struct trace trace;
    struct failure why;
    static const struct view everything;
    struct scope scope;
    struct rows rows;
    if (!trace_read(&trace, file, &why)) {
        message("%s: %s", file, why.text);
        return;
    }
    struct symbols *symbols = symbols_open(&trace);
    scope_open(&scope, &everything, &trace, symbols);
    rows_make(&rows, &scope);
    struct report report = {.file = file,
                            .trace = &trace,
                            .symbols = symbols,
                            .process = process_of(&trace),
                            .scope = &scope,
                            .view = &everything,
                            .rows = &rows};
    text_summary(stderr, &report);
    rows_free(&rows);
    scope_close(&scope);
    symbols_close(symbols);
    trace_free(&trace);
}

static void conclude(const struct options *options, const struct launched *launched)
{
    struct failure why;
    char *file = find_trace(options, launched);
    if (!file) {
        message("%s left no trace", options->program[0]);
        return;
    }
    int status = launched->wait_status;
    bool noted = WIFSIGNALED(status)
                     ? ending_note(file, launched->pid, TRACE_KILLED, WTERMSIG(status), &why)
                     : ending_note(file, launched->pid, TRACE_EXITED, WEXITSTATUS(status), &why);
    if (!noted)
        message("%s: its end cannot be noted: %s", file, why.text);
    if (!options->quiet)
        summarise(file);
    free(file);
}

static int run(const struct options *options, const char *library)
{
    struct launched launched;
    struct beside *beside = NULL;
    if (options->live && library && !(beside = beside_prepare(find_for_view, options)))
        return EXIT_USAGE;
    char *list = recorder_options(options);
    struct launch how = {.argv = options->program, .preload = library, .options = list ? list : ""};
    if (beside) {
        how.streams = beside_streams(beside);
        how.started = beside_start;
        how.context = beside;
    }
    bool tried = launch(&how, &launched);
    int error = tried ? launched.error : errno;
    if (beside)
        beside_finish(beside);
    free(list);
    if (error) {
        bool unknown = error == ENOENT && !strchr(options->program[0], '/');
        message("%s: %s", options->program[0], unknown ? "command not found" : strerror(error));
        return tried ? launch_exit_status(&launched) : EXIT_FAILURE;
    }
    if (library)
        conclude(options, &launched);
    return launch_exit_status(&launched);
}

int command_run(int argc, char **argv)
{
    struct options options = {0};
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &options);
    if (!can_trace(options.program[0]))
        return run(&options, NULL);
    char *library = find_library();
    int status = EXIT_FAILURE;
    if (!library)
        message("libtrace.so is not beside this program, nor in ../lib");
    else if (strpbrk(library, ": "))
        message("%s cannot be preloaded: its path has a blank or a colon", library);
    else
        status = run(&options, library);
    free(library);
    return status;
}
