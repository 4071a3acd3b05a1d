// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "model/watch.h"

#include <errno.h>
#include <error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/figures.h"
#include "model/paths.h"
#include "model/reader.h"

#define LONGEST_STRING 65536

/* Bytes that are held for one record besides its own in the trace: here, by symbols, scopes and rankings. */
enum { LATER_SITE = 320, LATER_NODE = 96, LATER_FRAME = 224, LATER_MODULE = 128 };

/* What was last seen of a section of counters. */
struct counted {
    size_t section; /* index of it */
    struct trace_counter *seen;
    uint64_t *marks; /* of them */
    uint32_t room;
};

struct watch {
    struct trace trace;
    struct file *file; /* the trace's */
    struct sections *sections;
    const char *map; /* the file up to the last section */
    size_t map_size;
    bool lost;
    struct failure why;

    uint32_t module_room, frame_room, node_room, site_room;
    struct paths paths;
    char **names; /* paths of modules that came later */
    size_t name_count, name_room;

    struct counted *counted;
    size_t counted_count, counted_room;
    uint64_t copies; /* counters there is room for in them */
    uint32_t spills; /* seen */
    uint64_t epoch;
    struct counts *counts; /* of each site */
    uint64_t *saved_peaks; /* of each site: bytes at the noted peak */
    uint64_t saved_peak;   /* their sum */
    bool peak_is_now;

    bool *touched; /* by site */
    uint32_t *changed;
    size_t changed_count;
};

/* --- tables that grow ------------------------------------------------------------------------------ */

/* Room for `count` records, and some more. */
static uint32_t room_for(uint32_t room, uint32_t count)
{
    if (count <= room)
        return room;
    return room > UINT32_MAX / 2 || count > 2 * room ? count : 2 * room;
}

static void make_room(struct watch *watch)
{
    struct trace *trace = &watch->trace;
    const struct trace_header *header = &trace->header;
    uint32_t modules = room_for(watch->module_room, header->module_count);
    uint32_t frames = room_for(watch->frame_room, header->frame_count);
    uint32_t nodes = room_for(watch->node_room, header->node_count);
    uint32_t sites = room_for(watch->site_room, header->site_count);
    const struct {
        void *array;
        uint32_t *room, wanted;
        size_t size;
    } tables[] = {
        {&trace->modules, &watch->module_room, modules, sizeof(*trace->modules)},
        {&trace->module_paths, &watch->module_room, modules, sizeof(*trace->module_paths)},
        {&trace->frames, &watch->frame_room, frames, sizeof(*trace->frames)},
        {&trace->nodes, &watch->node_room, nodes, sizeof(*trace->nodes)},
        {&watch->paths.roots, &watch->node_room, nodes, sizeof(*watch->paths.roots)},
        {&watch->paths.depths, &watch->node_room, nodes, sizeof(*watch->paths.depths)},
        {&trace->sites, &watch->site_room, sites, sizeof(*trace->sites)},
        {&watch->counts, &watch->site_room, sites, sizeof(*watch->counts)},
        {&watch->saved_peaks, &watch->site_room, sites, sizeof(*watch->saved_peaks)},
        {&watch->touched, &watch->site_room, sites, sizeof(*watch->touched)},
        {&watch->changed, &watch->site_room, sites, sizeof(*watch->changed)},
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (tables[i].wanted > *tables[i].room)
            *(void **)tables[i].array =
                memory_widen(*(void **)tables[i].array, *tables[i].room, tables[i].wanted, tables[i].size);
    watch->module_room = modules;
    watch->frame_room = frames;
    watch->node_room = nodes;
    watch->site_room = sites;
}

/* A file with holes can claim more records than it has bytes. */
static bool is_affordable(const struct watch *watch, const struct trace_header *header, struct failure *why)
{
    uint64_t wanted = header->module_count * (sizeof(struct trace_module) + LATER_MODULE) +
                      header->frame_count * (sizeof(struct trace_frame) + LATER_FRAME) +
                      header->node_count * (sizeof(struct trace_node) + LATER_NODE) +
                      header->site_count * (sizeof(struct site) + LATER_SITE) +
                      watch->copies * sizeof(struct trace_counter);
    return wanted <= file_budget(watch->file->fd) ||
           failure_set(why, "is damaged: it claims more records than it can hold");
}

/* --- what is new ----------------------------------------------------------------------------------- */

static bool map_again(struct watch *watch, uint64_t used, struct failure *why)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (used + page - 1) / page * page;
    if (size <= watch->map_size)
        return true;
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, watch->file->fd, 0);
    if (map == MAP_FAILED)
        return failure_set(why, "cannot be mapped: %s", strerror(errno));
    if (watch->map)
        munmap((void *)watch->map, watch->map_size);
    watch->map = map;
    watch->map_size = size;
    return true;
}

