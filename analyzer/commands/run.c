// SPDX-License-Identifier: MIT
/* tracemalloc run: run a program with the recorder preloaded, and say what came of it. */
#define _GNU_SOURCE 1 /* asprintf */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/beside.h"
#include "commands/commands.h"
#include "commands/launch.h"
#include "commands/options.h"
#include "commands/traces.h"
#include "model/debuginfod.h"
#include "model/ending.h"
#include "model/find.h"
#include "model/program.h"
#include "model/progress.h"
#include "output/message.h"
#include "output/text.h"

#define DEEPEST        65536
#define MOST_SNAPSHOTS 1024
#define FEW_NAMES      8

#define OUT_DEFAULT    "tracemalloc.%e.%p.trace" /* the recorder's own */
#define OUT_MOST       4000                      /* bytes that it takes */

struct options {
    const char *out, *children, *depth, *interval, *growth, *size, *keep, *start; /* null: the recorder's own */
    bool quiet, live, mappings;
    char **program; /* and its arguments */
};

enum {
    KEY_OUT = 'o',
    KEY_QUIET = 'q',
    KEY_DEPTH = 'd',
    KEY_CHILDREN = 'c',
    KEY_LIVE = 'l',
    KEY_INTERVAL = 256, /* no letters */
    KEY_GROWTH,
    KEY_SIZE,
    KEY_KEEP,
    KEY_START,
    KEY_MMAP,
};

static const struct argp_option argp_options[] = {
    {"output", KEY_OUT, "FILE", 0,
     "Name of the trace (default: tracemalloc.%e.%p.trace; %e program, %p process, %t time); a name that "
     "exists gets a suffix, nothing is overwritten",
     0},
    {"live", KEY_LIVE, NULL, 0,
     "Watch it while it runs, as `tracemalloc live` does: in a pane of its own within tmux; else the "
     "program's output is kept and printed when the view is left",
     0},
    {"quiet", KEY_QUIET, NULL, 0, "No summary at the end", 0},
    {"depth", KEY_DEPTH, "N", 0, "Keep about the innermost N frames of a stack (default 1024)", 0},
    {"children", KEY_CHILDREN, "WHICH", 0,
     "Which processes that the program starts leave a trace of their own: auto (default: those that "
     "allocate much), all or none",
     0},
    {"snapshot-interval", KEY_INTERVAL, "SECONDS", 0, "Take a snapshot of all call sites so often", 0},
    {"snapshot-growth", KEY_GROWTH, "FACTOR", 0,
     "Take one each time the current bytes have grown by that factor, from 1 MiB on", 0},
    {"snapshot-size", KEY_SIZE, "BYTES", 0,
     "Take one when the current bytes come to so many (with K, M or G: times 1024)", 0},
    {"mmap", KEY_MMAP, NULL, 0, "Count what the program maps by itself, too: mmap, munmap, mremap", 0},
    {"start", KEY_START, "WHEN", 0,
     "on (default), or off: nothing is recorded until the program or `tracemalloc ctl` asks for it", 0},
    {"keep", KEY_KEEP, "N", 0, "Keep N snapshots; the older ones are thinned out (default 64)", 0},
    {0}};

static const char *const children_names[] = {"auto", "all", "none"};
static const char *const start_names[] = {"on", "off"};

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
        options_number(state, "depth", argument, 1, DEEPEST);
        options->depth = argument;
        return 0;
    case KEY_INTERVAL:
        options->interval = options_decimal(state, "snapshot-interval", argument, 0, 1000000);
        return 0;
    case KEY_GROWTH:
        options->growth = options_decimal(state, "snapshot-growth", argument, 1, 1000000);
        return 0;
    case KEY_SIZE:
        options->size = options_size(state, "snapshot-size", argument);
        return 0;
    case KEY_MMAP:
        options->mappings = true;
        return 0;
    case KEY_START:
        options->start = start_names[options_choose(state, "start", argument, start_names, 2)];
        return 0;
    case KEY_KEEP:
        options_number(state, "keep", argument, 1, MOST_SNAPSHOTS);
        options->keep = argument;
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

/* The name as the recorder is told it, to be freed: absolute, so that processes that run elsewhere put theirs
   there too.  As it is, maybe null, where LIBTRACE_OPTIONS has one, or where the directory's would be taken for
   another option or a pattern. */
static char *full_name(const char *name)
{
    char directory[OUT_MOST], *given = out_of(getenv("LIBTRACE_OPTIONS")), *full = NULL;
    bool relative = name ? name[0] != '/' : !given;
    const char *plain = name ? name : OUT_DEFAULT;
    free(given);
    if (!relative || !getcwd(directory, sizeof(directory)) || directory[0] != '/' ||
        strpbrk(directory, ",%") || strlen(directory) + strlen(plain) >= OUT_MOST)
        return name ? strdup(name) : NULL;
    return asprintf(&full, "%s/%s", directory, plain) < 0 ? NULL : full;
}

static void add_option(FILE *list, const char *key, const char *value)
{
    if (value)
        fprintf(list, "%s%s=%s", ftell(list) ? "," : "", key, value);
}

/* As LIBTRACE_OPTIONS has them, to be freed. */
static char *recorder_options(const struct options *options)
{
    char *text = NULL, *out = full_name(options->out);
    size_t size;
    FILE *list = open_memstream(&text, &size);
    if (!list)
        return NULL;
    add_option(list, "out", out);
    add_option(list, "depth", options->depth);
    add_option(list, "children", options->children);
    add_option(list, "quiet", options->quiet ? "1" : NULL);
    add_option(list, "snapshot-interval", options->interval);
    add_option(list, "snapshot-growth", options->growth);
    add_option(list, "snapshot-size", options->size);
    add_option(list, "keep", options->keep);
    add_option(list, "mmap", options->mappings ? "on" : NULL);
    add_option(list, "start", options->start);
    fclose(list);
    free(out);
    return text;
}

