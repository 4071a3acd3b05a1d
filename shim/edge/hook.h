// SPDX-License-Identifier: MIT
/*
 * What every hook is made of.  A hook makes the real call, tells track/ about it, and returns; it has no
 * policy of its own.
 */
#ifndef EDGE_HOOK_H
#define EDGE_HOOK_H

#include "real.h"
#include "../base/life.h"
#include "../track/control.h"
#include "../track/track.h"

/* Exported. */
#define HOOK __attribute__((visibility("default")))

/* The hook's own frame: the saved rbp and the return address, where the walk begins.  Asking for it gives the
   function a frame pointer. */
#define HOOK_FRAME ((const uintptr_t *)__builtin_frame_address(0))

static inline struct thread *hook_enter(const uintptr_t *frame)
{
    return guard_take((uintptr_t)frame, frame[1]);
}

/* What a hook returns that passes its frame on last: made by a jump instead of a call, the callee would
   write over the frame. */
static inline void *hook_return(void *block)
{
    __asm__ volatile("" : "+r"(block));
    return block;
}

/* Around a real function that may call others of the family; birth counts its block, or null. */
struct thread *hook_lend(const uintptr_t *frame);
void *hook_birth(struct thread *self, void *block, size_t size, const uintptr_t *frame);

/* What an aligned operator new was last asked for, and whose it is: C++ libraries pass the size on to
   aligned_alloc rounded up to a multiple of the alignment, and the program's bytes are to be counted. */
struct hook_asked {
    size_t size;
    const void *library;
};
extern __thread struct hook_asked hook_asked __attribute__((tls_model("initial-exec"))) hidden;

/* Looks the real operators new and delete up, as real_start has done the rest. */
void new_start(void);

/* The whole of a death before the real call.  False: the block is ours, there is nothing to call. */
bool hook_death(void *block, const uintptr_t *frame);

#endif