/* Calls `visit` for the records from ... to - 1 that there are of a type; returns how many. */
typedef void record_reader(struct watch *watch, uint32_t number, const void *record);
static uint32_t read_records(struct watch *watch, enum trace_section_type type, uint32_t from, uint32_t to,
                             record_reader *read)
{
    uint32_t count = 0;
    for (size_t i = 0; i < watch->sections->count; i++) {
        const struct section *section = &watch->sections->all[i];
        uint64_t first = section->first > from ? section->first : from;
        uint64_t end = section->first + section->capacity < to ? section->first + section->capacity : to;
        if (section->type != type)
            continue;
        for (uint64_t number = first; number < end; number++, count++)
            read(watch, (uint32_t)number,
                 watch->map + section->data + (number - section->first) * section->record_size);
    }
    return count;
}

static void read_module(struct watch *watch, uint32_t number, const void *record)
{
    memcpy(&watch->trace.modules[number], record, sizeof(struct trace_module));
}

static void read_frame(struct watch *watch, uint32_t number, const void *record)
{
    memcpy(&watch->trace.frames[number], record, sizeof(struct trace_frame));
}

static void read_node(struct watch *watch, uint32_t number, const void *record)
{
    memcpy(&watch->trace.nodes[number], record, sizeof(struct trace_node));
}

static void read_site(struct watch *watch, uint32_t number, const void *record)
{
    struct trace_site site;
    memcpy(&site, record, sizeof(site));
    watch->trace.sites[number] = (struct site){.node = site.node};
}

static void touch(struct watch *watch, uint32_t site)
{
    if (watch->touched[site])
        return;
    watch->touched[site] = true;
    watch->changed[watch->changed_count++] = site;
}

static void read_inherited(struct watch *watch, uint32_t site, const void *record)
{
    struct trace_inherited inherited;
    memcpy(&inherited, record, sizeof(inherited));
    watch->counts[site].inherited_blocks = inherited.blocks;
    watch->counts[site].inherited_bytes = inherited.bytes;
    touch(watch, site);
}

static void read_spill(struct watch *watch, uint32_t number, const void *record)
{
    (void)number;
    struct trace_spill spill;
    memcpy(&spill, record, sizeof(spill));
    if (!spill.site || spill.site >= watch->trace.header.site_count)
        return;
    counts_spill(&watch->counts[spill.site], &spill);
    touch(watch, spill.site);
}

static bool read_new(struct watch *watch, const struct trace_header *known, struct failure *why)
{
    const struct trace_header *header = &watch->trace.header;
    const struct {
        enum trace_section_type type;
        uint32_t known, count;
        record_reader *read;
        const char *name;
    } tables[] = {
        {TRACE_MODULES, known->module_count, header->module_count, read_module, "modules"},
        {TRACE_FRAMES, known->frame_count, header->frame_count, read_frame, "frames"},
        {TRACE_NODES, known->node_count, header->node_count, read_node, "call paths"},
        {TRACE_SITES, known->site_count, header->site_count, read_site, "sites"},
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        uint32_t from = tables[i].known ? tables[i].known : 1;
        if (tables[i].count > from && read_records(watch, tables[i].type, from, tables[i].count,
                                                   tables[i].read) != tables[i].count - from)
            return failure_set(why, "is damaged: it has not all the %s that it counts", tables[i].name);
    }
    return true;
}

/* A copy of the string at `offset` of the file; null: there is none. */
static char *copy_string(const struct watch *watch, uint64_t offset)
{
    for (size_t i = 0; i < watch->sections->count; i++) {
        const struct section *section = &watch->sections->all[i];
        if (section->type != TRACE_STRINGS || offset < section->data || offset >= section_end(section))
            continue;
        uint64_t room = section_end(section) - offset;
        char *copy = strndup(watch->map + offset, room < LONGEST_STRING ? room : LONGEST_STRING);
        if (copy && strlen(copy) < room && strlen(copy) < LONGEST_STRING)
            return copy;
        free(copy);
        return NULL;
    }
    return NULL;
}

