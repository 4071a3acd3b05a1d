// SPDX-License-Identifier: MIT
/*
 * tracemalloc for C and C++: ask the recorder from inside the traced program.
 *
 * Header-only.  A program that includes this links to nothing and runs unchanged without the
 * recorder: every call then returns 0 and zeroes its results.  Under LD_PRELOAD=libtrace.so the
 * calls reach it.  Unless a function says otherwise: results are 0 when done, -errno when it failed;
 * it may be called from any thread, and from a signal handler.
 *
 * Names and meanings are those of Python's tracemalloc.  What is otherwise:
 *   - Recording begins with the program; LIBTRACE_OPTIONS=start=off leaves that to tracemalloc_start.
 *   - tracemalloc_stop forgets nothing.  Python's stop clears, too.
 *   - A traceback is the whole stack, up to the limit; its frames are addresses.
 *   - Figures are those of the whole process, and of every block: there is nothing to filter.
 */
#ifndef TRACEMALLOC_H
#define TRACEMALLOC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What one thread has allocated and freed in a phase. */
struct tracemalloc_phase {
    ptrdiff_t current;          /* bytes more live at its end than at its begin; less, if it is negative */
    size_t peak;                /* the most that were more live at any moment of it */
    size_t allocated;           /* bytes, of all allocations, freed or not */
    size_t allocations, frees;  /* a realloc of a block is one of each */
};

/* The recorder's own entry points; call the functions below instead. */
__attribute__((weak)) int libtrace_is_tracing(void);
__attribute__((weak)) int libtrace_get_traced_memory(size_t *current, size_t *peak);
__attribute__((weak)) int libtrace_get_traced_counts(size_t *allocations, size_t *blocks);
__attribute__((weak)) int libtrace_get_object_traceback(const void *ptr, void **frames, int n);
__attribute__((weak)) int libtrace_take_snapshot(const char *label);
__attribute__((weak)) int libtrace_mark(const char *label);
__attribute__((weak)) int libtrace_phase_begin(const char *name);
__attribute__((weak)) int libtrace_phase_end(const char *name, struct tracemalloc_phase *result);
__attribute__((weak)) int libtrace_track(unsigned domain, const void *ptr, size_t size);
__attribute__((weak)) int libtrace_untrack(unsigned domain, const void *ptr);
__attribute__((weak)) int libtrace_start(int nframe);
__attribute__((weak)) int libtrace_stop(void);
__attribute__((weak)) int libtrace_reset_peak(void);
__attribute__((weak)) int libtrace_clear_traces(void);
__attribute__((weak)) int libtrace_get_traceback_limit(void);
__attribute__((weak)) size_t libtrace_get_tracemalloc_memory(void);
__attribute__((weak)) int libtrace_get_size(const void *ptr, size_t *requested, size_t *usable);

/* The address of an entry point, null without the recorder.  It is loaded from the global offset
   table by hand: from a plain use compilers make a direct call, or a constant in a program at a fixed
   address, and the linker then resolves the missing symbol to null for good. */
