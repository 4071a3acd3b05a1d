// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "compare.h"
#include "tracemalloc.h"
#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>
#ifdef WITH_LIBUNWIND
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#define OTHER "libunwind"
#else
#define OTHER "libgcc"
#endif

enum { FRAMES_MAX = 1 << 15, REASONS_MAX = 8, SHOWN_MAX = 4 };

/* Addresses of calls, innermost first; of instructions where a signal interrupted. */
struct stack {
    uintptr_t frames[FRAMES_MAX];
    bool exact[FRAMES_MAX];
    uint32_t count;
};

static struct stack recorded, truth, outside;

struct reason {
    const char *text;
    uint64_t stacks;
};

static struct {
    uint64_t allocations, frames, differences;
    struct reason reasons[REASONS_MAX];
    uint32_t reason_count, depth;
    sigset_t held, before;
    bool hold;
} state = {.depth = FRAMES_MAX};

/* --- the other unwinder --------------------------------------------------------------------------------- */

static bool add(uintptr_t ip, bool exact)
{
    if (!ip || truth.count == FRAMES_MAX)
        return false;
    truth.exact[truth.count] = exact;
    truth.frames[truth.count++] = exact ? ip : ip - 1;
    return true;
}

#ifdef WITH_LIBUNWIND
/* It calls the frame that a signal interrupted the signal's.  Its cache knows nothing of plug-ins that go. */
static void find_truth(void)
{
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t ip;
    truth.count = 0;
    unw_set_caching_policy(unw_local_addr_space, UNW_CACHE_NONE);
    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    do {
        if (unw_get_reg(&cursor, UNW_REG_IP, &ip) < 0 || !add(ip, unw_is_signal_frame(&cursor) > 0))
            return;
    } while (unw_step(&cursor) > 0);
}
#else
static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *unused)
{
    int exact = 0;
    uintptr_t ip = _Unwind_GetIPInfo(context, &exact);
    (void)unused;
    return add(ip, exact) ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static void find_truth(void)
{
    truth.count = 0;
    _Unwind_Backtrace(note, NULL);
}
#endif

/* --- reasons -------------------------------------------------------------------------------------------- */

static const void *function_of(uintptr_t address)
{
    return _Unwind_FindEnclosingFunction((void *)(address + 1));
}

static uint32_t frames_inside(const struct stack *stack, const void *function)
{
    uint32_t i = 0;
    while (i < stack->count && function_of(stack->frames[i]) != function)
        i++;
    return i;
}

void compare_expect_depth(uint32_t depth)
{
    state.depth = depth;
}

/* A difference that has a reason. */
static bool explained(const char *text)
{
    uint32_t i = 0;
    while (i < state.reason_count && state.reasons[i].text != text)
        i++;
    if (i == REASONS_MAX)
        return false;
    if (i == state.reason_count)
        state.reasons[state.reason_count++].text = text;
    state.reasons[i].stacks++;
    return true;
}

void compare_outside(const void *function)
{
    outside.count = 0;
    if (!function)
        return;
    find_truth();
    uint32_t inside = frames_inside(&truth, function) + 1;
    for (uint32_t i = inside; i < truth.count; i++)
        outside.frames[outside.count++] = truth.frames[i];
}

static bool must_be_longer(void)
{
    return outside.count && !function_of(truth.frames[truth.count - 1]);
}

/* The recorder went on where the other stopped. */
static bool may_be_longer(void)
{
    uint32_t inside = recorded.count - outside.count;
    if (!must_be_longer() || outside.count >= recorded.count)
        return false;
    if (memcmp(outside.frames, recorded.frames + inside, outside.count * sizeof *outside.frames) != 0)
        return false;
    return explained("no table entry, the recorder followed rbp and found what is outside");
}

static uintptr_t dynamic_value(const ElfW(Dyn) *d, ElfW(Sxword) tag)
{
    while (d->d_tag != DT_NULL && d->d_tag != tag)
        d++;
    return d->d_tag == tag ? d->d_un.d_ptr : 0;
}

/* The loader's function that binds lazily: the third word of the import table of any object it serves. */
static const void *lazy_binder(void)
{
    const struct r_debug *debug = (const void *)dynamic_value(_DYNAMIC, DT_DEBUG);
    for (const struct link_map *map = debug ? debug->r_map : NULL; map; map = map->l_next) {
        void *const *table = (void *const *)dynamic_value(map->l_ld, DT_PLTGOT);
        if ((uintptr_t)table > map->l_addr && table[2])
            return table[2];
    }
    return NULL;
}

/* leaq 8(%rsp), %r10, perhaps after an endbr64. */
static bool is_realigned_by_r10(const char *function)
{
    static const char leaq[] = {0x4c, (char)0x8d, 0x54, 0x24, 0x08};
    return function && (!memcmp(function, leaq, 5) || !memcmp(function + 4, leaq, 5));
}

/* The recorder stopped where the other went on: at that one's frame number `last`.  It had `inner` frames
   that were not compared, and `compared` ones. */
static bool may_be_shorter(uint32_t inner, uint32_t compared, uint32_t last)
{
    const void *function = function_of(truth.frames[last]);
    if (inner + compared + truth.count - last - 1 > 2 * state.depth)
        return inner + compared >= state.depth;
    if (function && function == lazy_binder())
        return explained("in lazy binding, whose frame is reached from rbx only");
    if (truth.exact[last] && is_realigned_by_r10(function))
        return explained("interrupted where a realigned frame is reached from r10 only");
    return false;
}

/* --- signals -------------------------------------------------------------------------------------------- */

void compare_hold_signal(int signal)
{
    sigaddset(&state.held, signal);
    state.hold = true;
}

void compare_begin(void)
{
    if (state.hold)
        pthread_sigmask(SIG_BLOCK, &state.held, &state.before);
}

void compare_end(void)
{
    sigset_t before = state.before;
    if (state.hold)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* --- comparing ------------------------------------------------------------------------------------------ */

static void show(const char *whose, const struct stack *stack)
{
    fprintf(stderr, "#   %s: %u frames\n", whose, stack->count);
    for (uint32_t i = 0; i < stack->count && i < 40; i++) {
        Dl_info info = {0};
        dladdr((void *)stack->frames[i], &info);
        fprintf(stderr, "#     %#lx %s+%#lx %s\n", (unsigned long)stack->frames[i],
                info.dli_fname ? info.dli_fname : "?",
                (unsigned long)(stack->frames[i] - (uintptr_t)info.dli_fbase),
                info.dli_sname ? info.dli_sname : "");
    }
}

static void differ(const char *how, uint32_t frame)
{
    if (state.differences++ >= SHOWN_MAX)
        return;
    fprintf(stderr, "# allocation %llu: %s at frame %u\n", (unsigned long long)state.allocations, how, frame);
    show("recorded", &recorded);
    show(OTHER, &truth);
}

/* Code outside of any object has no address in a record. */
static bool same_frame(uint32_t r, uint32_t t)
{
    Dl_info info;
    return recorded.frames[r] == truth.frames[t] ||
           (!recorded.frames[r] && !dladdr((void *)truth.frames[t], &info));
}

/* The block was asked for in the function, or at most `inner` frames further inside. */
static void compare_stacks(const void *function, uint32_t inner)
{
    uint32_t r = frames_inside(&recorded, function), t = frames_inside(&truth, function), i = 1;
    state.allocations++;
    if (r > inner || r >= recorded.count || t > 3 || t >= truth.count) {
        differ("the allocating function is not where it should be", r);
        return;
    }
    while (r + i < recorded.count && t + i < truth.count && same_frame(r + i, t + i))
        i++;
    state.frames += i;
    if (r + i < recorded.count && t + i < truth.count)
        differ("another frame", i);
    else if (r + i < recorded.count && !may_be_longer())
        differ("too many frames", i);
    else if (t + i < truth.count && !may_be_shorter(r, i, t + i - 1))
        differ("too few frames", i);
    else if (must_be_longer() && r + i == recorded.count)
        differ("what is outside is missing", i);
}

static void take_recorded(const void *block)
{
    int count = tracemalloc_get_object_traceback(block, (void **)recorded.frames, FRAMES_MAX);
    recorded.count = count < FRAMES_MAX ? (uint32_t)count : FRAMES_MAX;
}

__attribute__((noinline)) void compare_block(void *block, const void *function, uint32_t inner)
{
    take_recorded(block);
    find_truth();
    compare_stacks(function, inner);
}

enum { KIND_STRDUP = 4 };

/* Every function of the family; all are called from the frame that this becomes a part of. */
__attribute__((always_inline)) static inline void *allocate(uint32_t kind, size_t size)
{
    void *block = NULL;
    switch (kind) {
    case 0:
        return calloc(1, size);
    case 1:
        return realloc(malloc(size), 2 * size);
    case 2:
        return aligned_alloc(64, 64);
    case 3:
        return posix_memalign(&block, 32, size) ? NULL : block;
    case KIND_STRDUP:
        return strdup("from a library's own call");
    case 5:
        return memalign(16, size);
    default:
        return malloc(size);
    }
}

#ifdef __clang__
#define NO_CLONE
#else
#define NO_CLONE __attribute__((noclone))
#endif

__attribute__((noinline)) NO_CLONE void compare_here(void)
{
    static uint32_t turn;
    compare_begin();
    turn++;
    uint32_t kind = turn % 16;
    void *block = allocate(kind, 1 + turn % 100);
    take_recorded(block);
    find_truth();
    compare_stacks((const void *)compare_here, kind == KIND_STRDUP);
    free(block);
    compare_end();
}

uint64_t compare_count(void)
{
    return state.allocations;
}

int compare_report(void)
{
    printf("%llu allocations, %llu frames compared with " OTHER ", %llu differences",
           (unsigned long long)state.allocations, (unsigned long long)state.frames,
           (unsigned long long)state.differences);
    for (uint32_t i = 0; i < state.reason_count; i++)
        printf("; %llu: %s", (unsigned long long)state.reasons[i].stacks, state.reasons[i].text);
    printf("\n");
    return state.differences || !state.allocations;
}

/* --- numbers -------------------------------------------------------------------------------------------- */

static uint64_t numbers = 88172645463325252u;

void choose_seed(uint64_t seed)
{
    numbers = 88172645463325252u ^ seed * 0x9e3779b97f4a7c15u;
}

uint32_t choose(uint32_t below)
{
    numbers ^= numbers << 13;
    numbers ^= numbers >> 7;
    numbers ^= numbers << 17;
    return (uint32_t)(numbers >> 32) % below;
}

uint64_t argument(int argc, char **argv, int number, uint64_t otherwise)
{
    return argc > number ? strtoull(argv[number], NULL, 0) : otherwise;
}
