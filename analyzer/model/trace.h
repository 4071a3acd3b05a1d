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

/* What was live at a moment, as of the whole program. */
struct point {
    uint64_t ns; /* since recording began */
    uint64_t current_bytes, blocks;
    uint64_t resident_bytes; /* of the process, as it last was asked for; 0: not known */
};

/* A moment of which every site's figures are known, see trace_at_snapshot. */
struct snapshot {
    const char *label; /* null: it has none */
    uint64_t number;   /* 1, 2, ... in the order of time; those that were dropped are missing */
    uint64_t ns;       /* since recording began */
    uint32_t reason;   /* enum trace_snapshot_reason, or one that this version does not know */
    bool blurred;      /* threads went on meanwhile */
    uint64_t current_bytes, blocks;
    uint64_t asked_bytes; /* TRACE_SNAPSHOT_FAILED: what was not to be had */
    /* where its figures are */
    uint32_t place, site_count, spill_count;
    uint64_t at; /* of its number in the file */
};

/* A moment that the program gave a name. */
struct mark {
    uint64_t ns; /* since recording began */
    uint64_t current_bytes, blocks;
    char label[sizeof(((struct trace_mark *)0)->label) + 1];
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

    struct point *points; /* in the order of time */
    size_t point_count;

    struct snapshot *snapshots; /* in the order of their numbers */
    size_t snapshot_count;
    const struct snapshot *at; /* whose figures these are; null: the latest */

    struct mark *marks; /* in the order in which they were made */
    size_t mark_count;

    struct string_area *strings; /* in the file's order */
    size_t string_areas;
    struct reader *reader; /* of the file, which stays open */
};

/* Reads the trace at `path`, of a program that has ended or is running.  On failure says why and
   leaves nothing to free.  Memory: at most 16 times the file on the disk, or 64 MB. */
bool trace_read(struct trace *trace, const char *path, struct failure *why);

void trace_free(struct trace *trace);

/* Replaces the figures of all sites and the totals by those of snapshots[index]; sites that it does not know
   have none.  False: it cannot be read (any more); the figures are then as before. */
bool trace_at_snapshot(struct trace *trace, size_t index, struct failure *why);

/* The latest figures again; of a running program those of now. */
bool trace_at_latest(struct trace *trace, struct failure *why);

/* The snapshot of a name: its label (the last one that has it), its number, or -1 for the last, -2 ... */
bool trace_find_snapshot(const struct trace *trace, const char *name, size_t *index);

/* Why it was taken: "asked for", "interval", "growth", "size", "out of memory" or "unknown". */
const char *snapshot_reason(const struct snapshot *snapshot);

/* Bytes the recorder took: its memory and the file. */
uint64_t trace_recorder_bytes(const struct trace *trace);

/* a += b, every figure. */
void figures_add(struct figures *a, const struct figures *b);

/* total += new - old, every figure. */
void figures_replace(struct figures *total, const struct figures *old, const struct figures *new);

/* Whether anything ever happened there. */
bool figures_any(const struct figures *figures);

#endif
