// SPDX-License-Identifier: MIT
/*
 * What the program maps itself, if that was asked for (mmap=on); else these hooks only forward.
 *
 * libc's own mappings do not come here, nor do the loader's.  What an allocator behind us maps is its own affair:
 * its blocks are counted.  A vfork's child maps into its parent's memory, and counts there, as with the heap.
 *
 * The hooks begin nothing: a program's own malloc calls them under its lock, when the recorder must not call that.
 */
#include "hook.h"
#include "../base/options.h"
#include <errno.h>
#include <stdarg.h>

/* Of mmap and mmap64. */
typedef void *mmap_function(void *at, size_t size, int prot, int flags, int fd, off_t offset);

static bool is_recorded(const uintptr_t *frame)
{
    return unlikely(options.mappings) && !real_same_module((const void *)frame[1], (const void *)real.malloc);
}

/* --- the real calls, which may not have been looked up yet --------------------------------------------- */

static long returned(long result)
{
    if (!sys_failed(result))
        return result;
    errno = (int)-result;
    return -1;
}

static void *map_really(mmap_function *next, void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
    if (likely(next != NULL))
        return next(at, size, prot, flags, fd, offset);
    return (void *)returned(sys6(SYS_mmap, (long)at, (long)size, prot, flags, fd, offset));
}

static int unmap_really(void *start, size_t size)
{
    return likely(real.munmap != NULL) ? real.munmap(start, size) : (int)returned(sys_munmap(start, size));
}

static void *remap_really(void *start, size_t size, size_t new_size, int flags, void *wanted)
{
    if (likely(real.mremap != NULL))
        return real.mremap(start, size, new_size, flags, wanted);
    return (void *)returned(sys6(SYS_mremap, (long)start, (long)size, (long)new_size, flags, (long)wanted, 0));
}

/* --- the hooks ------------------------------------------------------------------------------------------ */

/* As the heap's hooks do, for who maps what may be asked from outside to be recorded. */
static struct thread *enter(const uintptr_t *frame)
{
    struct thread *self = hook_enter(frame);
    if (self && life_is_stopped() && control_is_asked())
        control_obey(self);
    return self;
}

/* What MAP_FIXED maps over is nobody's in between: the books may have it until then.  To fill pages, as may be asked,
   takes its time, which is not spent with the guard. */
static void *map(mmap_function *next, void *at, size_t size, int prot, int flags, int fd, off_t offset,
                 const uintptr_t *frame)
{
    void *mapped = map_really(next, at, size, prot, flags, fd, offset);
    if (mapped == MAP_FAILED)
        return mapped;
    struct thread *self = enter(frame);
    if (!self) {
        life_missed();
        return mapped;
    }
    enum mapping_kind kind = flags & MAP_ANONYMOUS ? MAPPING_ANONYMOUS : MAPPING_FILE;
    track_mapped(self, range_of(mapped, size), kind, frame);
    guard_drop(self);
    return mapped;
}

HOOK void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
    const uintptr_t *frame = HOOK_FRAME;
    if (!is_recorded(frame))
        return map_really(real.mmap, at, size, prot, flags, fd, offset);
    return hook_return(map(real.mmap, at, size, prot, flags, fd, offset, frame));
}

HOOK void *mmap64(void *at, size_t size, int prot, int flags, int fd, off64_t offset)
{
    const uintptr_t *frame = HOOK_FRAME;
    if (!is_recorded(frame))
        return map_really(real.mmap64, at, size, prot, flags, fd, offset);
    return hook_return(map(real.mmap64, at, size, prot, flags, fd, offset, frame));
}

/* Without the guard the books keep what is gone until something else is mapped there. */
static int unmap(void *start, size_t size, const uintptr_t *frame)
{
    struct thread *self = hook_enter(frame);
    struct taken taken = self ? mappings_take(range_of(start, size)) : (struct taken){0};
    POINT("unmapping");
    int result = unmap_really(start, size);
    if (!self && result == 0)
        life_missed();
    if (!self)
        return result;
    if (result == 0)
        track_unmapped(self, &taken);
    else
        mappings_put_back(&taken);
    guard_drop(self);
    return result;
}

HOOK int munmap(void *start, size_t size)
{
    const uintptr_t *frame = HOOK_FRAME;
    return is_recorded(frame) ? unmap(start, size, frame) : unmap_really(start, size);
}

/* With MREMAP_DONTUNMAP, or a size of 0 (of what is shared), the old mapping stays. */
static void *remap(void *start, size_t size, size_t new_size, int flags, void *wanted, const uintptr_t *frame)
{
    struct thread *self = enter(frame);
    enum mapping_kind kind = self ? mappings_kind(start) : MAPPING_ANONYMOUS;
    bool moves = self && !(flags & MREMAP_DONTUNMAP);
    struct taken taken = moves ? mappings_take(range_of(start, size)) : (struct taken){0};
    void *mapped = remap_really(start, size, new_size, flags, wanted);
    if (!self && mapped != MAP_FAILED)
        life_missed();
    if (!self)
        return mapped;
    if (mapped != MAP_FAILED)
        track_remapped(self, &taken, range_of(mapped, new_size), kind, frame);
    else
        mappings_put_back(&taken);
    guard_drop(self);
    return mapped;
}

/* Who gives no fifth argument has something there that nobody looks at. */
HOOK void *mremap(void *start, size_t size, size_t new_size, int flags, ...)
{
    const uintptr_t *frame = HOOK_FRAME;
    va_list list;
    va_start(list, flags);
    void *wanted = va_arg(list, void *);
    va_end(list);
    if (!is_recorded(frame))
        return remap_really(start, size, new_size, flags, wanted);
    return hook_return(remap(start, size, new_size, flags, wanted, frame));
}