static bool name_modules(struct watch *watch, uint32_t from, struct failure *why)
{
    struct trace *trace = &watch->trace;
    for (uint32_t i = from ? from : 1; i < trace->header.module_count; i++) {
        const struct trace_module *module = &trace->modules[i];
        char *path = module->path ? copy_string(watch, module->path) : NULL;
        if (module->path && !path)
            return failure_set(why, "is damaged: no string at byte %llu", (unsigned long long)module->path);
        if (path) {
            watch->names = memory_grow(watch->names, watch->name_count, &watch->name_room, sizeof(char *));
            watch->names[watch->name_count++] = path;
        }
        trace->module_paths[i] = path;
        if (module->build_id_size > sizeof(module->build_id))
            return failure_set(why, "is damaged: module %u has an impossible build-id", i);
    }
    return true;
}

static void list_counters(struct watch *watch, size_t from)
{
    for (size_t i = from; i < watch->sections->count; i++) {
        if (watch->sections->all[i].type != TRACE_COUNTERS)
            continue;
        watch->counted =
            memory_grow(watch->counted, watch->counted_count, &watch->counted_room, sizeof(*watch->counted));
        watch->counted[watch->counted_count++] = (struct counted){.section = i};
    }
}

static bool add_sections(struct watch *watch, const struct trace_header *now, struct failure *why)
{
    size_t known = watch->sections->count;
    if (!map_again(watch, now->used, why) ||
        !sections_extend(watch->sections, watch->file, now, watch->trace.header.used, why))
        return false;
    list_counters(watch, known);
    watch->trace.header.used = now->used;
    return true;
}

static bool read_growth(struct watch *watch, const struct trace_header *now, struct failure *why)
{
    struct trace_header *header = &watch->trace.header, known = *header;
    if ((now->used > known.used && !add_sections(watch, now, why)) || !is_affordable(watch, now, why))
        return false;
    header->module_count = now->module_count;
    header->frame_count = now->frame_count;
    header->node_count = now->node_count;
    header->site_count = now->site_count;
    make_room(watch);
    if (read_new(watch, &known, why) && name_modules(watch, known.module_count, why) &&
        paths_check(&watch->paths, &watch->trace, &known, why)) {
        read_records(watch, TRACE_INHERITED, known.site_count, header->site_count, read_inherited);
        return true;
    }
    header->module_count = known.module_count;
    header->frame_count = known.frame_count;
    header->node_count = known.node_count;
    header->site_count = known.site_count;
    return false;
}

/* --- counters -------------------------------------------------------------------------------------- */

/* Tells a counter from what it was: of 64 bytes 8 are kept close, as most counters are as they were. */
static uint64_t mark_of(const void *record)
{
    static const uint64_t factors[] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
                                       0xd6e8feb86659fd93, 0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53,
                                       0xa0761d6478bd642f, 0xe7037ed1a0b428db};
    uint64_t words[sizeof(struct trace_counter) / sizeof(uint64_t)], mark = 0;
    memcpy(words, record, sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        mark += words[i] * factors[i];
    return mark;
}

static void subtract(struct counts *a, const struct counts *b)
{
    uint64_t *x = (uint64_t *)a;
    const uint64_t *y = (const uint64_t *)b;
    for (size_t i = 0; i < sizeof(*a) / sizeof(*x); i++)
        x[i] -= y[i];
}

/* How many records of a section the sites have. */
static uint32_t used_of(const struct watch *watch, const struct section *section)
{
    uint32_t sites = watch->trace.header.site_count;
    if (section->first >= sites)
        return 0;
    return sites - section->first < section->capacity ? (uint32_t)(sites - section->first)
                                                      : section->capacity;
}

static void read_counters(struct watch *watch, struct counted *counted)
{
    const struct section *section = &watch->sections->all[counted->section];
    uint32_t count = used_of(watch, section);
    const char *record = watch->map + section->data;
    if (count > counted->room) {
        uint32_t room = room_for(counted->room, count);
        room = room < section->capacity ? room : section->capacity;
        counted->seen = memory_widen(counted->seen, counted->room, room, sizeof(*counted->seen));
        counted->marks = memory_widen(counted->marks, counted->room, room, sizeof(*counted->marks));
        watch->copies += room - counted->room;
        counted->room = room;
    }
    for (uint32_t i = section->first ? 0 : 1; i < count; i++) {
        const char *live = record + (size_t)i * section->record_size;
        if (mark_of(live) == counted->marks[i])
            continue;
        struct trace_counter now;
        memcpy(&now, live, sizeof(now));
        __asm__ volatile("" : "+m"(now)); /* one copy: it may change meanwhile */
        counted->marks[i] = mark_of(&now);
        struct counts gone = {0};
        counts_add(&gone, &counted->seen[i], watch->epoch);
        struct counts *counts = &watch->counts[section->first + i];
        subtract(counts, &gone);
        counts_add(counts, &now, watch->epoch);
        counted->seen[i] = now;
        touch(watch, (uint32_t)section->first + i);
    }
}