/* Where the recorder may have put files: on file systems that are no good for them it does so elsewhere. */
enum { PLACES = 3 };
struct places {
    char *out;
    const char *all[PLACES];
};

static bool same_directory(const char *a, const char *b)
{
    struct stat x, y;
    return a && b && stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static struct places places_of(const struct options *options)
{
    char *out = options->out ? strdup(options->out) : out_of(getenv("LIBTRACE_OPTIONS"));
    struct places places = {out, {out ? dirname(out) : ".", getenv("XDG_RUNTIME_DIR"), "/dev/shm"}};
    for (size_t i = 1; i < PLACES; i++)
        for (size_t k = 0; k < i; k++)
            if (same_directory(places.all[i], places.all[k]))
                places.all[i] = NULL;
    return places;
}

/* The trace of the last program that the process ran: its path, to be freed; null if there is none. */
static char *find_trace(const struct places *places, const struct launched *launched)
{
    char *found = NULL;
    for (size_t i = 0; !found && i < PLACES; i++)
        if (places->all[i])
            found = find_of_process(places->all[i], launched->pid, launched->process_start);
    return found;
}

/* Those of all its programs, and of the processes that descend from it. */
static struct traces find_traces(const struct places *places, const struct launched *launched)
{
    struct traces traces = {0};
    for (size_t i = 0; i < PLACES; i++)
        if (places->all[i])
            traces_add_run(&traces, places->all[i], launched->pid, launched->since_ns);
    return traces;
}

static char *find_for_view(const void *context, pid_t pid, uint64_t process_start)
{
    const struct launched launched = {.pid = pid, .process_start = process_start};
    struct places places = places_of(context);
    char *file = find_trace(&places, &launched);
    free(places.out);
    return file;
}

static void summarise_one(const char *file)
{
    struct trace trace;
    struct failure why;
    static const struct view everything;
    struct progress progress;
    struct scope scope;
    struct rows rows;
    if (!trace_read(&trace, file, &why)) {
        message("%s: %s", file, why.text);
        return;
    }
    debuginfod_disable(); /* the summary is not to be waited for */
    struct symbols *symbols = symbols_open(&trace);
    progress_begin(&progress, "reading symbols");
    scope_open(&scope, &everything, &trace, symbols);
    rows_make(&rows, &scope);
    rows_resolve(&rows, &scope, SUMMARY_ROWS);
    progress_end(&progress);
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

/* How the program ended that was started; how long it took until the last of all ended. */
static struct process end_of_tree(const struct processes *processes, int wait_status)
{
    struct process process = processes_together(processes);
    process.end = WIFSIGNALED(wait_status) ? PROCESS_KILLED : PROCESS_EXITED;
    process.status = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    return process;
}

/* What a report of all can be asked for by: few names, or a directory where nothing else is. */
static void name_all(struct report *report, const struct traces *traces, char **directory)
{
    size_t there = 0;
    report->files = traces->files;
    report->file_count = traces->count;
    if (traces->count <= FEW_NAMES)
        return;
    struct traces all = {0};
    if (traces_add_directory(&all, *directory))
        there = all.count;
    traces_free(&all);
    report->files = there == traces->count ? directory : &report->processes->all[0].file;
    report->file_count = 1;
}

static void summarise_tree(const struct traces *traces, const struct options *options, const char *directory,
                           int wait_status)
{
    struct processes processes;
    struct trace sum;
    char *name = strdup(directory);
    traces_sum(traces, &sum, &processes);
    struct report report = {
        .trace = &sum, .process = end_of_tree(&processes, wait_status), .processes = &processes};
    if (name && processes.count) {
        name_all(&report, traces, &name);
        text_summary_of_tree(stderr, &report, (const char **)options->program);
    }
    free(name);
    processes_free(&processes);
    trace_free(&sum);
}

static void note_end(const char *file, const struct launched *launched)
{
    struct failure why;
    int status = launched->wait_status;
    bool noted = WIFSIGNALED(status)
                     ? ending_note(file, launched->pid, TRACE_KILLED, WTERMSIG(status), &why)
                     : ending_note(file, launched->pid, TRACE_EXITED, WEXITSTATUS(status), &why);
    if (!noted)
        message("%s: its end cannot be noted: %s", file, why.text);
}

/* *beside is the view that is open, if there is one. */
static void conclude(const struct options *options, const struct launched *launched, struct beside *beside)
{
    struct places places = places_of(options);
    char *file = find_trace(&places, launched);
    if (file)
        note_end(file, launched);
    else
        message("%s left no trace", options->program[0]);
    if (beside)
        beside_finish(beside);
    if (!options->quiet) {
        struct traces traces = find_traces(&places, launched);
        if (traces.count > 1 || (traces.count && !file))
            summarise_tree(&traces, options, places.all[0], launched->wait_status);
        else if (file)
            summarise_one(file);
        traces_free(&traces);
    }
    free(file);
    free(places.out);
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
    free(list);
    if (error) {
        if (beside)
            beside_finish(beside);
        bool unknown = error == ENOENT && !strchr(options->program[0], '/');
        message("%s: %s", options->program[0], unknown ? "command not found" : strerror(error));
        return tried ? launch_exit_status(&launched) : EXIT_FAILURE;
    }
    if (library)
        conclude(options, &launched, beside);
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
