// SPDX-License-Identifier: MIT
/* Asking the recorder of a running program for something, by words in its trace (struct trace_control). */
#ifndef MODEL_STEERING_H
#define MODEL_STEERING_H

#include "model/trace.h"

struct steering_request {
    enum trace_command command;
    uint64_t argument;
    const char *label; /* null: none */
};

enum steering_answer {
    STEERING_DONE,
    STEERING_REFUSED,    /* *error: why, an errno */
    STEERING_UNSEEN,     /* nobody has looked in time: it stands, and will be seen */
    STEERING_ENDED,      /* the program has ended meanwhile */
    STEERING_IMPOSSIBLE, /* nothing was asked for, as `why` tells */
};

/* Asks through the trace at `path`, which must be of a process that runs, and ours; waits for the answer, at most
   so long (ns). */
enum steering_answer steering_ask(const char *path, const struct steering_request *request, uint64_t patience,
                                  int *error, struct failure *why);

#endif
