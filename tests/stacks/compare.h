// SPDX-License-Identifier: MIT
/*
 * An allocation whose recorded stack is compared, frame by frame, with what another unwinder finds at
 * the same moment: libgcc's, or with -DWITH_LIBUNWIND libunwind's local mode.
 */
#ifndef STACKS_COMPARE_H
#define STACKS_COMPARE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Allocates, each time by the next function of the family, compares, and frees.  The frames up to the
 * one of compare_here itself are only compared by function: it calls the allocator from another place
 * than the unwinder.  All outside of it must be equal.
 */
void compare_here(void);

/* The same for a block that the caller just got: the function at `function`, which is also the one that calls
   this, asked the allocator for it, by at most `inner` frames of others (operator new). */
void compare_block(void *block, const void *function, uint32_t inner);

/* compare_here holds this signal back: a handler must not find itself inside the allocator.  Whoever calls
   the allocator and compare_block does it by these two. */
void compare_hold_signal(int signal);
void compare_begin(void);
void compare_end(void);

/* Stacks deeper than twice the recorder's depth are recorded in part: then at least `depth` frames. */
void compare_expect_depth(uint32_t depth);

/* Where no table describes a function the other unwinder ends, the recorder follows rbp.  What it then finds
   must be, up to the last frame, what is outside of the given function, which is the one that calls this.
   Null: it must not find anything. */
void compare_outside(const void *function);

uint64_t compare_count(void);

/* Prints the sums; returns the exit status: 0 when there was no difference without a reason. */
int compare_report(void);

/* Numbers as good as random, the same in every run. */
uint32_t choose(uint32_t below);
void choose_seed(uint64_t seed);

/* A number of the command line, or the default. */
uint64_t argument(int argc, char **argv, int number, uint64_t otherwise);

/* What follows a call, so that it is not made a jump. */
#define NOT_A_TAIL_CALL __asm__ volatile("" ::: "memory")

#ifdef __cplusplus
}
#endif
#endif
