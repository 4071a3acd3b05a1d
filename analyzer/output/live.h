// SPDX-License-Identifier: MIT
/* The live view: what it shows, as one picture of a full screen. */
#ifndef OUTPUT_LIVE_H
#define OUTPUT_LIVE_H

#include "model/history.h"
#include "model/process.h"
#include "model/ranking.h"
#include "model/stack.h"

#define LIVE_FILTER 128  /* bytes of a filter, its zero included */
#define LIVE_MOST   1000 /* rows that can be reached */

enum live_page { LIVE_ROWS, LIVE_STACK, LIVE_HELP };

/* Of the whole program, per second. */
struct live_rates {
    bool known;
    double current_bytes, allocations;
};

struct live {
    const struct trace *trace;
    struct symbols *symbols;
    struct ranking *ranking;
    const struct history *history;
    struct process process;
    uint64_t resident_bytes; /* 0: not known */
    struct live_rates rates;
    bool paused, recent; /* recent: the picture shows the last minute */
    const char *trouble; /* what is the matter with the file; null: nothing */
    const char *busy;    /* what is being done that takes long; null: nothing */
    bool starting;       /* the rows are yet to come */

    enum live_page page;
    char filter[LIVE_FILTER];
    bool typing;   /* the filter */
    size_t line;   /* where the user is: in the list of rows, or the first line shown of a stack */
    uint32_t site; /* whose stack it is */

    /* set by live_draw() */
    size_t first, shown; /* rows on the screen */
    bool has_chosen;
    struct ranked chosen;     /* the row at `line`; valid until the ranking is asked something */
    struct live_names *names; /* of rows, as they were made; start with null */
};

/* Draws it; ranking_work() must have been called. */
void live_draw(struct live *live);

/* Between the two, work that takes long (model/progress.h) is shown at the foot, and what is said of it. */
void live_listen(void);
void live_listen_no_more(void);

/* After other rows or another width. */
void live_forget_names(struct live *live);

#endif
