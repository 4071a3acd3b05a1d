// SPDX-License-Identifier: MIT
/*
 * The bus-ridership job: read a file of rides into memory, sum them by route.  `--as` chooses what a
 * row is kept as, which is what there is to measure.
 */
#include "aggregate.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <tracemalloc.h>

enum { SUCCESS, FAILURE, USAGE };

/* Beyond any letter: there are no short options. */
enum { OPTION_AS = 256, OPTION_SIZES, OPTION_HELP };

struct arguments {
    const struct representation *as;
    const char *file;
    bool sizes;
    bool help;
};

static void print_usage(FILE *out)
{
    fputs("Usage: demo [--as REPRESENTATION] [--sizes] FILE\n", out);
}

static void print_help(void)
{
    print_usage(stdout);
    puts("Sum the rides in FILE, a CSV with the header route,date,daytype,rides, by route.\n\n"
         "  --as REPRESENTATION  what a row is kept as in memory:");
    for (const struct representation *const *as = representations; *as; as++)
        printf("      %-12s %s%s\n", (*as)->name, (*as)->summary, as == representations ? " (default)" : "");
    puts("  --sizes              print what the first row has in memory, too\n"
         "  --help               print this");
}

static bool usage_error(const char *what, const char *which)
{
    fprintf(stderr, "demo: %s%s\n", what, which);
    print_usage(stderr);
    fputs("Try 'demo --help'.\n", stderr);
    return false;
}

/* A letter may stand inside an argument that getopt has not finished; it is in optopt then. */
static bool unknown_option(const char *argument)
{
    char letter[] = {'-', (char)optopt, '\0'};
    bool is_letter = optopt > 0 && optopt < OPTION_AS;
    return usage_error("no such option: ", is_letter ? letter : argument);
}

static bool parse_arguments(struct arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {
        {.name = "as", .has_arg = required_argument, .val = OPTION_AS},
        {.name = "sizes", .has_arg = no_argument, .val = OPTION_SIZES},
        {.name = "help", .has_arg = no_argument, .val = OPTION_HELP},
        {0},
    };
    int option;
    *arguments = (struct arguments){.as = representations[0]};
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (option) {
        case OPTION_AS:
            arguments->as = representation_find(optarg);
            if (!arguments->as)
                return usage_error("no such representation: ", optarg);
            break;
        case OPTION_SIZES:
            arguments->sizes = true;
            break;
        case OPTION_HELP:
            arguments->help = true;
            return true;
        case ':':
            return usage_error("an argument is missing after ", argv[optind - 1]);
        default:
            return unknown_option(argv[optind - 1]);
        }
    }
    if (optind + 1 != argc)
        return usage_error(optind == argc ? "no file given" : "more than one file given", "");
    arguments->file = argv[optind];
    return true;
}

static void print_results(struct totals *totals)
{
    const struct route_total *largest[5];
    size_t count = totals_largest(totals, largest, sizeof largest / sizeof *largest);
    printf("%" PRIu64 " Rows\n", totals->rows);
    printf("Route 22: %" PRIu64 " rides\n", totals_of(totals, "22"));
    puts("The five largest routes:");
    for (size_t i = 0; i < count; i++) {
        fputs("  ", stdout);
        put_escaped(stdout, largest[i]->route, SIZE_MAX);
        printf(": %" PRIu64 " rides\n", largest[i]->rides);
    }
}

static void print_memory(void)
{
    size_t current, peak;
    if (tracemalloc_is_tracing() && tracemalloc_get_traced_memory(&current, &peak) == 0)
        printf("Current: %zu, Peak %zu\n", current, peak);
}

/* The record alone, as Python's getsizeof has it, and with all that it leads to. */
static void print_sizes(const struct representation *as, void *table)
{
    const void *block[ROW_BLOCKS_MAX];
    size_t count = as->blocks ? as->blocks(table, block) : 0;
    size_t requested = 0, usable = 0, all_requested = 0, all_usable = 0;
    if (!tracemalloc_is_tracing()) {
        puts("First row: only the recorder knows its size");
        return;
    }
    if (count)
        tracemalloc_get_size(block[0], &requested, &usable);
    for (size_t i = 0; i < count; i++) {
        size_t one_requested, one_usable;
        tracemalloc_get_size(block[i], &one_requested, &one_usable);
        all_requested += one_requested;
        all_usable += one_usable;
    }
    printf("First row: record %zu (usable %zu), its %zu blocks %zu (usable %zu)\n", requested, usable, count,
           all_requested, all_usable);
}

static bool aggregate(struct totals *totals, const struct representation *as, void *table,
                      struct source *source)
{
    switch (totals_collect(totals, as, table)) {
    case 0:
        break;
    case -EOVERFLOW:
        source_fail(source, "the rides of a route add up to more than 64 bits hold");
        break;
    default:
        source_fail(source, "out of memory");
    }
    return !source->failed;
}

static bool run(const struct arguments *arguments, struct source *source)
{
    const struct representation *as = arguments->as;
    struct totals totals = {0};
    void *table = as->create(source);
    if (!table) {
        source_fail(source, "out of memory");
        return false;
    }
    bool done = representation_load(as, table, source);
    tracemalloc_take_snapshot("loaded");
    done = done && aggregate(&totals, as, table, source);
    if (done) {
        print_results(&totals);
        print_memory();
        if (arguments->sizes)
            print_sizes(as, table);
    }
    /* Everything is freed only here: the memory printed above is that of the job's end. */
    totals_free(&totals);
    as->destroy(table);
    return done;
}

static bool process(const struct arguments *arguments)
{
    struct source source;
    bool done = source_open(&source, arguments->file) && run(arguments, &source);
    source_close(&source);
    return done;
}

/* Closing writes what is still buffered, and frees the buffer.  A write that failed earlier has left
   no reason. */
static bool close_output(void)
{
    bool failed = ferror(stdout);
    errno = 0;
    if (fclose(stdout) == 0 && !failed)
        return true;
    fprintf(stderr, "demo: cannot write the results: %s\n", strerror(errno ? errno : EIO));
    return false;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    bool done = true;
    if (!parse_arguments(&arguments, argc, argv))
        return USAGE;
    if (arguments.help)
        print_help();
    else
        done = process(&arguments);
    return close_output() && done ? SUCCESS : FAILURE;
}
