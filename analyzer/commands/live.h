// SPDX-License-Identifier: MIT
/* The live view of a trace, for `live` and for `run --live`. */
#ifndef COMMANDS_LIVE_H
#define COMMANDS_LIVE_H

#include <stdio.h>

#include "model/view.h"

struct live_start {
    const char *path;
    bool follow; /* the process, when it goes on as another program, which has a trace of its own */
    enum metric metric;
    enum grouping by;
    FILE *out, *keys; /* the terminal */
};

/* Shows the view until the user leaves it; the exit status.  A signal that asks us to end does, once the
   terminal is as it was. */
int live_show(const struct live_start *start);

#endif
