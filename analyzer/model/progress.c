// SPDX-License-Identifier: MIT
#include "model/progress.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static const struct progress_listener *listener;
static struct progress *innermost;

void progress_listen(const struct progress_listener *new)
{
    listener = new;
}

void progress_tick(void)
{
    if (listener && innermost)
        listener->show(innermost);
}

void progress_begin(struct progress *progress, const char *what)
{
    *progress = (struct progress){.what = what, .outer = innermost};
    innermost = progress;
    progress_tick();
}

void progress_end(const struct progress *progress)
{
    innermost = progress->outer;
    if (listener && !innermost)
        listener->show(NULL);
}

void progress_at(uint64_t done, uint64_t whole)
{
    if (!innermost)
        return;
    innermost->done = done;
    innermost->whole = whole;
    progress_tick();
}

void progress_say(const char *format, ...)
{
    char sentence[1024];
    va_list arguments;
    if (!listener)
        return;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    listener->say(sentence);
}
