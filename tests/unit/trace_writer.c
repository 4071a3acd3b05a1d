// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* mkdtemp */
#include "trace_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND     UINT64_C(1000000000)
#define STRINGS_AT (sizeof(struct trace_header) + sizeof(struct trace_section))

void writer_start(struct trace_writer *writer)
{
    static const char command[] = "./prog\0arg";
    memset(writer, 0, sizeof(*writer));
    writer->header = (struct trace_header){.version = TRACE_VERSION,
                                           .reader_version = TRACE_READER_VERSION,
                                           .header_size = sizeof(struct trace_header),
                                           .arch = TRACE_ARCH_X86_64,
                                           .pid = 4242,
                                           .ppid = 1,
                                           .process_start = 1,
                                           .started_realtime_ns = 1795374000 * SECOND,
                                           .started_ns = SECOND,
                                           .state = TRACE_EXITED,
                                           .ended_ns = SECOND * 9 / 4,
                                           .depth = 1024,
                                           .sample_bytes = 1,
                                           .threads = 1,
                                           .epoch = 7};
    memcpy(writer->header.magic, TRACE_MAGIC, sizeof(writer->header.magic));
    writer->module_count = writer->frame_count = writer->site_count = 1;
    writer->node_count = TRACE_NODE_FIRST;
    writer->header.command = writer_string(writer, command, sizeof(command));
    writer->header.command_size = sizeof(command);
    writer->header.exe = writer_string(writer, "/home/user/prog", sizeof("/home/user/prog"));
    writer->header.cwd = writer_string(writer, "/home/user", sizeof("/home/user"));
}

uint64_t writer_string(struct trace_writer *writer, const void *bytes, size_t size)
{
    size_t at = writer->strings_used;
    memcpy(writer->strings + at, bytes, size);
    writer->strings_used += size;
    return STRINGS_AT + at;
}

uint32_t writer_module(struct trace_writer *writer, const char *path)
{
    writer->modules[writer->module_count].path = writer_string(writer, path, strlen(path) + 1);
    return writer->module_count++;
}

uint32_t writer_frame(struct trace_writer *writer, uint32_t module, uint64_t offset)
{
    writer->frames[writer->frame_count] = (struct trace_frame){.module = module, .offset = offset};
    return writer->frame_count++;
}

uint32_t writer_node(struct trace_writer *writer, uint32_t parent, uint32_t frame)
{
    writer->nodes[writer->node_count] = (struct trace_node){.parent = parent, .frame = frame};
    return writer->node_count++;
}

uint32_t writer_site(struct trace_writer *writer, uint32_t node)
{
    writer->sites[writer->site_count].node = node;
    writer->nodes[node].site = writer->site_count;
    return writer->site_count++;
}

void writer_spill(struct trace_writer *writer, uint32_t site, enum trace_spill_kind kind)
{
    writer->spills[writer->spill_count++] = (struct trace_spill){site, kind};
}

struct trace_mark *writer_mark(struct trace_writer *writer, uint64_t ns, const char *label)
{
    struct trace_mark *mark = &writer->marks[writer->mark_count++];
    *mark = (struct trace_mark){.ns = writer->header.started_ns + ns, .current_bytes = ns * 10, .blocks = ns};
    strncpy(mark->label, label, sizeof(mark->label));
    return mark;
}

struct trace_point *writer_point(struct trace_writer *writer, uint64_t ns, uint64_t current_bytes)
{
    struct trace_point *point = &writer->points[writer->point_count++];
    *point = (struct trace_point){writer->header.started_ns + ns, current_bytes, current_bytes / 10, 1 << 20};
    return point;
}

struct trace_snapshot *writer_snapshot(struct trace_writer *writer, const char *label)
{
    struct trace_snapshot *snapshot = &writer->snapshots[writer->snapshot_count++];
    *snapshot = (struct trace_snapshot){.number = writer->snapshot_count,
                                        .ns = writer->header.started_ns + SECOND,
                                        .reason = TRACE_SNAPSHOT_ASKED,
                                        .site_count = writer->site_count,
                                        .spill_count = writer->spill_count};
    snprintf(snapshot->label, sizeof(snapshot->label), "%s", label);
    return snapshot;
}

struct trace_counter *writer_counter(struct trace_writer *writer, uint32_t shard, uint32_t site)
{
    if (writer->shard_count <= shard)
        writer->shard_count = shard + 1;
    return &writer->counters[shard][site];
}