#ifdef __x86_64__
#define TRACEMALLOC_ENTRY(function)                                                                          \
    __extension__({                                                                                          \
        __typeof__(&function) entry_;                                                                        \
        __asm__(".weak " #function "\n\tmovq " #function "@GOTPCREL(%%rip), %0" : "=r"(entry_));             \
        entry_;                                                                                              \
    })
#else
#define TRACEMALLOC_ENTRY(function) (&function)
#endif

/* 1 while new heap blocks are being recorded, else 0.  Cost: a few instructions. */
static inline int tracemalloc_is_tracing(void)
{
    int (*entry)(void) = TRACEMALLOC_ENTRY(libtrace_is_tracing);
    return entry ? entry() : 0;
}

/*
 * Records new blocks from now on, in all threads.  Blocks from before, unless they were recorded then, stay
 * unknown: their frees are ignored.
 * nframe: so many frames are kept of a stack, see tracemalloc_get_traceback_limit; 0: as many as before.
 * Nothing changes, nframe neither, if blocks are being recorded already.
 *
 * -EINVAL: nframe is negative or more than 65536.  -EAGAIN: the recorder has not begun yet, or the caller is
 * a handler that has interrupted it.  Cost: a microsecond; with nframe each thread finds its stacks anew.
 */
static inline int tracemalloc_start(int nframe)
{
    int (*entry)(int) = TRACEMALLOC_ENTRY(libtrace_start);
    return entry ? entry(nframe) : 0;
}

/*
 * Records no new blocks from now on, in all threads.  What is recorded stays, unlike Python's: frees of
 * recorded blocks still count, and so does a realloc of one, as its free; the peak is what it was.  An
 * allocation that another thread has begun may still be recorded.
 *
 * -EAGAIN: as of tracemalloc_start.  Cost: a microsecond.  While nothing is recorded, malloc and free cost
 * nine instructions more than without the recorder, frees of recorded blocks what they always do.
 */
static inline int tracemalloc_stop(void)
{
    int (*entry)(void) = TRACEMALLOC_ENTRY(libtrace_stop);
    return entry ? entry() : 0;
}

/*
 * The peak is what is live now, at every call site too.
 *
 * Other threads are held at their next heap call meanwhile.  -ETIMEDOUT: one of them cannot be (a debugger
 * has it, say), nothing has changed; -EPERM: nor is it possible, since the program has forbidden itself
 * system calls (seccomp); -EBUSY: others do the like, or take snapshots, all the time; -EAGAIN: as of
 * tracemalloc_start.
 * Cost: a microsecond; with several threads two system calls, and the time until the next of them gets a
 * processor.
 */
static inline int tracemalloc_reset_peak(void)
{
    int (*entry)(void) = TRACEMALLOC_ENTRY(libtrace_reset_peak);
    return entry ? entry() : 0;
}

/*
 * Forgets all blocks and figures, as if recording began now: current, peak and allocated are 0, frees of
 * blocks from before are ignored.  Call paths, snapshots, marks and the timeline stay in the trace.
 *
 * Threads and errors: as of tracemalloc_reset_peak.  Cost: 3 ms for each 64 MiB of addresses in which there
 * are blocks, and 20 ns for each call site and thread.
 */
static inline int tracemalloc_clear_traces(void)
{
    int (*entry)(void) = TRACEMALLOC_ENTRY(libtrace_clear_traces);
    return entry ? entry() : 0;
}

/* How many frames are kept of a stack at least, if it has as many: stacks of up to twice as many are kept
   whole, of deeper ones the innermost.  Cost: a few instructions. */
static inline int tracemalloc_get_traceback_limit(void)
{
    int (*entry)(void) = TRACEMALLOC_ENTRY(libtrace_get_traceback_limit);
    return entry ? entry() : 0;
}

/* Bytes that the recorder uses: the trace, mapped or on the disk, and tables besides it; but for the map of
   live blocks, which has 4 bytes for each 32 of the heap.  Cost: a few loads. */
static inline size_t tracemalloc_get_tracemalloc_memory(void)
{
    size_t (*entry)(void) = TRACEMALLOC_ENTRY(libtrace_get_tracemalloc_memory);
    return entry ? entry() : 0;
}

/* Of the live block at ptr: the bytes that were asked for in *requested, and in *usable those that it may
   use, as malloc_usable_size says; either may be null.  -ENOENT, and zeros: no recorded block begins there.
   ptr is what malloc or the like has returned, which must not be freed meanwhile, or points to anything else
   but into a block.  Cost: a few loads. */
static inline int tracemalloc_get_size(const void *ptr, size_t *requested, size_t *usable)
{
    int (*entry)(const void *, size_t *, size_t *) = TRACEMALLOC_ENTRY(libtrace_get_size);
    if (entry)
        return entry(ptr, requested, usable);
    if (requested)
        *requested = 0;
    if (usable)
        *usable = 0;
    return 0;
}

/* Bytes live now in *current, and at most so far in *peak; either may be null.  With several threads the peak is exact to
   64 KiB each, and so is current while others allocate.  Cost: a few loads, and one for each thread. */
static inline int tracemalloc_get_traced_memory(size_t *current, size_t *peak)
{
    int (*entry)(size_t *, size_t *) = TRACEMALLOC_ENTRY(libtrace_get_traced_memory);
    if (entry)
        return entry(current, peak);
    if (current)
        *current = 0;
    if (peak)
        *peak = 0;
    return 0;
}

/* Allocations so far in *allocations, a realloc of a block being one, and blocks live now in *blocks; either may be
   null.  While others allocate, what they do meanwhile may be missing.  Cost: up to 5 ns for each call site of each
   thread. */
static inline int tracemalloc_get_traced_counts(size_t *allocations, size_t *blocks)
{
    int (*entry)(size_t *, size_t *) = TRACEMALLOC_ENTRY(libtrace_get_traced_counts);
    if (entry)
        return entry(allocations, blocks);
    if (allocations)
        *allocations = 0;
    if (blocks)
        *blocks = 0;
    return 0;
}

/*
 * Keeps in the trace what every call site holds and has done at this moment; `tracemalloc report FILE@LABEL`
 * shows it.
 * label: null, or a string of which 63 bytes are kept; it need not be unique.  Of many snapshots the older
 * are thinned out, those with a label last; 64 are kept, or as many as the recorder was told to.
 *
 * Exact if the program has one thread.  Others are held at their next heap call meanwhile; where one cannot
 * be (a debugger has it, say) its last events may be missing.  -ENOSPC: there is no room in the trace;
 * -EPERM: the program has forbidden itself to open files before it had one; -EAGAIN: the recorder has not
 * begun yet, or the caller is a handler that has interrupted it; -EBUSY: others take snapshots all the time.
 *
 * Cost: 0.1 us for each call site, less for each thread that it has, and two system calls to stop other
 * threads, which may take until the next of them gets a processor.
 */
static inline int tracemalloc_take_snapshot(const char *label)
{
    int (*entry)(const char *) = TRACEMALLOC_ENTRY(libtrace_take_snapshot);
    return entry ? entry(label) : 0;
}

/*
 * Notes in the trace that the program is at this point now, and what is live: `tracemalloc info` and `report
 * --json` show it.
 * label: null, or a string of which 63 bytes are kept; it need not be unique.
 *
 * -ENOSPC: there are 1024 already, or there is no room in the trace; -EAGAIN: as of tracemalloc_start.  With
 * several threads the figures of the others may be up to 64 KiB each behind.  Cost: 0.3 us, or until a
 * thread that makes a new call path is done with it.
 */
static inline int tracemalloc_mark(const char *label)
{
    int (*entry)(const char *) = TRACEMALLOC_ENTRY(libtrace_mark);
    return entry ? entry(label) : 0;
}

/*
 * Opens a phase of the calling thread: what it allocates and frees from now on, and the most that is live of
 * it, is added up exactly until tracemalloc_phase_end.  Phases nest.  Other threads are not seen, nor their
 * frees of this one's blocks; while recording is stopped, only frees are.
 * name: null, or a string of which 47 bytes are kept.
 *
 * -ENOSPC: the thread has 32 open; -ENOMEM; -EAGAIN: as of tracemalloc_start.  Cost: 0.1 us; while one is
 * open, each heap call of the thread costs about 15 ns more, and it finds each of its stacks anew once.
 */
static inline int tracemalloc_phase_begin(const char *name)
{
    int (*entry)(const char *) = TRACEMALLOC_ENTRY(libtrace_phase_begin);
    return entry ? entry(name) : 0;
}

/*
 * Closes the calling thread's innermost phase of that name, or of any if it is null, and those that were
 * opened in it and not closed (an exception came between, say).  What was in it goes into *result, which may
 * be null.
 *
 * -ENOENT: no such phase is open; -EAGAIN: as of tracemalloc_start; *result is zero then.  Cost: 0.1 us.
 */
static inline int tracemalloc_phase_end(const char *name, struct tracemalloc_phase *result)
{
    int (*entry)(const char *, struct tracemalloc_phase *) = TRACEMALLOC_ENTRY(libtrace_phase_end);
    static const struct tracemalloc_phase nothing = {0, 0, 0, 0, 0};
    if (entry)
        return entry(name, result);
    if (result)
        *result = nothing;
    return 0;
}

/*
 * Records a block of an allocator of the program's own (a pool, an arena over mmap), of so many bytes, as if
 * it had been allocated here.  What was told before of a block at the same address of the same domain counts
 * as freed.
 * domain: any number, by which `tracemalloc report --domain N` selects; the call paths of its blocks begin at a frame
 * of a module "[domain N]".  Addresses of different domains, and of the heap, have nothing to do with each other.
 *
 * As in Python, such blocks count in current, peak and allocated like all others: where a pool gets its
 * memory from malloc it counts twice.  While recording is stopped nothing is recorded.
 * -EINVAL: size is more than PTRDIFF_MAX; -ENOMEM: there was no memory, nothing was recorded; -EAGAIN: as of
 * tracemalloc_start.  Cost: 0.6 us, and a look-up for each frame of the stack; a lock that all threads
 * share.
 */
static inline int tracemalloc_track(unsigned domain, const void *ptr, size_t size)
{
    int (*entry)(unsigned, const void *, size_t) = TRACEMALLOC_ENTRY(libtrace_track);
    return entry ? entry(domain, ptr, size) : 0;
}

/* The block at ptr of that domain is free; nothing happens if it is not known.  -EAGAIN: as of
   tracemalloc_start, and the block stays known.  Cost: 0.3 us. */
static inline int tracemalloc_untrack(unsigned domain, const void *ptr)
{
    int (*entry)(unsigned, const void *) = TRACEMALLOC_ENTRY(libtrace_untrack);
    return entry ? entry(domain, ptr) : 0;
}

/* Where the live block at ptr was allocated: writes up to n addresses into frames, innermost first,
   and returns how many the stack has (which may be more than n); 0 when ptr is not the start of a
   recorded block.  An address is that of the call: return address - 1.  A frame whose module has
   been unloaded is null.  Cost: a walk up the call path. */
static inline int tracemalloc_get_object_traceback(const void *ptr, void **frames, int n)
{
    int (*entry)(const void *, void **, int) = TRACEMALLOC_ENTRY(libtrace_get_object_traceback);
    if (entry)
        return entry(ptr, frames, n);
    for (int i = 0; i < n; i++)
        frames[i] = NULL;
    return 0;
}

#ifdef __cplusplus
}
#endif
#endif
