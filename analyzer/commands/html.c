// SPDX-License-Identifier: MIT
/* tracemalloc html: a trace, or the difference of two, as one self-contained page. */
#define _GNU_SOURCE 1 /* asprintf */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/options.h"
#include "commands/view_options.h"
#include "model/file.h"
#include "model/progress.h"
#include "model/translation.h"
#include "output/html.h"
#include "output/message.h"
#include "output/terminal.h"
#include "output/utf8.h"

/* Trees of more than FEW_NODES are shown without what is below a share of everything, by any figure. */
#define FEW_NODES      10000
#define MOST_NODES     100000
#define SMALLEST_SHARE 0.0001

/* A page has no more snapshots than these figures of a kind, or LEAST_SNAPSHOTS. */
#define MOST_FIGURES    500000
#define LEAST_SNAPSHOTS 4

struct options {
    const char *files[2], *out;
    size_t file_count;
    struct view_options view;
    bool force;
};

enum { KEY_OUT = 'o', KEY_FORCE = 'f' };

static const struct argp_option argp_options[] = {
    {"output", KEY_OUT, "FILE", 0, "Name of the page (default: the trace's with .html); -: standard output",
     0},
    {"force", KEY_FORCE, NULL, 0, "Overwrite a file that is no report of ours", 0},
    {0}};

static const struct argp_child children[] = {{&view_argp, 0, NULL, 0}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->view;
        return 0;
    case KEY_OUT:
        if (!*argument)
            argp_error(state, "--output: the name of a page must not be empty");
        options->out = argument;
        return 0;
    case KEY_FORCE:
        options->force = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->file_count == 2)
            argp_error(state, "one trace, or two to be compared, please");
        options->files[options->file_count++] = argument;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (options->view.view.min_bytes || options->view.view.min_blocks)
            argp_error(state, "--min-bytes and --min-blocks are for tables: the page has all sizes");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[FILE[@SNAPSHOT]]\nOLD[@SNAPSHOT] NEW[@SNAPSHOT]",
    "Write a page with the call tree, the timeline and a table of who allocates, or of what changed from one "
    "trace or snapshot to another, and print its name."
    "\vThe page is one file, for any browser, and asks nothing of any network. FILE is a trace, of a program "
    "that has ended or is still running; left out, it is the newest trace in the current directory.",
    children,
    NULL,
    NULL};

/* --- where it goes ------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size > tail && strcmp(text + size - tail, end) == 0;
}

/* x.trace: x.html; to be freed. */
static char *default_name(const char *trace, bool difference)
{
    int size = (int)strlen(trace) - (ends_with(trace, ".trace") ? (int)strlen(".trace") : 0);
    char *name;
    return asprintf(&name, "%.*s%s.html", size, trace, difference ? ".diff" : "") < 0 ? NULL : name;
}

/* Whether a page may be written there; says why not. */
static bool may_write(const char *name, bool force)
{
    struct stat stat;
    char start[sizeof(HTML_MARK) - 1];
    int fd = file_open_regular(name, O_RDONLY | O_CLOEXEC, &stat);
    if (fd < 0 && errno == ENOENT)
        return true;
    bool regular = lstat(name, &stat) != 0 || S_ISREG(stat.st_mode) || S_ISLNK(stat.st_mode);
    bool ours = fd >= 0 && read(fd, start, sizeof(start)) == (ssize_t)sizeof(start) &&
                memcmp(start, HTML_MARK, sizeof(start)) == 0;
    if (fd >= 0)
        close(fd);
    if (!regular)
        message("%s is no regular file: nothing written (-o - writes to standard output)", name);
    else if (!ours && !force)
        message("%s exists and is no report: nothing written (--force overwrites it)", name);
    return regular && (ours || force);
}

/* A new file beside `name`, whose place it takes when it is whole. */
static FILE *open_beside(const char *name, char **path)
{
    if (asprintf(path, "%s.XXXXXX", name) < 0)
        return NULL;
    int fd = mkostemp(*path, O_CLOEXEC);
    mode_t mask = umask(0);
    umask(mask);
    if (fd >= 0 && fchmod(fd, 0666 & ~mask) == 0)
        return fdopen(fd, "w");
    return NULL;
}

