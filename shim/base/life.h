// SPDX-License-Identifier: MIT
/*
 * The recorder's life:
 *
 *   NEW --first hook--> EARLY --program's libc is ready--> ON
 *    |                    |                                 |
 *    +--------------------+---- cannot go on ---------------+--> OFF
 *
 * EARLY: the loader is still at work and dlopen is forbidden; blocks are counted on one frame, their
 * caller.  ON: whole stacks.  OFF: hooks only forward; never left.  A fork's child begins a life of its
 * own in the state of its parent, at its first hook.
 */
#ifndef BASE_LIFE_H
#define BASE_LIFE_H

#include "thread.h"

enum life { LIFE_NEW, LIFE_BEGINNING, LIFE_EARLY, LIFE_STARTING, LIFE_ON, LIFE_OFF };

/* What the layers above do at the transitions; defined once, in edge/.  All but begin run under the guard
   of self. */
struct life_steps {
    bool (*begin)(void);                        /* to EARLY, with world_start; false: to OFF */
    bool (*may_start)(uintptr_t caller);        /* is this call, from there, a moment for dlopen? */
    void (*start)(struct thread *self);         /* to ON */
    bool (*child)(struct thread *self);         /* first hook after a fork; false: to OFF */
    void (*refresh)(struct thread *self);       /* forget code addresses: a module was unloaded */
    void (*died)(struct thread *self, const struct deferred *death);   /* a free that was put off */
};
extern const struct life_steps life_steps;

enum life life_state(void);

/*
 * No new blocks are recorded for now: the hooks pass births on without a look at anything else.  Deaths of blocks
 * that are known still count.
 */
extern bool life_stopped hidden;

static inline bool life_is_stopped(void)
{
    return unlikely(life_stopped);      /* a plain byte, for the hooks' sake: one instruction compares it */
}

/* Gives up recording; for good. */
void life_give_up(void);

/* Starts now if the caller's moment allows; at the latest from the library's constructor. */
void life_start_now(void);

/* Counts a heap call that was seen and could not be recorded. */
void life_missed(void);

/* Before a table is changed and after, under its lock: a child that finds a change half done, because it
   was made by a fork that asked nobody, must not use the tables. */
void life_table_begin(void);
void life_table_end(void);

/* world.tables, with the above. */
void tables_take(void);
bool tables_try(void);          /* false: somebody else has them */
void tables_drop(void);

/* Around a fork. */
void life_fork_prepare(void);
void life_fork_parent(void);
void life_fork_child(void);

#endif
