// SPDX-License-Identifier: MIT
#include "commands/reading.h"

#include "output/message.h"

void reading_begin(struct reading *reading, const struct trace *trace, const struct view *view,
                   const char *file)
{
    reading->symbols = symbols_open(trace);
    progress_begin(&reading->progress, "reading symbols");
    scope_open(&reading->scope, view, trace, reading->symbols);
    reading->report = (struct report){.file = file,
                                      .trace = trace,
                                      .symbols = reading->symbols,
                                      .process = process_of(trace),
                                      .view = view,
                                      .scope = &reading->scope,
                                      .selection = scope_select(&reading->scope)};
}

void reading_is_made(struct reading *reading)
{
    progress_end(&reading->progress);
}

void reading_end(struct reading *reading)
{
    message_flush_stdout();
    message_modules(reading->report.trace, reading->symbols);
    scope_close(&reading->scope);
    symbols_close(reading->symbols);
}
