// SPDX-License-Identifier: MIT
/*
 * Reading small files of /proc, by raw calls; the descriptor is closed before the functions return.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads up to size bytes; returns how many, 0 when the file cannot be read. */
size_t proc_read(const char *path, char *buffer, size_t size);

/* Calls visit for each line, without its newline, until it returns false.  buffer holds the lines; one
   longer than it is cut.  False: the file cannot be read. */
bool proc_lines(const char *path, char *buffer, size_t size, bool (*visit)(char *line, void *context),
                void *context);

/* Reads a hexadecimal number and moves *text behind it. */
uintptr_t proc_hex(const char **text);

#endif
