// SPDX-License-Identifier: MIT
#include "shim_support.h"
#include "../../shim/track/track.h"
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool begin_tables(void)
{
    return track_start(shim_steps.granule);
}

static bool at_once(uintptr_t caller)
{
    (void)caller;
    return true;
}

static void start_stacks(struct thread *self)
{
    (void)self;
    track_start_stacks();
}

struct shim_steps shim_steps = {
    .granule = 16,
    .begin = begin_tables,
    .may_start = at_once,
    .start = start_stacks,
    .child = track_child,
    .refresh = track_refresh,
    .died = track_died_before,
};

/* --- the recorder's view of them ----------------------------------------------------------------------- */

static bool begin(void)
{
    return world_start() && shim_steps.begin();
}

static bool may_start(uintptr_t caller)
{
    return shim_steps.may_start(caller);
}

static void start(struct thread *self)
{
    shim_steps.start(self);
}

static bool child(struct thread *self)
{
    return shim_steps.child(self);
}

static void refresh(struct thread *self)
{
    shim_steps.refresh(self);
}

static void died(struct thread *self, const struct deferred *death)
{
    shim_steps.died(self, death);
}

const struct life_steps life_steps = {
    .begin = begin,
    .may_start = may_start,
    .start = start,
    .child = child,
    .refresh = refresh,
    .died = died,
};

/* --- helpers ------------------------------------------------------------------------------------------- */

__attribute__((noinline)) struct thread *shim_enter(void)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    struct thread *self = guard_take(frame, (uintptr_t)__builtin_return_address(0));
    assert_non_null(self);
    return self;
}

struct frame_state shim_caller(const uintptr_t *frame)
{
    return (struct frame_state){.lookup = frame[1] - 1, .sp = (uintptr_t)(frame + 2), .bp = frame[0]};
}

/* --- reading the image --------------------------------------------------------------------------------- */

const struct trace_section *shim_section(const struct trace_section *after, enum trace_section_type type)
{
    uint64_t offset = file_header->header_size;
    if (after)
        offset = (uint64_t)((const char *)after - (const char *)file_header) + after->size;
    while (offset < file_header->used) {
        const struct trace_section *section = file_at(offset);
        assert_true(section->size >= sizeof *section && section->size % TRACE_ALIGN == 0);
        if (section->type == type)
            return section;
        offset += section->size;
    }
    assert_int_equal(offset, file_header->used);
    return NULL;
}

static int64_t current_of_all(void)
{
    const struct trace_section *section = NULL;
    int64_t sum = 0;
    while ((section = shim_section(section, TRACE_COUNTERS))) {
        const struct trace_counter *counters = (const struct trace_counter *)(section + 1);
        for (uint32_t i = 0; i < section->capacity; i++)
            sum += (int64_t)(counters[i].allocated_bytes - counters[i].freed_bytes);
    }
    return sum;
}

uint64_t shim_peak(void)
{
    int64_t current = current_of_all(), peak = (int64_t)file_header->peak_bytes;
    return (uint64_t)(current > peak ? current : peak);
}

static void add_counter(struct shim_site *site, const struct trace_counter *counter, bool now_is_peak)
{
    int64_t bytes = (int64_t)(counter->allocated_bytes - counter->freed_bytes);
    int64_t blocks = (int64_t)(counter->allocations - counter->frees);
    bool saved = counter->epoch == file_header->epoch && !now_is_peak;
    site->bytes += bytes;
    site->blocks += blocks;
    site->peak_bytes += saved ? counter->peak_bytes : bytes;
    site->peak_blocks += saved ? counter->peak_blocks : blocks;
    site->allocations += counter->allocations;
    site->allocated_bytes += counter->allocated_bytes;
    site->frees += counter->frees;
    site->reallocations += counter->reallocations;
    site->temporary += counter->temporary;
}

void shim_read_sites(struct shim_site *sites, uint32_t count)
{
    const struct trace_section *section = NULL;
    bool now_is_peak = shim_peak() > file_header->peak_bytes;
    memset(sites, 0, count * sizeof *sites);
    while ((section = shim_section(section, TRACE_COUNTERS))) {
        const struct trace_counter *counters = (const struct trace_counter *)(section + 1);
        for (uint32_t i = 0; i < section->capacity && section->first + i < count; i++)
            add_counter(&sites[section->first + i], &counters[i], now_is_peak);
    }
}

/* --- the reference ------------------------------------------------------------------------------------- */

void shim_reference_change(struct shim_reference *reference, uint32_t site, int blocks, int64_t bytes)
{
    struct shim_site *s = &reference->sites[site];
    assert_in_range(site, 1, SHIM_SITES - 1);
    s->blocks += blocks;
    s->bytes += bytes;
    s->allocations += blocks > 0;
    s->allocated_bytes += blocks > 0 ? (uint64_t)bytes : 0;
    s->frees += blocks < 0;
    reference->bytes += bytes;
}

void shim_reference_event(struct shim_reference *reference)
{
    if (reference->bytes <= reference->peak)
        return;
    reference->peak = reference->bytes;
    for (int i = 0; i < SHIM_SITES; i++) {
        reference->sites[i].peak_bytes = reference->sites[i].bytes;
        reference->sites[i].peak_blocks = reference->sites[i].blocks;
    }
}

static void print_site(const struct shim_site *site)
{
    print_error("current %ld in %ld, at peak %ld in %ld, temporary %lu, moved %lu\n", site->bytes,
                site->blocks, site->peak_bytes, site->peak_blocks, site->temporary, site->reallocations);
}

static void assert_same_site(uint32_t number, const struct shim_site *right, const struct shim_site *site,
                             bool exact_peak)
{
    struct shim_site compared = *site;
    if (!exact_peak) {
        compared.peak_bytes = right->peak_bytes;
        compared.peak_blocks = right->peak_blocks;
    }
    if (!memcmp(&compared, right, sizeof *right))
        return;
    print_error("site %u: ", number);
    print_site(site);
    print_error("should be ");
    print_site(right);
    fail();
}

void shim_reference_compare(const struct shim_reference *reference, bool exact_peak)
{
    struct shim_site sites[SHIM_SITES];
    shim_read_sites(sites, SHIM_SITES);
    for (uint32_t i = 0; i < SHIM_SITES; i++)
        assert_same_site(i, &reference->sites[i], &sites[i], exact_peak);
    if (exact_peak)
        assert_int_equal(shim_peak(), reference->peak);
}

/* --- processes, directories, numbers ------------------------------------------------------------------- */

static int run_in_child(void (*body)(void))
{
    int status = -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        alarm(60);
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

void shim_in_child(void (*body)(void))
{
    assert_int_equal(run_in_child(body), 0);
}

void shim_in_directory(void (*body)(void))
{
    shim_enter_directory();
    int status = run_in_child(body);
    shim_leave_directory();
    assert_int_equal(status, 0);
}

static char directory[64], before[4096];

void shim_enter_directory(void)
{
    snprintf(directory, sizeof directory, "/tmp/shim-test-XXXXXX");
    assert_non_null(getcwd(before, sizeof before));
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chdir(directory), 0);
}

static int remove_one(const char *path, const struct stat *facts, int type, struct FTW *where)
{
    (void)facts, (void)type, (void)where;
    return remove(path);
}

void shim_leave_directory(void)
{
    assert_int_equal(chdir(before), 0);
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

uint64_t shim_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}
