// SPDX-License-Identifier: MIT
#include "phases.h"
#include "counters.h"
#include "../base/arena.h"
#include "../unwind/stacks.h"
#include <errno.h>
#include <string.h>

enum { NAME_SIZE = 48 };

struct phase {
    char name[NAME_SIZE];
    struct phase_figures before;        /* the sums as it began; `peak`: their most since then */
};

struct phases {
    struct phase_figures sums;          /* of all events with a phase open; no peak */
    struct phase open[PHASES_MAX];
};

int phases_begin(struct thread *self, const char *name)
{
    if (!self->phases && !(self->phases = arena_alloc(sizeof *self->phases)))
        return -ENOMEM;
    if (self->phase_count == PHASES_MAX)
        return -ENOSPC;
    struct phases *phases = self->phases;
    struct phase *phase = &phases->open[self->phase_count];
    file_label(phase->name, sizeof phase->name, name);
    phase->before = phases->sums;
    phase->before.peak = phases->sums.current;
    if (!self->phase_count++) {
        counters_lend(self);
        stacks_forget(self);    /* which have counters of the common way */
    }
    return 0;
}

static uint32_t find(const struct thread *self, const char *name)
{
    char wanted[NAME_SIZE];
    uint32_t i = self->phase_count;
    file_label(wanted, sizeof wanted, name);
    while (i && name && strcmp(self->phases->open[i - 1].name, wanted))
        i--;
    return i;
}

static void raise(int64_t *peak, int64_t value)
{
    if (value > *peak)
        *peak = value;
}

int phases_end(struct thread *self, const char *name, struct phase_figures *figures)
{
    uint32_t found = find(self, name);
    if (!found)
        return -ENOENT;
    struct phases *phases = self->phases;
    for (uint32_t i = self->phase_count - 1; i > 0; i--)
        raise(&phases->open[i - 1].before.peak, phases->open[i].before.peak);
    const struct phase_figures *before = &phases->open[found - 1].before, *now = &phases->sums;
    *figures = (struct phase_figures){
        .current = now->current - before->current, .peak = before->peak - before->current,
        .allocated = now->allocated - before->allocated, .allocations = now->allocations - before->allocations,
        .frees = now->frees - before->frees,
    };
    self->phase_count = found - 1;
    if (!self->phase_count)
        counters_lend(self);
    return 0;
}

void phases_add(struct thread *self, int births, uint64_t born, int deaths, uint64_t died)
{
    struct phase_figures *sums = &self->phases->sums;
    sums->current += (int64_t)born - (int64_t)died;
    sums->allocated += born;
    sums->allocations += (uint64_t)births;
    sums->frees += (uint64_t)deaths;
    raise(&self->phases->open[self->phase_count - 1].before.peak, sums->current);
}
