// SPDX-License-Identifier: MIT
/* tracemalloc: reads what the recorder leaves. */
#define _GNU_SOURCE 1 /* asprintf */
#include <argp.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/commands.h"
#include "model/truncation.h"
#include "output/message.h"
#include "output/progress_line.h"

const char *argp_program_version = "tracemalloc 0.1.0";

/* What there is, in the order of --help; without a function: not yet. */
static const struct command {
    const char *name, *help;
    int (*function)(int argc, char **argv);
} commands[] = {
    {"run", "run a program and record its heap", command_run},
    {"report", "show current, peak and the top call sites of a trace", command_report},
    {"info", "show what is in a trace file, for people who debug the format", command_info},
    {"tree", "show callers and callees with their shares", command_tree},
    {"source", "show source text with bytes per line", command_source},
    {"diff", "compare two traces or snapshots", command_diff},
    {"leaks", "show what was never freed", command_leaks},
    {"html", "write a self-contained HTML report", command_html},
    {"live", "watch a running program", command_live},
    {"ctl", "steer the recorder of a running program", command_ctl},
    {"check", "fail when a trace exceeds limits", command_check},
    {"export", "write a trace in another tool's format", NULL},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
    fputs("Usage: tracemalloc COMMAND [OPTION...] [ARGUMENT...]\n"
          "Heap profiler for Linux programs: who allocated what, now and at the peak.\n\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].function)
            fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].help);
    fputs("\n`tracemalloc COMMAND --help` tells about one of them; `tracemalloc --version` prints the "
          "version.\n"
          "A program can also be recorded by LD_PRELOAD=libtrace.so.\n",
          out);
}

/* How many letters must be changed, added or left out to make one word of the other (up to 31 letters). */
static size_t distance(const char *a, const char *b)
{
    size_t row[32], length = strnlen(b, 31);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t changed = diagonal + (a[i] != b[j]), least = row[j] < row[j + 1] ? row[j] : row[j + 1];
            diagonal = row[j + 1];
            row[j + 1] = changed < least + 1 ? changed : least + 1;
        }
    }
    return row[length];
}

static int unknown(const char *name)
{
    const struct command *nearest = &commands[0];
    for (size_t i = 1; i < COMMANDS; i++)
        if (commands[i].function && distance(name, commands[i].name) < distance(name, nearest->name))
            nearest = &commands[i];
    size_t length = strnlen(name, 32), changes = distance(name, nearest->name);
    if (length < 32 && changes <= 3 && changes < length)
        message("there is no command '%s'; did you mean '%s'?", name, nearest->name);
    else
        message("there is no command '%s'; `tracemalloc --help` lists them", name);
    return EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[0], commands[i].name) != 0)
            continue;
        if (!commands[i].function) {
            message("%s: not yet", argv[0]);
            return EXIT_USAGE;
        }
        char *name;
        if (asprintf(&name, "tracemalloc %s", argv[0]) < 0)
            return EXIT_FAILURE;
        argv[0] = name;
        int status = commands[i].function(argc, argv);
        free(name);
        return status;
    }
    return unknown(argv[0]);
}

/* A file opened where a standard stream is missing would be taken for it.  The place holders refuse
   every read and write, and no program that we run inherits them. */
static void hold_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    truncation_survive();
    setlocale(LC_CTYPE, "");
    atexit(message_check_stdout);
    progress_line_start();
    argp_err_exit_status = EXIT_USAGE;
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (is_one_of(argv[1], "--help", "-?") || is_one_of(argv[1], "-h", "help")) {
        help(stdout);
        return EXIT_SUCCESS;
    }
    if (is_one_of(argv[1], "--version", "-V")) {
        printf("%s\n", argp_program_version);
        return EXIT_SUCCESS;
    }
    if (argv[1][0] == '-') {
        message("unknown option '%s'; `tracemalloc --help` shows what there is", argv[1]);
        return EXIT_USAGE;
    }
    return dispatch(argc - 1, argv + 1);
}
