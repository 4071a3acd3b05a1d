// SPDX-License-Identifier: MIT
/*
 * The malloc family.
 *
 * Each hook takes the guard before the real call, so that an allocator that calls another function of
 * the family for its work is counted once.  Without the guard (a handler interrupted the recorder, or the
 * recorder itself allocates) births go unrecorded and deaths are put off.
 */
#include "hook.h"
#include "../unwind/modules.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* --- without the guard ---------------------------------------------------------------------------------- */

/* True: the block is to be freed for real. */
static bool unguarded_death(void *block)
{
    if (bootstrap_owns(block))
        return false;
    if (life_state() < LIFE_EARLY || life_state() == LIFE_OFF)
        return real.free != NULL;
    struct block_entry entry = track_take(block);
    if ((entry.site || entry.watch) && !track_died_later(block, entry))
        life_missed();
    return true;
}

static void *unguarded_birth(void *block)
{
    if (block)
        life_missed();
    return block;
}

__attribute__((noinline)) static void *malloc_unguarded(size_t size)
{
    return real.malloc ? unguarded_birth(real.malloc(size)) : bootstrap_alloc(size, 16);
}

__attribute__((noinline)) static void *calloc_unguarded(size_t count, size_t size)
{
    size_t bytes;
    if (real.calloc)
        return unguarded_birth(real.calloc(count, size));
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : bootstrap_alloc(bytes, 16);
}

/* By no call, which may lead nowhere yet. */
static void copy_bytes(void *to, const void *from, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
}

/* A bootstrap block grows by moving to the real heap. */
static void *realloc_bootstrap(void *block, size_t size)
{
    void *moved = real.malloc ? malloc(size) : bootstrap_alloc(size, 16);
    size_t old = block ? bootstrap_size(block) : 0;
    if (moved && block)
        copy_bytes(moved, block, old < size ? old : size);
    return moved;
}

__attribute__((noinline)) static void *realloc_unguarded(void *block, size_t size)
{
    if (!real.realloc || bootstrap_owns(block))
        return realloc_bootstrap(block, size);
    bool tracking = life_state() >= LIFE_EARLY && life_state() != LIFE_OFF;
    struct block_entry entry = tracking && block ? track_take(block) : (struct block_entry){0};
    void *moved = real.realloc(block, size);
    if (!moved && size)
        track_put_back(block, entry);
    else if (entry.site && !track_died_later(block, entry))
        life_missed();
    return unguarded_birth(moved);
}

/* --- while nothing is recorded -------------------------------------------------------------------------
 *
 * The guard is taken only for what is known, or when somebody outside asks for something.
 */

__attribute__((noinline)) static void obey(void)
{
    struct thread *self = hook_enter(HOOK_FRAME);
    if (!self)
        return;
    control_obey(self);
    guard_drop(self);
}

static inline void look_outside(void)
{
    if (unlikely(control_is_asked()))
        obey();
}

__attribute__((noinline)) static void *malloc_stopped(size_t size)
{
    look_outside();
    return real.malloc(size);
}

__attribute__((noinline)) static void *calloc_stopped(size_t count, size_t size, uintptr_t caller)
{
    look_outside();
    void *block = real.calloc(count, size);
    if (unlikely(block && modules_is_loader(caller)))
        track_born_stopped(block, true);
    return block;
}

static void free_counted(void *block);

__attribute__((noinline)) static void free_stopped(void *block)
{
    if (unlikely(blocks_has(block)) || unlikely(bootstrap_owns(block)))
        free_counted(block);
    else
        real.free(block);
}

/* --- the four ------------------------------------------------------------------------------------------- */

/*
 * Both are entered by a jump, which leaves no frame: so that what stands before it needs none, and costs three
 * instructions.
 */
__attribute__((noinline, flatten)) static void *malloc_counted(size_t size)
{
    const uintptr_t *frame = HOOK_FRAME;
    struct thread *self = hook_enter(frame);
    if (unlikely(!self))
        return malloc_unguarded(size);
    void *block = real.malloc(size);
    if (likely(block))
        track_born(self, block, size, frame);
    else
        track_failed(self, size);
    guard_drop(self);
    return block;
}

HOOK void *malloc(size_t size)
{
    if (life_is_stopped())
        return malloc_stopped(size);
    return malloc_counted(size);
}

__attribute__((noinline)) static void free_counted(void *block)
{
    struct thread *self = hook_enter(HOOK_FRAME);
    if (unlikely(!self)) {
        if (unguarded_death(block))
            real.free(block);
        return;
    }
    bool counted = track_freed(self, block);
    guard_drop(self);
    if (unlikely(!counted) && bootstrap_owns(block))
        return;
    POINT("freeing");
    real.free(block);
}

HOOK void free(void *block)
{
    if (!block)
        return;
    if (life_is_stopped())
        free_stopped(block);
    else
        free_counted(block);
}

/* The loader's link_maps come this way: their end is the end of a module. */
HOOK void *calloc(size_t count, size_t size)
{
    const uintptr_t *frame = HOOK_FRAME;
    if (life_is_stopped())
        return calloc_stopped(count, size, frame[1]);
    struct thread *self = hook_enter(frame);
    if (unlikely(!self))
        return calloc_unguarded(count, size);
    void *block = real.calloc(count, size);
    if (unlikely(block && modules_is_loader(frame[1])))
        track_born_slowly(self, block, count * size, frame, true);
    else if (likely(block))
        track_born(self, block, count * size, frame);
    else if (!__builtin_mul_overflow_p(count, size, (size_t)0))
        track_failed(self, count * size);
    guard_drop(self);
    return block;
}