static bool write_file(const char *name, const struct html_page *page)
{
    char *path = NULL;
    FILE *out = open_beside(name, &path);
    struct failure why = {""};
    bool whole = out && html_page(out, page, &why);
    bool fine = out && !ferror(out);
    fine = out && fclose(out) == 0 && fine;
    if (whole && fine && rename(path, name) == 0) {
        free(path);
        return true;
    }
    message("%s: cannot be written: %s", name, *why.text ? why.text : strerror(errno ? errno : EIO));
    if (path)
        unlink(path);
    free(path);
    return false;
}

static void say_written(const char *name)
{
    char *harmless = utf8_escape(name, terminal_is_wide());
    printf("%s\n", harmless);
    free(harmless);
}

static bool write_page(const struct options *options, const char *trace, const struct html_page *page)
{
    struct failure why;
    if (options->out && strcmp(options->out, "-") == 0) {
        bool whole = html_page(stdout, page, &why);
        if (!whole)
            message("%s: %s", trace, why.text);
        return whole;
    }
    char *name = options->out ? strdup(options->out) : default_name(trace, page->trace_count == 2);
    bool fine = name && may_write(name, options->force) && write_file(name, page);
    if (fine)
        say_written(name);
    free(name);
    return fine;
}

/* --- what goes there ----------------------------------------------------------------------------------- */

/* A trace with all that belongs to it. */
struct opened {
    char *file;
    struct trace trace;
    struct symbols *symbols;
    struct scope scope;
    uint32_t *nodes;
    size_t wanted;   /* the moment that was named, */
    uint64_t number; /* and that of its snapshot, or 0 */
};

static bool open_trace(struct opened *opened, const char *name, const struct view *view)
{
    opened->file = options_file(name);
    if (!opened->file)
        return false;
    if (!options_open(&opened->trace, name ? name : opened->file)) {
        free(opened->file);
        return false;
    }
    opened->wanted = moment_of(&opened->trace);
    opened->number = opened->trace.at ? opened->trace.at->number : 0;
    opened->symbols = symbols_open(&opened->trace);
    scope_open(&opened->scope, view, &opened->trace, opened->symbols);
    return true;
}

static void close_trace(struct opened *opened)
{
    free(opened->nodes);
    scope_close(&opened->scope);
    symbols_close(opened->symbols);
    trace_free(&opened->trace);
    free(opened->file);
}

static bool same_file(const struct trace *a, const struct trace *b)
{
    return a->device == b->device && a->inode == b->inode;
}

/* Everything that a page is made of. */
struct making {
    struct opened *opened;
    size_t count;
    struct translation *translation; /* of two traces; otherwise null */
    struct calltree tree;
    struct moment *moments;
    size_t moment_count;
    struct pruned pruned;
};

/* The stacks of all sites; whatever counted at a snapshot still counts in the latest figures. */
static bool make_tree(struct making *making, struct failure *why)
{
    struct opened *opened = making->opened;
    calltree_open(&making->tree);
    if (making->count == 2)
        making->translation =
            translation_start(&opened[0].trace, opened[0].symbols, &opened[1].trace, opened[1].symbols);
    for (size_t i = 0; i < making->count; i++) {
        struct moment latest = {&opened[i].trace, NULL, MOMENT_LATEST};
        if (!moment_go_to(&latest, why))
            return false;
        struct progress progress;
        progress_begin(&progress, "reading symbols");
        opened[i].nodes = calltree_add(&making->tree, &opened[i].scope);
        progress_end(&progress);
    }
    return true;
}

static size_t most_snapshots(const struct trace *trace)
{
    size_t most = MOST_FIGURES / trace->header.site_count;
    return most < LEAST_SNAPSHOTS ? LEAST_SNAPSHOTS : most;
}

/* `wanted`: those that were named, of the first trace. */
static void make_moments(struct making *making, const uint64_t *wanted, size_t wanted_count)
{
    struct opened *opened = making->opened;
    if (making->count == 1) {
        making->moments = moments_of(&opened->trace, opened->nodes, most_snapshots(&opened->trace), wanted,
                                     wanted_count, &making->moment_count);
        return;
    }
    making->moments = memory_get(making->count, sizeof(*making->moments));
    for (size_t i = 0; i < making->count; i++)
        making->moments[making->moment_count++] =
            (struct moment){&opened[i].trace, opened[i].nodes, opened[i].wanted};
}

