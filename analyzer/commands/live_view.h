// SPDX-License-Identifier: MIT
/* The live view of a trace, for `live` and for `run --live`. */
#ifndef COMMANDS_LIVE_VIEW_H
#define COMMANDS_LIVE_VIEW_H

#include <stdio.h>

#include "model/view.h"

struct live_start {
    const char *path;
    bool follow;      /* the process, when it goes on as another program, which has a trace of its own */
    struct view view; /* at the beginning; its patterns are the caller's */
    FILE *out, *keys; /* the terminal */
};

/* Shows the view until the user leaves it; the exit status.  A signal that asks us to end does, once the
   terminal is as it was. */
int live_show(const struct live_start *start);

#endif