/* After a new peak was noted: what each counter had then. */
static void sum_peaks(struct watch *watch)
{
    for (uint32_t i = 1; i < watch->trace.header.site_count; i++) {
        watch->counts[i].peak_blocks = watch->counts[i].peak_bytes = 0;
        touch(watch, i);
    }
    for (size_t i = 0; i < watch->counted_count; i++) {
        const struct counted *counted = &watch->counted[i];
        const struct section *section = &watch->sections->all[counted->section];
        uint32_t count = used_of(watch, section);
        for (uint32_t j = section->first ? 0 : 1; j < count; j++) {
            struct counts there = {0};
            counts_add(&there, &counted->seen[j], watch->epoch);
            struct counts *counts = &watch->counts[section->first + j];
            counts->peak_blocks += there.peak_blocks;
            counts->peak_bytes += there.peak_bytes;
        }
    }
}

/* --- figures --------------------------------------------------------------------------------------- */

/* Whether more is live than at the noted peak, so that every site's peak is its current. */
static bool find_peak(struct watch *watch)
{
    uint64_t current = watch->trace.totals.current_bytes;
    for (size_t i = 0; i < watch->changed_count; i++) {
        uint32_t site = watch->changed[i];
        struct figures figures = counts_figures(&watch->counts[site]);
        watch->saved_peak += figures.peak_bytes - watch->saved_peaks[site];
        watch->saved_peaks[site] = figures.peak_bytes;
        current += figures.current_bytes - watch->trace.sites[site].figures.current_bytes;
    }
    return current > watch->saved_peak;
}

/* Gives the touched sites their figures; those for which that made a difference are `changed` afterwards. */
static void finish(struct watch *watch)
{
    struct trace *trace = &watch->trace;
    bool now = find_peak(watch);
    if (now != watch->peak_is_now)
        for (uint32_t i = 1; i < trace->header.site_count; i++)
            touch(watch, i);
    watch->peak_is_now = now;
    size_t count = watch->changed_count;
    watch->changed_count = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = watch->changed[i];
        struct site *site = &trace->sites[number];
        struct figures figures = counts_figures(&watch->counts[number]);
        watch->touched[number] = false;
        if (now) {
            figures.peak_bytes = figures.current_bytes;
            figures.peak_blocks = figures.current_blocks;
        }
        if (memcmp(&figures, &site->figures, sizeof(figures)) == 0)
            continue;
        figures_replace(&trace->totals, &site->figures, &figures);
        if (site->truncated)
            trace->truncated_allocations += figures.allocations - site->figures.allocations;
        site->figures = figures;
        watch->changed[watch->changed_count++] = number;
    }
}

static void count(struct watch *watch, const struct trace_header *now)
{
    for (size_t i = 0; i < watch->counted_count; i++)
        read_counters(watch, &watch->counted[i]);
    read_records(watch, TRACE_SPILLS, watch->spills, now->spill_count, read_spill);
    watch->spills = now->spill_count;
    if (now->epoch != watch->epoch) {
        watch->epoch = now->epoch;
        sum_peaks(watch);
    }
    finish(watch);
}

/* --- looks ----------------------------------------------------------------------------------------- */

/* What depends on something is read before it: a site's path, its frame, the frame's module are counted
   if the site is, and all are in sections before `used`. */
static struct trace_header look_at_header(const struct watch *watch)
{
    const struct trace_header *live = (const struct trace_header *)watch->map;
    struct trace_header now = watch->trace.header;
    now.epoch = __atomic_load_n(&live->epoch, __ATOMIC_ACQUIRE);
    now.spill_count = __atomic_load_n(&live->spill_count, __ATOMIC_ACQUIRE);
    now.site_count = __atomic_load_n(&live->site_count, __ATOMIC_ACQUIRE);
    now.node_count = __atomic_load_n(&live->node_count, __ATOMIC_ACQUIRE);
    now.frame_count = __atomic_load_n(&live->frame_count, __ATOMIC_ACQUIRE);
    now.module_count = __atomic_load_n(&live->module_count, __ATOMIC_ACQUIRE);
    now.used = __atomic_load_n(&live->used, __ATOMIC_ACQUIRE);
    return now;
}

static bool is_larger(const struct trace_header *a, const struct trace_header *b)
{
    return a->used > b->used || a->module_count > b->module_count || a->frame_count > b->frame_count ||
           a->node_count > b->node_count || a->site_count > b->site_count;
}

