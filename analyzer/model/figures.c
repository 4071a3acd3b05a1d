// SPDX-License-Identifier: MIT
#include "model/figures.h"

#include <stdlib.h>
#include <string.h>

#include "model/snapshot.h"

struct reading {
    struct trace *trace;
    struct counts *counts; /* per site */
    uint64_t epoch;
    uint32_t place; /* of the snapshot */
    uint32_t sites, spills; /* that count */
};

/* While a program runs its peak moves on: a counter saved at a later peak than the header's, which was
   read before, is at its peak too. */
void counts_add(struct counts *counts, const struct trace_counter *counter, uint64_t epoch)
{
    bool saved = counter->epoch >= epoch;
    counts->allocations += counter->allocations;
    counts->allocated_bytes += counter->allocated_bytes;
    counts->frees += counter->frees;
    counts->freed_bytes += counter->freed_bytes;
    counts->peak_blocks += saved ? (uint64_t)counter->peak_blocks : counter->allocations - counter->frees;
    counts->peak_bytes +=
        saved ? (uint64_t)counter->peak_bytes : counter->allocated_bytes - counter->freed_bytes;
    counts->reallocations += counter->reallocations;
    counts->temporary += counter->temporary;
}

static void add_counter(uint64_t site, const void *record, void *context)
{
    const struct reading *reading = context;
    counts_add(&reading->counts[site], record, reading->epoch);
}

static void add_snapshot_site(uint64_t site, const void *record, void *context)
{
    const struct reading *reading = context;
    const struct trace_snapshot_site *figures = record;
    struct counts *counts = &reading->counts[site];
    counts->allocations += figures->allocations;
    counts->allocated_bytes += figures->allocated_bytes;
    counts->frees += figures->frees;
    counts->freed_bytes += figures->freed_bytes;
    counts->peak_blocks += (uint64_t)figures->peak_blocks;
    counts->peak_bytes += (uint64_t)figures->peak_bytes;
    counts->reallocations += figures->reallocations;
    counts->temporary += figures->temporary;
}

static void add_inherited(uint64_t site, const void *record, void *context)
{
    const struct reading *reading = context;
    const struct trace_inherited *inherited = record;
    reading->counts[site].inherited_blocks += inherited->blocks;
    reading->counts[site].inherited_bytes += inherited->bytes;
}

void counts_spill(struct counts *counts, const struct trace_spill *spill)
{
    if (spill->kind == TRACE_SPILL_REALLOCATIONS)
        counts->reallocations += UINT64_C(1) << 32;
    if (spill->kind == TRACE_SPILL_TEMPORARY)
        counts->temporary += UINT64_C(1) << 32;
}

static void add_spill(uint64_t number, const void *record, void *context)
{
    (void)number;
    const struct reading *reading = context;
    const struct trace_spill *spill = record;
    if (spill->site < reading->trace->header.site_count)
        counts_spill(&reading->counts[spill->site], spill);
}

static uint64_t not_negative(uint64_t sum)
{
    return sum > INT64_MAX ? 0 : sum;
}

struct figures counts_figures(const struct counts *counts)
{
    return (struct figures){
        .current_bytes = not_negative(counts->allocated_bytes - counts->freed_bytes + counts->inherited_bytes),
        .current_blocks = not_negative(counts->allocations - counts->frees + counts->inherited_blocks),
        .peak_bytes = not_negative(counts->peak_bytes + counts->inherited_bytes),
        .peak_blocks = not_negative(counts->peak_blocks + counts->inherited_blocks),
        .allocated_bytes = counts->allocated_bytes,
        .allocations = counts->allocations,
        .frees = counts->frees,
        .reallocations = counts->reallocations,
        .temporary = counts->temporary,
    };
}

/* With several threads, what none of them has published yet may make current the largest so far. */
static void peak_is_current(struct trace *trace)
{
    for (uint32_t i = 1; i < trace->header.site_count; i++) {
        struct figures *figures = &trace->sites[i].figures;
        figures->peak_bytes = figures->current_bytes;
        figures->peak_blocks = figures->current_blocks;
    }
    trace->totals.peak_bytes = trace->totals.current_bytes;
    trace->totals.peak_blocks = trace->totals.current_blocks;
}

