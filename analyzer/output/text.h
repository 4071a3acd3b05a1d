// SPDX-License-Identifier: MIT
/* The report for a person. */
#ifndef OUTPUT_TEXT_H
#define OUTPUT_TEXT_H

#include "output/report.h"
#include "output/terminal.h"

struct text {
    FILE *out;
    struct terminal terminal;
    const struct report *report;
};

/* Head, ranked sites, and what to try next. */
void text_report(FILE *out, const struct report *report);

#define SUMMARY_ROWS 5

/* What `run` says when the program has ended: current, peak, the largest sites, the trace, the next command. */
void text_summary(FILE *out, const struct report *report);

/* The same when processes that descend from the program left traces too: the processes instead of sites.
   `command` is the program's, ended by a null; the next command names report->files. */
void text_summary_of_tree(FILE *out, const struct report *report, const char **command);

/* Parts of both, in their own files. */
void text_head(const struct text *text);
bool text_table(const struct text *text); /* whether it has rows */
void text_hint(const struct text *text, bool has_rows);

/* Parts of the head: command and state; what makes the figures less than they seem. */
void text_process(const struct text *text);
void text_losses(const struct text *text);

/* One of two traces, by its label: command, state, file, losses. */
void text_side(const struct text *text, const char *label);

/* A frame at column `indent`, the line so far; without its end. */
void text_place(const struct text *text, const struct source_frame *frame, int indent, bool strong);

/* The callers in a stack, one in a line: with --full all, otherwise those of its origin that matter. */
void text_callers(const struct text *text, const struct stack *stack, int indent);

/* Where in a stack, counted from inside, the C library's way into main or a thread begins; its size if it is
   not there. */
size_t text_stack_end(const struct stack *stack);

/* "exited 0 after 1.25 s" */
void text_state(FILE *out, const struct process *process);

/* The traced command in one line, harmless and, on a terminal, no longer than `columns`; to be freed. */
char *text_command(const struct text *text, size_t columns);

/* The same of a command with `count` words, of which `exe` (may be null) is run. */
char *text_command_line(const struct text *text, const char **command, size_t count, const char *exe,
                        size_t columns);

/* The processes of a sum, a line each, the largest first. */
void text_processes(const struct text *text);

/* "tracemalloc report OPTIONS FILE...", to be copied into a shell. */
void text_report_command(const struct text *text, const char *options);

/* Starts or, with TEXT_PLAIN, ends a way of writing; nothing where there is no colour. */
enum text_style { TEXT_PLAIN, TEXT_STRONG, TEXT_FAINT, TEXT_WARN };
void text_style(const struct text *text, enum text_style style);

/* "block" or "blocks" */
const char *text_plural(uint64_t count, const char *one, const char *many);

#endif