HOOK void *realloc(void *block, size_t size)
{
    const uintptr_t *frame = HOOK_FRAME;
    if (life_is_stopped()) {
        look_outside();
        if (!block || (!blocks_has(block) && !bootstrap_owns(block)))
            return real.realloc(block, size);
    }
    struct thread *self = hook_enter(frame);
    if (unlikely(!self) || unlikely(bootstrap_owns(block))) {
        if (self)
            guard_drop(self);
        return realloc_unguarded(block, size);
    }
    struct block_entry entry = block ? track_take(block) : (struct block_entry){0};
    void *moved = real.realloc(block, size);
    POINT("moved");
    if (moved && entry.site)
        track_moved(self, block, entry, moved, size, frame);
    else if (moved)
        track_born(self, moved, size, frame);
    else if (entry.site && size)
        track_put_back(block, entry);
    else if (entry.site)
        track_died(self, block, entry);
    if (unlikely(!moved) && size)
        track_failed(self, size);
    guard_drop(self);
    return moved;
}

/* --- the rest ------------------------------------------------------------------------------------------- */

/* The less common functions may be made of the common ones; then only they are counted. */
struct thread *hook_lend(const uintptr_t *frame)
{
    struct thread *self = hook_enter(frame);
    if (self)
        self->in_allocator = true;
    return self;
}

void *hook_birth(struct thread *self, void *block, size_t size, const uintptr_t *frame)
{
    if (!self)
        return unguarded_birth(block);
    self->in_allocator = false;
    if (block)
        track_born_slowly(self, block, size, frame, false);
    else if (size && errno == ENOMEM)
        track_failed(self, size);
    guard_drop(self);
    return block;
}

HOOK int posix_memalign(void **block, size_t alignment, size_t size)
{
    const uintptr_t *frame = HOOK_FRAME;
    struct thread *self = hook_lend(frame);
    if (unlikely(!real.malloc))
        return (*block = bootstrap_alloc(size, alignment)) ? 0 : ENOMEM;
    int result = real.posix_memalign(block, alignment, size);   /* which says nothing in errno */
    if (unlikely(result == ENOMEM) && self)
        track_failed(self, size);
    hook_birth(self, result == 0 ? *block : NULL, result == 0 ? size : 0, frame);
    return result;
}

__thread struct hook_asked hook_asked;

/* Not so when the caller is another: operator new refuses some alignments before it calls. */
static size_t size_asked(size_t alignment, size_t size, uintptr_t caller)
{
    struct hook_asked asked = hook_asked;
    if (!asked.size || !real_same_module((const void *)caller, asked.library))
        return size;
    hook_asked.size = 0;
    return asked.size <= size && size - asked.size < alignment ? asked.size : size;
}

HOOK void *aligned_alloc(size_t alignment, size_t size)
{
    const uintptr_t *frame = HOOK_FRAME;
    struct thread *self = hook_lend(frame);
    if (unlikely(!real.malloc))
        return bootstrap_alloc(size, alignment);
    void *block = real.aligned_alloc(alignment, size);
    if (block)
        size = size_asked(alignment, size, frame[1]);
    return hook_return(hook_birth(self, block, size, frame));
}

HOOK void *memalign(size_t alignment, size_t size)
{
    const uintptr_t *frame = HOOK_FRAME;
    struct thread *self = hook_lend(frame);
    if (unlikely(!real.malloc))
        return bootstrap_alloc(size, alignment);
    void *block = real.memalign(alignment, size);
    return hook_return(hook_birth(self, block, size, frame));
}

HOOK void *valloc(size_t size)
{
    const uintptr_t *frame = HOOK_FRAME;
    struct thread *self = hook_lend(frame);
    if (unlikely(!real.malloc))
        return bootstrap_alloc(size, PAGE_SIZE);
    void *block = real.valloc(size);
    return hook_return(hook_birth(self, block, size, frame));
}

HOOK void *pvalloc(size_t size)
{
    const uintptr_t *frame = HOOK_FRAME;
    struct thread *self = hook_lend(frame);
    if (unlikely(!real.malloc))
        return bootstrap_alloc(size, PAGE_SIZE);
    void *block = real.pvalloc(size);
    return hook_return(hook_birth(self, block, size, frame));
}

HOOK size_t malloc_usable_size(void *block)
{
    if (unlikely(bootstrap_owns(block)))
        return bootstrap_size(block);
    return real.malloc_usable_size ? real.malloc_usable_size(block) : 0;
}

/* What dies with a size dies like any other; only the real function may want to know. */
bool hook_death(void *block, const uintptr_t *frame)
{
    struct thread *self = hook_enter(frame);
    if (!self)
        return unguarded_death(block);
    bool counted = track_freed_slowly(self, block);
    guard_drop(self);
    return counted || !bootstrap_owns(block);
}

/* C23; this libc may not declare them. */
HOOK void free_sized(void *block, size_t size);
HOOK void free_aligned_sized(void *block, size_t alignment, size_t size);

HOOK void free_sized(void *block, size_t size)
{
    if (!block || !hook_death(block, HOOK_FRAME))
        return;
    if (real.free_sized)
        real.free_sized(block, size);
    else
        real.free(block);
}

HOOK void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    if (!block || !hook_death(block, HOOK_FRAME))
        return;
    if (real.free_aligned_sized)
        real.free_aligned_sized(block, alignment, size);
    else
        real.free(block);
}
