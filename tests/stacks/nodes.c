// SPDX-License-Identifier: MIT
/*
 * nodes TRACE: prints the number of call-path nodes of a trace, of sites, of the sites whose stack was cut,
 * of the allocations there, and of frames that a signal interrupted.
 */
#include "format.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char *file;
static const struct trace_header *header;
static char *cut_node, *cut_site;
static uint64_t cut_sites, cut_allocations, exact_frames;

typedef void visitor(uint64_t number, const void *record);

/* Visits the first `count` records of a table in the order of their numbers, whatever section they are in. */
static void each(enum trace_section_type type, uint64_t count, visitor *visit)
{
    uint64_t at = header->header_size;
    while (at < header->used) {
        const struct trace_section *section = (const struct trace_section *)(file + at);
        const char *record = (const char *)(section + 1);
        at += section->size;
        for (uint64_t i = 0; section->type == type && i < section->capacity; i++)
            if (section->first + i < count)
                visit(section->first + i, record + i * section->record_size);
    }
}

/* A node comes after its parent. */
static void see_node(uint64_t number, const void *node)
{
    if (number >= TRACE_NODE_FIRST)
        cut_node[number] = cut_node[((const struct trace_node *)node)->parent];
}

static void see_site(uint64_t number, const void *site)
{
    cut_site[number] = number && cut_node[((const struct trace_site *)site)->node];
    cut_sites += (uint64_t)cut_site[number];
}

static void see_counter(uint64_t site, const void *counter)
{
    if (cut_site[site])
        cut_allocations += ((const struct trace_counter *)counter)->allocations;
}

static void see_frame(uint64_t number, const void *frame)
{
    exact_frames += number && ((const struct trace_frame *)frame)->flags & TRACE_FRAME_EXACT;
}

int main(int argc, char **argv)
{
    struct stat facts;
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0 || fstat(fd, &facts))
        return 2;
    file = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED)
        return 2;
    header = (const struct trace_header *)file;
    cut_node = calloc(header->node_count, 1);
    cut_site = calloc(header->site_count, 1);
    cut_node[TRACE_NODE_TRUNCATED] = 1;
    each(TRACE_NODES, header->node_count, see_node);
    each(TRACE_SITES, header->site_count, see_site);
    each(TRACE_COUNTERS, header->site_count, see_counter);
    each(TRACE_FRAMES, header->frame_count, see_frame);
    printf("%u %u %lu %lu %lu\n", header->node_count, header->site_count, (unsigned long)cut_sites,
           (unsigned long)cut_allocations, (unsigned long)exact_frames);
    return 0;
}
