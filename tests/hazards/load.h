// SPDX-License-Identifier: MIT
/*
 * What a program of a load knows of its own blocks, and says at its end; it allocates nothing else.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct load {
    uint64_t allocations, bytes, frees, reallocations, blocks, live;
};

/* Memory that is no heap block. */
static inline void *load_room(size_t size)
{
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        _exit(3);
    return room;
}

static inline void load_born(struct load *load, const void *block, uint64_t size)
{
    if (!block)
        _exit(4);
    load->allocations++;
    load->bytes += size;
    load->blocks++;
    load->live += size;
}

static inline void load_died(struct load *load, uint64_t size)
{
    load->frees++;
    load->blocks--;
    load->live -= size;
}

static inline void load_add(struct load *sum, const struct load *load)
{
    sum->allocations += load->allocations;
    sum->bytes += load->bytes;
    sum->frees += load->frees;
    sum->reallocations += load->reallocations;
    sum->blocks += load->blocks;
    sum->live += load->live;
}

/* "allocations bytes frees reallocations blocks live" */
static inline void load_say(int fd, const struct load *load)
{
    char line[160];
    int size = snprintf(line, sizeof line, "%lu %lu %lu %lu %lu %lu\n", load->allocations, load->bytes,
                        load->frees, load->reallocations, load->blocks, load->live);
    if (write(fd, line, (size_t)size) != size)
        _exit(5);
}

#endif
