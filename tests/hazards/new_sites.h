// SPDX-License-Identifier: MIT
/*
 * Call sites that nobody has seen yet: each needs a rule of its own, a frame, a node, a site.
 */
#ifndef HAZARDS_NEW_SITES_H
#define HAZARDS_NEW_SITES_H

#include "counted.h"

enum { NEW_SITES = 4096, NEW_SITE_SIZE = 32 };

/* A C function's name in assembly is its own only if no copy is made of it. */
__attribute__((noinline, noclone, used)) static void *new_site_allocate(size_t size)
{
    void *block = counted_malloc(size);
    __asm__ volatile("");
    return block;
}

extern char new_sites[] __attribute__((visibility("hidden")));
__asm__(".pushsection .text\n.hidden new_sites\n.globl new_sites\n.balign 32\nnew_sites:\n.rept 4096\n.balign 32\n"
        ".cfi_startproc\nsubq $8, %rsp\n.cfi_adjust_cfa_offset 8\ncall new_site_allocate\naddq $8, %rsp\n"
        ".cfi_adjust_cfa_offset -8\nret\n.cfi_endproc\n.endr\n.popsection");

/* A block that is counted, asked for by a call that was never made before. */
__attribute__((unused)) static void *new_site_malloc(size_t size)
{
    static _Atomic int used_sites;
    int site = atomic_fetch_add(&used_sites, 1);
    if (site >= NEW_SITES)
        abort();
    return ((void *(*)(size_t))(void *)(new_sites + site * NEW_SITE_SIZE))(size);
}

#endif
