// SPDX-License-Identifier: MIT
/*
 * Rows of a trace that is watched: added up, filtered and ranked like model/rows.h does it, but kept from
 * one look to the next.  What a look costs follows the number of sites that it changed; frames are resolved
 * for what is asked for, and for all sites only where rows are groups or there is a filter.
 */
#ifndef MODEL_RANKING_H
#define MODEL_RANKING_H

#include "model/grouping.h"
#include "model/symbols.h"

struct ranking;

struct ranked {
    uint32_t number; /* of the site, or of the group; the same as long as it is the same row */
    uint32_t site;   /* of a site; of a group 0 */
    const struct source_frame *frame; /* of a group: what its sites have in common */
    const struct figures *figures;
    bool has_change; /* it was seen a second ago */
    double change;   /* of the metric, per second */
};

/* The trace must live as long as the ranking, and symbols too; the trace may grow. */
struct ranking *ranking_open(const struct trace *trace, struct symbols *symbols, enum grouping by,
                             enum metric metric);

void ranking_close(struct ranking *ranking);

enum grouping ranking_by(const struct ranking *ranking);
enum metric ranking_metric(const struct ranking *ranking);

/* Other rows, or another order. */
void ranking_group(struct ranking *ranking, enum grouping by);
void ranking_sort(struct ranking *ranking, enum metric metric);

/* Only sites that have a frame with the text in its function, file, line or module, whatever the case; "":
   all. */
void ranking_filter(struct ranking *ranking, const char *text);

/* Only the sites of a row, each by itself; null: of any.  To be called with a row of the last
   ranking_top(). */
void ranking_enter(struct ranking *ranking, const struct ranked *group);
void ranking_leave(struct ranking *ranking);

/* The frame that all sites have in common since ranking_enter(); null: none. */
const struct source_frame *ranking_inside(const struct ranking *ranking);

/* Takes in the sites that a look at the trace changed (see model/watch.h), at this time of a clock. */
void ranking_update(struct ranking *ranking, const uint32_t *changed, size_t count, uint64_t ns);

/* Resolves what is needed for about so long.  True: there is more to do, and the rows are not complete. */
bool ranking_work(struct ranking *ranking, uint64_t ns);

/* How much of that is done, of 1. */
double ranking_progress(const struct ranking *ranking);

/* The sum of the metric over all rows, and how many there are that are not zero. */
uint64_t ranking_sum(const struct ranking *ranking);
size_t ranking_count(const struct ranking *ranking);

/* The `limit` largest rows, ranked, that are not zero; fewer if there are no more.  Valid until the next
   call of any function that takes a ranking. */
const struct ranked *ranking_top(struct ranking *ranking, size_t limit, size_t *count);

#endif
