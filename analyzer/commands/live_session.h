// SPDX-License-Identifier: MIT
/* The state of a live view: looks at the program change it, and keys do. */
#ifndef COMMANDS_LIVE_SESSION_H
#define COMMANDS_LIVE_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "commands/live_view.h"
#include "model/watch.h"
#include "output/live.h"

/* Totals as they were a while ago. */
struct base {
    uint64_t ns; /* 0: none */
    uint64_t current_bytes, allocations;
};

struct session {
    struct live_start start;
    char *path; /* of the trace that is shown */
    struct watch *watch;
    struct history history;
    struct live live;
    struct base old, new;
    uint64_t cost; /* of a tick, about */
    uint64_t checked_ns;
    ino_t inode;
    bool lost, quit, redraw;
    char trouble[1024], progress[64];
};

/* Another file instead of the one that is shown; the view is as it was. */
void session_change_trace(struct session *session, const char *path);

/* A key of output/screen.h: changes what is shown. */
void session_press(struct session *session, uint32_t key);

#endif
