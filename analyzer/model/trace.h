// SPDX-License-Identifier: MIT
/*
 * A trace in memory: everything the file says, checked, and the figures derived from it.  After
 * trace_read every number is in range: a site's node, a node's frame and smaller parent, a frame's
 * module, every string.
 */
#ifndef MODEL_TRACE_H
#define MODEL_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "format.h"
#include "model/failure.h"

/* What is counted for a site, a group of sites, or all of them. */
struct figures {
    uint64_t current_bytes, current_blocks;
    uint64_t peak_bytes, peak_blocks; /* at the moment when the program's current was largest */
    uint64_t allocated_bytes, allocations;
    uint64_t frees, reallocations, temporary;
};

/* A call path that allocates. */
struct site {
    uint32_t node;  /* its innermost frame */
    bool truncated; /* the stack goes on, but is not known further */
    struct figures figures;
};

struct string_area {
    uint64_t offset, size; /* in the file */
    char *bytes;
};

struct trace {
    struct trace_header header;
    dev_t device; /* of the file */
    ino_t inode;

    const char *exe, *cwd; /* null if unknown */
    const char *first_malloc; /* the file that hides the recorder's malloc from the program; null: none */
    const char **command;  /* arguments, command_count of them */
    size_t command_count;

    struct trace_module *modules; /* header.module_count; record 0 is never used, as in the file */
    const char **module_paths;    /* null if unknown */
    struct trace_frame *frames;
    struct trace_node *nodes;
    struct site *sites; /* header.site_count */

    struct figures totals;          /* sums over the sites */
    uint64_t truncated_allocations; /* at sites whose stack is truncated */

    struct string_area *strings; /* in the file's order */
    size_t string_areas;
};

/* Reads the trace at `path`, of a program that has ended or is running.  On failure says why and
   leaves nothing to free.  Memory: at most 16 times the file on the disk, or 64 MB. */
bool trace_read(struct trace *trace, const char *path, struct failure *why);

void trace_free(struct trace *trace);

/* Bytes the recorder took: its memory and the file. */
uint64_t trace_recorder_bytes(const struct trace *trace);

/* a += b, every figure. */
void figures_add(struct figures *a, const struct figures *b);

/* total += new - old, every figure. */
void figures_replace(struct figures *total, const struct figures *old, const struct figures *new);

/* Whether anything ever happened there. */
bool figures_any(const struct figures *figures);

#endif
