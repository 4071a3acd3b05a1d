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
#include "model/file.h"
#include "output/html.h"
#include "output/message.h"

/* Trees of more than FEW_NODES are shown without what is below a share of everything, by any figure. */
#define FEW_NODES      10000
#define MOST_NODES     100000
#define SMALLEST_SHARE 0.0001

struct options {
    const char *files[2], *out;
    size_t file_count;
    bool force;
};

enum { KEY_OUT = 'o', KEY_FORCE = 'f' };

static const struct argp_option argp_options[] = {
    {"output", KEY_OUT, "FILE", 0, "Name of the page (default: the trace's with .html); -: standard output", 0},
    {"force", KEY_FORCE, NULL, 0, "Overwrite a file that is no report of ours", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
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
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[FILE]\nOLD NEW",
    "Write a page with the call tree, the timeline and a table of the call sites of a trace, or of what changed "
    "from one trace to another."
    "\vThe page is one file, for any browser, and asks nothing of any network. FILE is a trace, of a program "
    "that has ended or is still running; left out, it is the newest trace in the current directory.",
    NULL,
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
    bool fine = out && html_page(out, page) && !ferror(out);
    fine = out && fclose(out) == 0 && fine && rename(path, name) == 0;
    if (!fine) {
        message("%s: cannot be written: %s", name, strerror(errno ? errno : EIO));
        if (path)
            unlink(path);
    }
    free(path);
    return fine;
}

static bool write_page(const struct options *options, const char *trace, const struct html_page *page)
{
    if (options->out && strcmp(options->out, "-") == 0)
        return html_page(stdout, page) && fflush(stdout) == 0;
    char *name = options->out ? strdup(options->out) : default_name(trace, page->trace_count == 2);
    bool fine = name && may_write(name, options->force) && write_file(name, page);
    if (fine)
        message("the report is %s", name);
    free(name);
    return fine;
}

/* --- what goes there ----------------------------------------------------------------------------------- */

/* A trace with all that belongs to it. */
struct opened {
    char *file;
    struct trace trace;
    struct symbols *symbols;
    uint32_t *nodes;
};

static bool open_trace(struct opened *opened, const char *name)
{
    struct failure why;
    opened->file = options_trace(name);
    if (!opened->file)
        return false;
    if (!trace_read(&opened->trace, opened->file, &why)) {
        message("%s: %s", opened->file, why.text);
        free(opened->file);
        return false;
    }
    opened->symbols = symbols_open(&opened->trace);
    return true;
}

static void close_trace(struct opened *opened)
{
    free(opened->nodes);
    symbols_close(opened->symbols);
    trace_free(&opened->trace);
    free(opened->file);
}

static bool go_to(const struct html_moment *moment, void *context)
{
    (void)moment, (void)context;
    return true;
}

/* Every module of one trace that the other has, by path, is the same file. */
static bool same_build(const struct trace *a, const struct trace *b)
{
    for (uint32_t i = 1; i < a->header.module_count; i++)
        for (uint32_t j = 1; j < b->header.module_count; j++) {
            const struct trace_module *x = &a->modules[i], *y = &b->modules[j];
            const char *path = a->module_paths[i], *other = b->module_paths[j];
            if (path && other && strcmp(path, other) == 0 &&
                (x->build_id_size != y->build_id_size || memcmp(x->build_id, y->build_id, x->build_id_size)))
                return false;
        }
    return true;
}

static bool make_page(const struct options *options, struct opened *opened, size_t count)
{
    struct html_trace traces[2];
    struct html_moment moments[2];
    struct calltree tree;
    struct pruning pruning;
    struct pruned pruned;
    calltree_open(&tree, count == 1 || same_build(&opened[0].trace, &opened[1].trace));
    for (size_t i = 0; i < count; i++) {
        opened[i].nodes = calltree_add(&tree, &opened[i].trace, opened[i].symbols);
        traces[i] = (struct html_trace){opened[i].file, &opened[i].trace, process_of(&opened[i].trace)};
        moments[i] = (struct html_moment){.label = "the end",
                                          .ns = traces[i].process.duration_ns,
                                          .trace = &opened[i].trace,
                                          .nodes = opened[i].nodes};
    }
    pruning_open(&pruning, &tree);
    for (size_t i = 0; i < count; i++) {
        struct figures *figures = calltree_figures(&tree, moments[i].trace, moments[i].nodes);
        pruning_consider(&pruning, &tree, figures);
        free(figures);
    }
    pruning_apply(&pruning, &tree, tree.node_count > FEW_NODES ? SMALLEST_SHARE : 0, MOST_NODES, &pruned);
    struct html_page page = {.traces = traces, .trace_count = count, .moments = moments, .moment_count = count,
                             .tree = &tree, .pruned = &pruned, .go_to = go_to};
    bool fine = write_page(options, opened[count - 1].file, &page);
    for (size_t i = 0; i < count; i++)
        message_modules(&opened[i].trace, opened[i].symbols);
    pruned_free(&pruned);
    pruning_close(&pruning);
    calltree_close(&tree);
    return fine;
}

int command_html(int argc, char **argv)
{
    struct options options = {0};
    struct opened opened[2] = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    size_t wanted = options.file_count == 2 ? 2 : 1, count = 0;
    while (count < wanted && open_trace(&opened[count], options.files[count]))
        count++;
    bool fine = count == wanted && make_page(&options, opened, count);
    while (count > 0)
        close_trace(&opened[--count]);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
