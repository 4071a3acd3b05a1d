// SPDX-License-Identifier: MIT
/* The strings of a trace: named by their offset in the file, each ended by a zero. */
#ifndef MODEL_STRINGS_H
#define MODEL_STRINGS_H

#include "model/sections.h"
#include "model/trace.h"

/* Copies all string sections into trace->strings. */
bool strings_read(struct trace *trace, const struct sections *sections, struct file *file,
                  struct failure *why);

void strings_free(struct trace *trace);

/* The string at `offset`, null for offset 0.  False if there is none at that place. */
bool strings_get(const struct trace *trace, uint64_t offset, const char **string, struct failure *why);

/* Splits `size` bytes at `offset` into the trace's command. */
bool strings_command(struct trace *trace, uint64_t offset, uint64_t size, struct failure *why);

#endif
