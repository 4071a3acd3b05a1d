// SPDX-License-Identifier: MIT
/*
 * Messages without malloc, stdio or errno.
 */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Formats like snprintf, but only %s, %d, %u, %ld, %lu, %%; of strings, control characters and
   what is not UTF-8 become '?'.  Always terminates; returns the length written. */
size_t message_format(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes "tracemalloc: " and the text and a newline to stderr in one piece. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool message_stderr_is_terminal(void);

#endif
