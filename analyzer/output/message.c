// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* asprintf, vasprintf */
#include "output/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/truncation.h"
#include "output/progress_line.h"
#include "output/terminal.h"
#include "output/utf8.h"

void message(const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    char *escaped = utf8_escape(text, terminal_is_wide());
    progress_line_erase();
    fprintf(stderr, "tracemalloc: %s\n", escaped);
    free(escaped);
    free(text);
}

#define SAID 64 /* so many files are remembered */

static const char *const troubles[] = {
    [MODULE_GONE] = "is gone",
    [MODULE_CHANGED] = "has changed since it was recorded",
    [MODULE_UNREADABLE] = "cannot be read",
    [MODULE_FINE] = NULL,
};

/* Once of a file, in however many traces it is, or builds. */
static void message_module(const char *path, const char *trouble)
{
    static char *said[SAID];
    static size_t count;
    char *text;
    if (asprintf(&text, "%s %s: no symbols", path, trouble) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (strcmp(said[i], text) == 0) {
            free(text);
            return;
        }
    message("%s", text);
    if (count < SAID)
        said[count++] = text;
    else
        free(text);
}

void message_modules(const struct trace *trace, const struct symbols *symbols)
{
    for (uint32_t i = 1; i < trace->header.module_count; i++) {
        const char *trouble = troubles[symbols_state(symbols, i)];
        if (trouble)
            message_module(trace->module_paths[i], trouble);
    }
    if (truncation_happened())
        message("a file was cut short while symbols were read from it: names may be missing");
}

static int failed_with; /* errno; 0: stdout did not fail yet */

void message_flush_stdout(void)
{
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && !failed_with)
        failed_with = errno ? errno : EIO;
}

void message_check_stdout(void)
{
    message_flush_stdout();
    if (!failed_with)
        return;
    message("cannot write the output: %s", strerror(failed_with));
    _exit(1);
}
