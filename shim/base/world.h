// SPDX-License-Identifier: MIT
/*
 * The one page that a fork's child gets wiped (MADV_WIPEONFORK).
 *
 * It holds what must not survive a fork: the locks, and `generation`, the word that every hook compares
 * with its thread's.  A child, made by whatever means, thus finds 0 there, leaves the fast path before
 * it can write into its parent's file, and starts a world of its own (life.c).  A vfork's child shares
 * the parent's memory, sees the parent's value, and rightly counts in the parent's tables.
 */
#ifndef BASE_WORLD_H
#define BASE_WORLD_H

#include "lock.h"

struct world {
    /* Never 0 in a living world; advances when what threads remember of code addresses is void
       (a module was unloaded), and to WORLD_GATE while one thread changes what all use. */
    _Atomic uint64_t generation;
    struct lock tables;         /* call paths, frames, modules, sections of the file */
    struct lock learning;       /* rules, libunwind */
    struct lock threads;        /* list of threads, shards */
    struct lock arena;
    struct lock shared_shard[8];
    _Atomic uint32_t gate;      /* futex: 1 while the world is stopped */
    int pid;                    /* of the process whose world it is */
};

#define WORLD_GATE UINT64_MAX

/* Alone on its page. */
extern union world_page {
    struct world world;
    char page[4096];
} world_page hidden;

#define world (world_page.world)

/* Is this a vfork's child, in the memory of the process whose world it is? */
static inline bool world_is_lent(void)
{
    return world.pid && world.pid != sys_getpid();
}

/* Asks the kernel for the wiping; false: this kernel cannot (before Linux 4.14). */
bool world_start(void);

#endif