static bool prune(struct making *making, struct failure *why)
{
    struct pruning pruning;
    bool fine = true;
    pruning_open(&pruning, &making->tree);
    for (size_t i = 0; fine && i < making->moment_count; i++) {
        const struct moment *moment = &making->moments[i];
        fine = moment_go_to(moment, why);
        struct figures *figures = calltree_figures(&making->tree, moment->trace, moment->nodes);
        pruning_consider(&pruning, &making->tree, figures);
        free(figures);
    }
    pruning_apply(&pruning, &making->tree, making->tree.node_count > FEW_NODES ? SMALLEST_SHARE : 0,
                  MOST_NODES, &making->pruned);
    pruning_close(&pruning);
    return fine;
}

/* The latest if the program has dropped the snapshot meanwhile. */
static size_t index_of(const struct making *making, uint64_t number)
{
    for (size_t i = 0; i < making->moment_count; i++)
        if (moment_number(&making->moments[i]) == number)
            return i;
    return 0;
}

/* What is said of a trace is that of its figures at the moment. */
static struct html_trace html_trace_of(struct opened *opened, size_t moment)
{
    struct failure why; /* then it is that of the moment it is at */
    moment_go_to(&(struct moment){.trace = &opened->trace, .snapshot = moment}, &why);
    return (struct html_trace){.file = opened->file,
                               .trace = &opened->trace,
                               .process = process_of(&opened->trace),
                               .selection = scope_select(&opened->scope)};
}

/* Unless it was said, between two snapshots what was live then is of interest. */
static enum metric first_metric(const struct options *options, const struct making *making,
                                size_t wanted_count)
{
    bool of_snapshots = making->count == 1 && wanted_count == 2;
    return of_snapshots && !options->view.sorted ? METRIC_CURRENT : options->view.view.metric;
}

static bool write_made(const struct options *options, const struct making *making, const uint64_t *wanted,
                       size_t wanted_count)
{
    struct opened *opened = making->opened;
    bool of_two = making->count == 2;
    struct html_trace traces[2];
    for (size_t i = 0; i < making->count; i++)
        traces[i] = html_trace_of(&opened[i], of_two ? opened[i].wanted : MOMENT_LATEST);
    struct html_page page = {
        .traces = traces,
        .trace_count = making->count,
        .moments = making->moments,
        .moment_count = making->moment_count,
        .moments_left_out = of_two ? 0 : opened->trace.snapshot_count + 1 - making->moment_count,
        .view = &options->view.view,
        .metric = first_metric(options, making, wanted_count),
        .shown = of_two ? 1 : index_of(making, wanted[wanted_count - 1]),
        .base = of_two              ? 0
                : wanted_count == 2 ? index_of(making, wanted[0])
                                    : HTML_NO_BASE,
        .tree = &making->tree,
        .pruned = &making->pruned,
    };
    return write_page(options, opened[making->count - 1].file, &page);
}

/* Of two snapshots of one file: a page of that file. */
static bool make_page(const struct options *options, struct opened *opened, size_t count)
{
    uint64_t wanted[2] = {opened[0].number, opened[count - 1].number};
    size_t wanted_count = count;
    if (count == 2 && same_file(&opened[0].trace, &opened[1].trace))
        count = 1;
    struct making making = {.opened = opened, .count = count};
    struct progress progress;
    struct failure why;
    progress_begin(&progress, "reading symbols");
    bool fine = make_tree(&making, &why);
    progress_end(&progress);
    if (fine)
        make_moments(&making, wanted, wanted_count);
    fine = fine && prune(&making, &why);
    if (!fine)
        message("%s: %s", opened[0].file, why.text);
    fine = fine && write_made(options, &making, wanted, wanted_count);
    for (size_t i = 0; i < count; i++)
        message_modules(&opened[i].trace, opened[i].symbols);
    pruned_free(&making.pruned);
    free(making.moments);
    calltree_close(&making.tree);
    if (making.translation)
        translation_end(making.translation);
    return fine;
}

int command_html(int argc, char **argv)
{
    struct options options = {0};
    struct opened opened[2] = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    size_t wanted = options.file_count == 2 ? 2 : 1, count = 0;
    while (count < wanted && open_trace(&opened[count], options.files[count], &options.view.view))
        count++;
    bool fine = count == wanted && make_page(&options, opened, count);
    while (count > 0)
        close_trace(&opened[--count]);
    view_free(&options.view.view);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
