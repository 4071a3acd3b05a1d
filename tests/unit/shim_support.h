// SPDX-License-Identifier: MIT
/*
 * For tests of the recorder's modules, which are linked without its edge: steps of life that a test can
 * replace, and a thread that holds its guard.
 */
#ifndef TESTS_SHIM_SUPPORT_H
#define TESTS_SHIM_SUPPORT_H

#include "../../shim/base/file.h"
#include "../../shim/base/life.h"
#include "../../shim/unwind/walk.h"

/* What a test may change before its first shim_enter; what is there does what the recorder's own does. */
extern struct shim_steps {
    unsigned granule;
    bool (*begin)(void);
    bool (*may_start)(uintptr_t caller);
    void (*start)(struct thread *self);
    bool (*child)(struct thread *self);
    void (*refresh)(struct thread *self);
    void (*died)(struct thread *self, const struct deferred *death);
} shim_steps;

/* The calling thread's state, its guard held; whole stacks are recorded.  guard_drop gives it back. */
struct thread *shim_enter(void);

/* The registers of the caller of the function whose frame this is, see __builtin_frame_address(0). */
struct frame_state shim_caller(const uintptr_t *frame);

/* The next section of a type behind the given one, or the first (null); null: there is none. */
const struct trace_section *shim_section(const struct trace_section *after, enum trace_section_type type);

/* What a reader makes of the counters: the sums over all shards of sites 0 to count - 1. */
struct shim_site {
    int64_t bytes, blocks, peak_bytes, peak_blocks;     /* current, at the peak */
    uint64_t allocations, frees, allocated_bytes, reallocations, temporary;
};
void shim_read_sites(struct shim_site *sites, uint32_t count);
uint64_t shim_peak(void);

/*
 * A reference for the counters that is plainly right: it has every site's values, and copies all of them
 * whenever there is a new maximum.
 */
enum { SHIM_SITES = 150 };
struct shim_reference {
    struct shim_site sites[SHIM_SITES];
    int64_t bytes, peak;
};

/* blocks: 1 was born, -1 died, with so many bytes more or less. */
void shim_reference_change(struct shim_reference *reference, uint32_t site, int blocks, int64_t bytes);

/* The event is over, of however many changes it was. */
void shim_reference_event(struct shim_reference *reference);

/* Fails unless the counters are the same; the shares of the peak too if that is exact. */
void shim_reference_compare(const struct shim_reference *reference, bool exact_peak);

/* Runs the body in a forked process, where nothing was started unless this one has; an assertion that fails
   there, or a crash, fails the test. */
void shim_in_child(void (*body)(void));

/* The same in a directory of its own, which is removed afterwards with all that is in it. */
void shim_in_directory(void (*body)(void));

/* For a test that is no other process: a directory of its own, until shim_leave_directory. */
void shim_enter_directory(void);
void shim_leave_directory(void);

/*
 * Runs the body, and the interruption, in a signal handler, before its instruction number `at`.  False: the body
 * was over by then.  For what threads do to each other, without a race: each order of two steps can be had.
 */
bool shim_interrupt(void (*body)(void), void (*interruption)(void), unsigned at);

/* A small generator of numbers, the same on every machine. */
uint64_t shim_random(uint64_t *state);

#endif
