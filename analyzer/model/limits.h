// SPDX-License-Identifier: MIT
/* Limits that a trace is held against, absolute or relative to an older trace. */
#ifndef MODEL_LIMITS_H
#define MODEL_LIMITS_H

#include "model/leaks.h"
#include "model/metric.h"

/* What can be limited.  What leaked is what is live less what is suppressed. */
enum limited {
    LIMITED_PEAK,
    LIMITED_CURRENT,
    LIMITED_LEAKED,
    LIMITED_ALLOCATED,
    LIMITED_ALLOCATIONS,
    LIMITED_TEMPORARY,
    LIMITED
};

extern const char *const limited_names[LIMITED];

/* The metric by which sites are ranked that have a part in it. */
enum metric limited_metric(enum limited what);

/* Whether it is a number; otherwise it is bytes. */
bool limited_is_count(enum limited what);

/* What a trace has of each. */
struct amounts {
    uint64_t of[LIMITED];
    uint64_t leaked_blocks; /* that may be of no bytes */
};

struct amounts amounts_of(const struct figures *figures, const struct leak_sum *leaked);

struct limit {
    enum limited what;
    uint64_t most;
    bool relative;     /* to a baseline */
    uint64_t baseline; /* what that has */
    uint64_t found;    /* from limits_judge() on */
    bool exceeded;
};

/* Zeroed: there are none. */
struct limits {
    struct limit all[2 * LIMITED];
    size_t count;
    uint32_t tolerance; /* of relative ones, in thousandths of a percent */
};

/* The absolute limit of `what`, or a relative one; null: there is none. */
const struct limit *limits_find(const struct limits *limits, enum limited what, bool relative);

/* There is no limit of that kind yet. */
void limits_add(struct limits *limits, enum limited what, uint64_t most);

/* Peak, leaked, allocated and allocations may be more than those of the baseline by the tolerance. */
void limits_add_baseline(struct limits *limits, const struct amounts *baseline, uint32_t tolerance);

/* Whether all limits hold.  To leak nothing means no block either. */
bool limits_judge(struct limits *limits, const struct amounts *found);

#endif