uint32_t writer_simple_site(struct trace_writer *writer, uint32_t frame, uint64_t live, uint64_t size)
{
    uint32_t site = writer_site(writer, writer_node(writer, TRACE_NODE_ROOT, frame));
    *writer_counter(writer, 0, site) = (struct trace_counter){.allocations = 3 * live,
                                                              .allocated_bytes = 3 * live * size,
                                                              .frees = 2 * live,
                                                              .freed_bytes = 2 * live * size,
                                                              .epoch = writer->header.epoch,
                                                              .peak_blocks = (int64_t)(2 * live),
                                                              .peak_bytes = (int64_t)(2 * live * size)};
    return site;
}

struct image {
    unsigned char *bytes;
    size_t size;
};

static void put_section(struct image *image, enum trace_section_type type, uint32_t shard,
                        const void *records, size_t record_size, size_t capacity)
{
    size_t used = sizeof(struct trace_section) + record_size * capacity;
    size_t size = (used + TRACE_ALIGN - 1) / TRACE_ALIGN * TRACE_ALIGN;
    struct trace_section section = {.type = type,
                                    .record_size = (uint32_t)record_size,
                                    .size = size,
                                    .capacity = (uint32_t)capacity,
                                    .shard = shard};
    image->bytes = realloc(image->bytes, image->size + size);
    memset(image->bytes + image->size, 0, size);
    memcpy(image->bytes + image->size, &section, sizeof(section));
    memcpy(image->bytes + image->size + sizeof(section), records, record_size * capacity);
    image->size += size;
}

unsigned char *writer_image(struct trace_writer *writer, size_t *size)
{
    struct image image = {malloc(sizeof(writer->header)), sizeof(writer->header)};
    struct trace_header *header = &writer->header;
    put_section(&image, TRACE_STRINGS, 0, writer->strings, 1, writer->strings_used);
    put_section(&image, TRACE_MODULES, 0, writer->modules, sizeof(writer->modules[0]), writer->module_count);
    put_section(&image, TRACE_FRAMES, 0, writer->frames, sizeof(writer->frames[0]), writer->frame_count);
    put_section(&image, TRACE_NODES, 0, writer->nodes, sizeof(writer->nodes[0]), writer->node_count);
    put_section(&image, TRACE_SITES, 0, writer->sites, sizeof(writer->sites[0]), writer->site_count);
    for (uint32_t i = 0; i < writer->shard_count; i++)
        put_section(&image, TRACE_COUNTERS, i, writer->counters[i], sizeof(struct trace_counter),
                    writer->site_count);
    put_section(&image, TRACE_INHERITED, 0, writer->inherited, sizeof(writer->inherited[0]),
                writer->site_count);
    put_section(&image, TRACE_SPILLS, 0, writer->spills, sizeof(writer->spills[0]), writer->spill_count);
    put_section(&image, TRACE_TIMELINE, 0, writer->points, sizeof(writer->points[0]), writer->point_count);
    put_section(&image, TRACE_SNAPSHOTS, 0, writer->snapshots, sizeof(writer->snapshots[0]),
                writer->snapshot_count);
    for (uint32_t i = 0; i < writer->snapshot_count; i++)
        put_section(&image, TRACE_SNAPSHOT_SITES, i, writer->snapshot_sites[i],
                    sizeof(writer->snapshot_sites[i][0]), writer->site_count);
    if (writer->mark_count)
        put_section(&image, TRACE_MARKS, 0, writer->marks, sizeof(writer->marks[0]), writer->mark_count);
    if (writer->control_count) {
        header->control = image.size + sizeof(struct trace_section);
        put_section(&image, TRACE_CONTROL, 0, &writer->control, sizeof(writer->control), 1);
    }
    header->mark_count = writer->mark_count;
    header->module_count = writer->module_count;
    header->frame_count = writer->frame_count;
    header->node_count = writer->node_count;
    header->site_count = writer->site_count;
    header->shard_count = writer->shard_count;
    header->spill_count = writer->spill_count;
    header->point_count = writer->point_count;
    header->snapshot_count = writer->snapshot_count;
    header->used = image.size;
    memcpy(image.bytes, header, sizeof(*header));
    *size = image.size;
    return image.bytes;
}

void writer_save_bytes(const char *path, const void *bytes, size_t size)
{
    remove(path); /* to write over a file can take the file system long */
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

void writer_save(struct trace_writer *writer, const char *path)
{
    size_t size;
    unsigned char *image = writer_image(writer, &size);
    writer_save_bytes(path, image, size);
    free(image);
}

char writer_directory[] = "/tmp/trace.XXXXXX", writer_path[64];

int writer_make_place(void **state)
{
    (void)state;
    if (!mkdtemp(writer_directory))
        return -1;
    snprintf(writer_path, sizeof(writer_path), "%s/trace", writer_directory);
    return 0;
}

int writer_remove_place(void **state)
{
    (void)state;
    unlink(writer_path);
    return rmdir(writer_directory);
}
