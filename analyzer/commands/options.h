// SPDX-License-Identifier: MIT
/* What the commands' options have in common. */
#ifndef COMMANDS_OPTIONS_H
#define COMMANDS_OPTIONS_H

#include <argp.h>
#include <stddef.h>

#include "model/trace.h"

/* The number of the name among names; otherwise ends the program as wrong usage, listing them. */
int options_choose(const struct argp_state *state, const char *option, const char *name,
                   const char *const *names, size_t count);

/* A number from least to most; otherwise ends the program as wrong usage. */
unsigned long options_number(const struct argp_state *state, const char *option, const char *text,
                             unsigned long least, unsigned long most);

/* Checks that it is a number with at most three decimals, more than `least` and not more than `most`, and returns it;
   otherwise ends the program as wrong usage. */
const char *options_decimal(const struct argp_state *state, const char *option, const char *text,
                            double least, double most);

/* A number of bytes: one with K, M, G or T is times a power of 1024 and may have decimals; otherwise ends the program
   as wrong usage. */
uint64_t options_bytes(const struct argp_state *state, const char *option, const char *text);

/* A number from 0 to `most`, with or without %; otherwise ends the program as wrong usage. */
double options_percent(const struct argp_state *state, const char *option, const char *text, double most);

/* Checks that it is a number of bytes from 1 on, with K, M or G for times 1024, and returns it. */
const char *options_size(const struct argp_state *state, const char *option, const char *text);

/* An argument that names the one trace of a command; a second ends the program as wrong usage. */
void options_take_trace(const struct argp_state *state, const char **file, const char *argument);

/*
 * Reads the trace that is named: FILE, or FILE@SNAPSHOT for its figures at a snapshot (trace_find_snapshot);
 * null or @SNAPSHOT: of the newest file in this directory.  False: it could not, and has said why.
 */
bool options_open(struct trace *trace, const char *named);

/* The file of what options_open opens, to be freed; null: there is none, as it has then said. */
char *options_file(const char *named);

/* The trace to look at, to be freed: the one that is named, or the newest in this directory.  Null: there
   is none, as it has then said. */
char *options_trace(const char *named);

/* The trace of a process that runs, to be freed.  Null: there is none that is ours, as it has then said. */
char *options_trace_of_process(int pid);

#endif
