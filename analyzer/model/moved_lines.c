// SPDX-License-Identifier: MIT
#include "model/moved_lines.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "model/failure.h"

#define FARTHEST 40.0  /* lines: what a match may cost, and so what one more is worth */
#define MOST     16384 /* pairs of lines that are looked at */
#define WINDOW   16    /* how many lines back the match before is looked for, on either side */

/* The best way that ends with a pair of lines. */
struct way {
    double cost; /* less what its matches are worth; not possible: infinite */
    size_t last; /* pair before this one; MOVED_NOWHERE: it is the first */
};

struct lists {
    const struct calling_line *old, *new;
    size_t old_count, new_count;
};

static double shift_of(const struct lists *lists, size_t pair)
{
    return (double)lists->new[pair % lists->new_count].line - lists->old[pair / lists->new_count].line;
}

/* How far a function as a whole has moved says little: it is one change; less is better if all else is equal. */
static double first_cost(double shift)
{
    double lines = fabs(shift);
    return (lines > 0) + lines / (lines + 1) - FARTHEST;
}

static struct way best_way(const struct lists *lists, const struct way *ways, size_t pair)
{
    size_t i = pair / lists->new_count, j = pair % lists->new_count;
    double shift = shift_of(lists, pair);
    struct way best = {INFINITY, MOVED_NOWHERE};
    if (!(lists->old[i].callees & lists->new[j].callees))
        return best;
    best.cost = first_cost(shift);
    for (size_t before = i > WINDOW ? i - WINDOW : 0; before < i; before++)
        for (size_t k = j > WINDOW ? j - WINDOW : 0; k < j; k++) {
            size_t last = before * lists->new_count + k;
            double cost = ways[last].cost + fabs(shift - shift_of(lists, last)) - FARTHEST;
            if (cost <= best.cost)
                best = (struct way){cost, last};
        }
    return best;
}

static void match_alike(const struct lists *lists, size_t *match)
{
    for (size_t i = 0, j = 0; i < lists->old_count; i++) {
        while (j < lists->new_count && lists->new[j].line < lists->old[i].line)
            j++;
        bool same = j < lists->new_count && lists->new[j].line == lists->old[i].line;
        match[i] = same ? j : MOVED_NOWHERE;
    }
}

static void match_moved(const struct lists *lists, size_t *match)
{
    size_t pairs = lists->old_count * lists->new_count, end = MOVED_NOWHERE;
    struct way *ways = memory_get(pairs, sizeof(*ways));
    double least = INFINITY;
    for (size_t pair = 0; pair < pairs; pair++) {
        ways[pair] = best_way(lists, ways, pair);
        if (ways[pair].cost <= least && ways[pair].cost < 0) {
            least = ways[pair].cost;
            end = pair;
        }
    }
    for (size_t i = 0; i < lists->old_count; i++)
        match[i] = MOVED_NOWHERE;
    for (; end != MOVED_NOWHERE; end = ways[end].last)
        match[end / lists->new_count] = end % lists->new_count;
    free(ways);
}

void moved_lines_match(const struct calling_line *old, size_t old_count, const struct calling_line *new,
                       size_t new_count, size_t *match)
{
    struct lists lists = {old, new, old_count, new_count};
    bool alike = old_count == new_count;
    for (size_t i = 0; alike && i < old_count; i++)
        alike = old[i].line == new[i].line;
    if (alike || !new_count || old_count > MOST / new_count)
        match_alike(&lists, match);
    else
        match_moved(&lists, match);
}
