// SPDX-License-Identifier: MIT
#include "model/limits.h"

#define WHOLE (100 * 1000) /* 100 % in the unit of a tolerance */

const char *const limited_names[LIMITED] = {
    [LIMITED_PEAK] = "peak",
    [LIMITED_CURRENT] = "current",
    [LIMITED_LEAKED] = "leaked",
    [LIMITED_ALLOCATED] = "allocated",
    [LIMITED_ALLOCATIONS] = "allocations",
    [LIMITED_TEMPORARY] = "temporary",
};

static const enum metric metrics[LIMITED] = {
    [LIMITED_PEAK] = METRIC_PEAK,
    [LIMITED_CURRENT] = METRIC_CURRENT,
    [LIMITED_LEAKED] = METRIC_CURRENT,
    [LIMITED_ALLOCATED] = METRIC_ALLOCATED,
    [LIMITED_ALLOCATIONS] = METRIC_ALLOCATIONS,
    [LIMITED_TEMPORARY] = METRIC_TEMPORARY,
};

enum metric limited_metric(enum limited what)
{
    return metrics[what];
}

bool limited_is_count(enum limited what)
{
    return what == LIMITED_ALLOCATIONS || what == LIMITED_TEMPORARY;
}

struct amounts amounts_of(const struct figures *figures, const struct leak_sum *leaked)
{
    struct amounts amounts = {.leaked_blocks = leaked->blocks};
    for (enum limited what = 0; what < LIMITED; what++)
        amounts.of[what] = metric_of(figures, metrics[what]);
    amounts.of[LIMITED_LEAKED] = leaked->bytes;
    return amounts;
}

const struct limit *limits_find(const struct limits *limits, enum limited what, bool relative)
{
    for (size_t i = 0; i < limits->count; i++)
        if (limits->all[i].what == what && limits->all[i].relative == relative)
            return &limits->all[i];
    return NULL;
}

void limits_add(struct limits *limits, enum limited what, uint64_t most)
{
    limits->all[limits->count++] = (struct limit){.what = what, .most = most};
}

static uint64_t tolerated(uint64_t baseline, uint32_t tolerance)
{
    unsigned __int128 most = (unsigned __int128)baseline * (WHOLE + (uint64_t)tolerance) / WHOLE;
    return most > UINT64_MAX ? UINT64_MAX : (uint64_t)most;
}

void limits_add_baseline(struct limits *limits, const struct amounts *baseline, uint32_t tolerance)
{
    static const enum limited compared[] = {LIMITED_PEAK, LIMITED_LEAKED, LIMITED_ALLOCATED,
                                            LIMITED_ALLOCATIONS};
    limits->tolerance = tolerance;
    for (size_t i = 0; i < sizeof(compared) / sizeof(compared[0]); i++) {
        uint64_t had = baseline->of[compared[i]];
        limits->all[limits->count++] = (struct limit){
            .what = compared[i], .most = tolerated(had, tolerance), .relative = true, .baseline = had};
    }
}

bool limits_judge(struct limits *limits, const struct amounts *found)
{
    bool fine = true;
    for (size_t i = 0; i < limits->count; i++) {
        struct limit *limit = &limits->all[i];
        bool nothing = limit->what == LIMITED_LEAKED && !limit->relative && !limit->most;
        limit->found = found->of[limit->what];
        limit->exceeded = limit->found > limit->most || (nothing && found->leaked_blocks);
        fine = fine && !limit->exceeded;
    }
    return fine;
}
