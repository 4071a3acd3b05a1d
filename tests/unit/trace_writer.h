// SPDX-License-Identifier: MIT
/* Makes small trace files for tests, by format.h alone. */
#ifndef TRACE_WRITER_H
#define TRACE_WRITER_H

#include <stddef.h>

#include "format.h"

#define WRITER_RECORDS 64
#define WRITER_SHARDS  4
#define WRITER_STRINGS 16384
#define WRITER_SNAPSHOTS 4

struct trace_writer {
    struct trace_header header; /* to be changed at will before writer_image; counts are set there */
    char strings[WRITER_STRINGS];
    size_t strings_used;
    struct trace_module modules[WRITER_RECORDS];
    struct trace_frame frames[WRITER_RECORDS];
    struct trace_node nodes[WRITER_RECORDS];
    struct trace_site sites[WRITER_RECORDS];
    struct trace_counter counters[WRITER_SHARDS][WRITER_RECORDS];
    struct trace_inherited inherited[WRITER_RECORDS];
    struct trace_spill spills[WRITER_RECORDS];
    struct trace_point points[WRITER_RECORDS];
    struct trace_snapshot snapshots[WRITER_SNAPSHOTS];
    struct trace_snapshot_site snapshot_sites[WRITER_SNAPSHOTS][WRITER_RECORDS];
    uint32_t module_count, frame_count, node_count, site_count, shard_count, spill_count;
    struct trace_mark marks[WRITER_RECORDS];
    struct trace_control control;
    uint32_t point_count, snapshot_count, mark_count, control_count;
};

/* An empty trace of a process that is gone: "./prog arg", exited 0 after 1.25 s. */
void writer_start(struct trace_writer *writer);

/* Adds one; each returns its number (a string: its offset in the file). */
uint64_t writer_string(struct trace_writer *writer, const void *bytes, size_t size);
uint32_t writer_module(struct trace_writer *writer, const char *path);
uint32_t writer_frame(struct trace_writer *writer, uint32_t module, uint64_t offset);
uint32_t writer_node(struct trace_writer *writer, uint32_t parent, uint32_t frame);
uint32_t writer_site(struct trace_writer *writer, uint32_t node);
void writer_spill(struct trace_writer *writer, uint32_t site, enum trace_spill_kind kind);

/* A point, so many nanoseconds after the start. */
struct trace_point *writer_point(struct trace_writer *writer, uint64_t ns, uint64_t current_bytes);

/* A mark, so many nanoseconds after the start. */
struct trace_mark *writer_mark(struct trace_writer *writer, uint64_t ns, const char *label);

/* A snapshot of the next number, of all sites that there are, one second after the start. */
struct trace_snapshot *writer_snapshot(struct trace_writer *writer, const char *label);

/* A counter to be filled in; the shard exists from then on. */
struct trace_counter *writer_counter(struct trace_writer *writer, uint32_t shard, uint32_t site);

/* A new site of one frame, with `live` blocks of `size` bytes and twice as many at the peak. */
uint32_t writer_simple_site(struct trace_writer *writer, uint32_t frame, uint64_t live, uint64_t size);

/* The file's bytes, to be freed. */
unsigned char *writer_image(struct trace_writer *writer, size_t *size);

/* Writes bytes as a file; exits the program if it cannot. */
void writer_save_bytes(const char *path, const void *bytes, size_t size);
void writer_save(struct trace_writer *writer, const char *path);

/* A place for a trace, in a directory of its own: set-up and tear-down of a group of tests. */
extern char writer_directory[], writer_path[64];
int writer_make_place(void **state);
int writer_remove_place(void **state);

#endif