/* What is said of the whole program.  An end that is noted is complete: its state is read first. */
static void copy_facts(struct watch *watch)
{
    const volatile struct trace_header *live = (const volatile struct trace_header *)watch->map;
    struct trace_header *header = &watch->trace.header;
    header->state = __atomic_load_n(&live->state, __ATOMIC_ACQUIRE);
    header->status = live->status;
    header->ended_ns = live->ended_ns;
    header->last_seen_ns = live->last_seen_ns;
    header->flags = live->flags;
    header->threads = live->threads;
    header->missed_events = live->missed_events;
    header->recorder_bytes = live->recorder_bytes;
    header->peak_error_bytes = live->peak_error_bytes;
    header->spill_count = watch->spills;
    header->epoch = watch->epoch;
}

static bool is_whole(struct watch *watch, uint64_t used, struct failure *why)
{
    struct stat *stat = &watch->file->stat;
    if (fstat(watch->file->fd, stat) == 0 && (uint64_t)stat->st_size < used)
        return failure_set(why, "was cut short: %llu bytes of %llu", (unsigned long long)stat->st_size,
                           (unsigned long long)used);
    return true;
}

static bool look(struct watch *watch, struct failure *why)
{
    const struct trace_header *header = &watch->trace.header;
    if (!is_whole(watch, header->used, why))
        return false;
    struct trace_header now = look_at_header(watch);
    if (is_larger(header, &now) || now.spill_count < watch->spills)
        return is_whole(watch, header->used, why) && failure_set(why, "is damaged: its tables shrank");
    if (!is_whole(watch, now.used, why) || (is_larger(&now, header) && !read_growth(watch, &now, why)))
        return false;
    count(watch, &now);
    copy_facts(watch);
    return true;
}

bool watch_update(struct watch *watch, struct failure *why)
{
    watch->changed_count = 0;
    if (!watch->lost)
        watch->lost = !look(watch, &watch->why);
    if (watch->lost)
        *why = watch->why;
    return !watch->lost;
}

const struct trace *watch_trace(const struct watch *watch)
{
    return &watch->trace;
}

const uint32_t *watch_changed(const struct watch *watch, size_t *count)
{
    *count = watch->changed_count;
    return watch->changed;
}

/* --- opening --------------------------------------------------------------------------------------- */

/* Figures are counted anew, from nothing. */
static bool start(struct watch *watch, struct failure *why)
{
    struct trace *trace = &watch->trace;
    const struct trace_header *header = &trace->header;
    watch->file = &trace->reader->file;
    watch->sections = &trace->reader->sections;
    watch->module_room = header->module_count;
    watch->frame_room = header->frame_count;
    watch->node_room = header->node_count;
    watch->site_room = header->site_count;
    watch->paths.roots = memory_get(watch->node_room, sizeof(*watch->paths.roots));
    watch->paths.depths = memory_get(watch->node_room, sizeof(*watch->paths.depths));
    watch->counts = memory_get(watch->site_room, sizeof(*watch->counts));
    watch->saved_peaks = memory_get(watch->site_room, sizeof(*watch->saved_peaks));
    watch->touched = memory_get(watch->site_room, sizeof(*watch->touched));
    watch->changed = memory_get(watch->site_room, sizeof(*watch->changed));
    trace->totals = (struct figures){0};
    trace->truncated_allocations = 0;
    for (uint32_t i = 0; i < header->site_count; i++)
        trace->sites[i].figures = (struct figures){0};
    if (!paths_check(&watch->paths, trace, &(struct trace_header){0}, why) ||
        !map_again(watch, header->used, why))
        return false;
    list_counters(watch, 0);
    read_records(watch, TRACE_INHERITED, 1, header->site_count, read_inherited);
    return look(watch, why);
}

struct watch *watch_open(const char *path, struct failure *why)
{
    struct watch *watch = memory_get(1, sizeof(*watch));
    if (!trace_read(&watch->trace, path, why)) {
        free(watch);
        return NULL;
    }
    if (start(watch, why))
        return watch;
    watch_close(watch);
    return NULL;
}

void watch_close(struct watch *watch)
{
    for (size_t i = 0; i < watch->counted_count; i++) {
        free(watch->counted[i].seen);
        free(watch->counted[i].marks);
    }
    for (size_t i = 0; i < watch->name_count; i++)
        free(watch->names[i]);
    if (watch->map)
        munmap((void *)watch->map, watch->map_size);
    paths_free(&watch->paths);
    trace_free(&watch->trace);
    free(watch->counted);
    free(watch->names);
    free(watch->counts);
    free(watch->saved_peaks);
    free(watch->touched);
    free(watch->changed);
    free(watch);
}