static void finish(struct trace *trace, const struct counts *counts)
{
    trace->totals = (struct figures){0};
    trace->truncated_allocations = 0;
    for (uint32_t i = 1; i < trace->header.site_count; i++) {
        struct site *site = &trace->sites[i];
        site->figures = counts_figures(&counts[i]);
        figures_add(&trace->totals, &site->figures);
        if (site->truncated)
            trace->truncated_allocations += site->figures.allocations;
    }
    if (trace->totals.current_bytes > trace->totals.peak_bytes)
        peak_is_current(trace);
}

/* `type` says where the figures of sites are. */
static bool add_sections(struct reading *reading, const struct reader *reader, enum trace_section_type type,
                         struct failure *why)
{
    const struct {
        record_visitor *visit;
        uint32_t count;
    } tables[] = {
        [TRACE_COUNTERS] = {add_counter, reading->sites},
        [TRACE_INHERITED] = {add_inherited, reading->sites},
        [TRACE_SPILLS] = {add_spill, reading->spills},
        [TRACE_SNAPSHOT_SITES] = {add_snapshot_site, reading->sites},
    };
    for (size_t i = 0; i < reader->sections.count; i++) {
        const struct section *section = &reader->sections.all[i];
        bool others = section->type == TRACE_COUNTERS || section->type == TRACE_SNAPSHOT_SITES;
        if (section->type >= sizeof(tables) / sizeof(tables[0]) || !tables[section->type].visit ||
            (others && section->type != type))
            continue;
        if (section->type == TRACE_SNAPSHOT_SITES && section->shard != reading->place)
            continue;
        if (!section_visit(section, &reader->file, tables[section->type].count, tables[section->type].visit,
                           reading, why))
            return false;
    }
    return true;
}

static bool read_epoch(const struct file *file, uint64_t *epoch, struct failure *why)
{
    return file_read(file, offsetof(struct trace_header, epoch), epoch, sizeof(*epoch), why);
}

bool figures_read(struct trace *trace, struct reader *reader, struct failure *why)
{
    uint32_t count = trace->header.site_count;
    struct reading reading = {.trace = trace, .sites = count, .spills = trace->header.spill_count};
    reading.counts = file_memory(&reader->file, count, sizeof(struct counts), why);
    if (!reading.counts)
        return false;
    /* Again when the peak moved meanwhile; a program that grows all the time is taken as it is. */
    uint64_t after = 0;
    bool fine = read_epoch(&reader->file, &reading.epoch, why);
    for (int try = 0; fine && try < 4; try++) {
        memset(reading.counts, 0, count * sizeof(struct counts));
        fine = add_sections(&reading, reader, TRACE_COUNTERS, why) && read_epoch(&reader->file, &after, why);
        if (!fine || after == reading.epoch)
            break;
        if (try < 3)
            reading.epoch = after;
    }
    if (fine)
        finish(trace, reading.counts);
    file_forget(&reader->file, reading.counts, count, sizeof(struct counts));
    return fine;
}

bool figures_read_snapshot(struct trace *trace, const struct snapshot *snapshot, struct reader *reader,
                           struct failure *why)
{
    uint32_t count = trace->header.site_count;
    struct reading reading = {.trace = trace,
                              .place = snapshot->place,
                              .sites = snapshot->site_count,
                              .spills = snapshot->spill_count};
    reading.counts = file_memory(&reader->file, count, sizeof(struct counts), why);
    if (!reading.counts)
        return false;
    bool fine = add_sections(&reading, reader, TRACE_SNAPSHOT_SITES, why) &&
                snapshot_is_there(snapshot, &reader->file, why);
    if (fine)
        finish(trace, reading.counts);
    file_forget(&reader->file, reading.counts, count, sizeof(struct counts));
    return fine;
}

void figures_add(struct figures *a, const struct figures *b)
{
    a->current_bytes += b->current_bytes;
    a->current_blocks += b->current_blocks;
    a->peak_bytes += b->peak_bytes;
    a->peak_blocks += b->peak_blocks;
    a->allocated_bytes += b->allocated_bytes;
    a->allocations += b->allocations;
    a->frees += b->frees;
    a->reallocations += b->reallocations;
    a->temporary += b->temporary;
}

void figures_replace(struct figures *total, const struct figures *old, const struct figures *new)
{
    uint64_t *sum = (uint64_t *)total;
    const uint64_t *less = (const uint64_t *)old, *more = (const uint64_t *)new;
    for (size_t i = 0; i < sizeof(*total) / sizeof(*sum); i++)
        sum[i] += more[i] - less[i];
}

bool figures_any(const struct figures *figures)
{
    return figures->allocations || figures->frees || figures->current_blocks || figures->current_bytes ||
           figures->peak_blocks || figures->reallocations;
}
