// SPDX-License-Identifier: MIT
/*
 * The functions of two versions of a program, and the lines at which they call others.  A function is the same
 * if it has the same name in the same file, or else in one of the same name, wherever that lies; its lines may
 * have moved (model/moved_lines.h).
 */
#ifndef MODEL_FUNCTION_LINES_H
#define MODEL_FUNCTION_LINES_H

#include "model/symbols.h"

enum side { OLD, NEW, SIDES };

struct function_lines;

struct function_lines *function_lines_open(void);

void function_lines_close(struct function_lines *lines);

/* The bit of a function among the callees of a line; all bits if it has no name. */
uint64_t function_lines_bit(const struct source_frame *callee);

/* Adds a place at which functions are called.  Its strings must live as long as this. */
void function_lines_add(struct function_lines *lines, enum side side, const struct source_frame *place,
                        uint64_t callees);

/* When all are added: finds out what has moved. */
void function_lines_match(struct function_lines *lines);

/* Makes an old place the new one; what is not known to have moved stays. */
void function_lines_translate(const struct function_lines *lines, struct source_frame *place);

#endif
