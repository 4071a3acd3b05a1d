// SPDX-License-Identifier: MIT
/* What the program says on stderr beside its result. */
#ifndef OUTPUT_MESSAGE_H
#define OUTPUT_MESSAGE_H

#include "model/symbols.h"

/* "tracemalloc: ..." in one line, made harmless for a terminal. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One warning for each file whose symbols were wanted, but are not to be had since it is not the recorded one,
   however often it is met; and one if such a file was cut short meanwhile. */
void message_modules(const struct trace *trace, const struct symbols *symbols);

/* Before messages that are to come after it: what was written to stdout goes out.  Why it could not is told at
   exit. */
void message_flush_stdout(void);

/* At exit: what was written to stdout must have arrived, otherwise the exit status is 1. */
void message_check_stdout(void);

#endif
