// SPDX-License-Identifier: MIT
/*
 * From the file to a struct trace.  The counts are read first, then `used`, then the records: what a
 * running program adds meanwhile is not looked at.
 */
#include "model/reader.h"

#include <stdlib.h>
#include <string.h>

#include "model/figures.h"
#include "model/paths.h"
#include "model/snapshot.h"
#include "model/strings.h"
#include "model/marks.h"
#include "model/points.h"

#define LARGEST_HEADER (UINT32_C(1) << 20)

/* Bytes that a report takes for each record besides these tables: for rows, groups, places. */
enum { LATER_SITE = 240, LATER_FRAME = 96, LATER_MODULE = 64 };

static bool check_magic(const struct file *file, struct failure *why)
{
    char magic[sizeof(((struct trace_header *)0)->magic)];
    size_t size = file->stat.st_size > (off_t)sizeof(magic) ? sizeof(magic) : (size_t)file->stat.st_size;
    if (size == 0)
        return failure_set(why, "is empty");
    if (!file_read(file, 0, magic, size, why))
        return false;
    if (memcmp(magic, TRACE_MAGIC, size) != 0)
        return failure_set(why, "not a trace file");
    return size == sizeof(magic) || failure_set(why, "is cut short: it ends within the header");
}

static bool check_header(const struct trace_header *header, struct failure *why)
{
    if (header->reader_version > TRACE_VERSION)
        return failure_set(why,
                           "was written by a newer version of tracemalloc (format %u; this reads up to %d)",
                           header->version, TRACE_VERSION);
    if (header->reader_version == 0 || header->version < header->reader_version)
        return failure_set(why, "is damaged: format version %u", header->version);
    if (header->arch != TRACE_ARCH_X86_64)
        return failure_set(why, "was recorded on another kind of machine (ELF machine %u)", header->arch);
    if (header->header_size < sizeof(*header) || header->header_size > LARGEST_HEADER ||
        header->header_size % TRACE_ALIGN)
        return failure_set(why, "is damaged: a header of %u bytes", header->header_size);
    if (header->used < header->header_size)
        return failure_set(why, "is damaged: it ends within its own header");
    return true;
}

static bool read_header(struct trace_header *header, struct file *file, struct failure *why)
{
    if (!check_magic(file, why))
        return false;
    if (file->stat.st_size < (off_t)sizeof(*header))
        return failure_set(why, "is cut short: it ends within the header");
    uint64_t used;
    if (!file_read(file, 0, header, sizeof(*header), why) ||
        !file_read(file, offsetof(struct trace_header, used), &used, sizeof(used), why))
        return false;
    header->used = used;
    if (!check_header(header, why))
        return false;
    if (fstat(file->fd, &file->stat) == 0 && header->used > (uint64_t)file->stat.st_size)
        return failure_set(why, "is cut short: %llu bytes of %llu", (unsigned long long)file->stat.st_size,
                           (unsigned long long)header->used);
    return true;
}

static bool read_tables(struct trace *trace, const struct sections *sections, struct file *file,
                        struct failure *why)
{
    const struct trace_header *header = &trace->header;
    const struct {
        enum trace_section_type type;
        const uint32_t *count;
        size_t record_size, later;
        void *table;
    } tables[] = {
        {TRACE_SITES, &header->site_count, sizeof(struct trace_site), LATER_SITE, NULL},
        {TRACE_NODES, &header->node_count, sizeof(struct trace_node), 0, &trace->nodes},
        {TRACE_FRAMES, &header->frame_count, sizeof(struct trace_frame), LATER_FRAME, &trace->frames},
        {TRACE_MODULES, &header->module_count, sizeof(struct trace_module), LATER_MODULE, &trace->modules},
    };
    struct trace_site *sites = NULL;
    bool fine = true;
    for (size_t i = 0; fine && i < sizeof(tables) / sizeof(tables[0]); i++) {
        void *records = sections_table(sections, file, tables[i].type, *tables[i].count, tables[i].record_size,
                                       why);
        fine = records && file_charge(file, *tables[i].count, tables[i].later, why);
        if (tables[i].table)
            *(void **)tables[i].table = records;
        else
            sites = records;
    }
    if (fine)
        fine = (trace->sites = file_memory(file, header->site_count, sizeof(struct site), why)) != NULL;
    for (uint32_t i = 1; fine && i < header->site_count; i++)
        trace->sites[i].node = sites[i].node;
    free(sites);
    return fine;
}

static bool check_paths(struct trace *trace, struct file *file, struct failure *why)
{
    uint32_t count = trace->header.node_count;
    struct paths paths = {.roots = file_memory(file, count, sizeof(*paths.roots), why)};
    if (paths.roots)
        paths.depths = file_memory(file, count, sizeof(*paths.depths), why);
    bool fine = paths.depths && paths_check(&paths, trace, &(struct trace_header){0}, why);
    paths_free(&paths);
    return fine;
}

static bool read_names(struct trace *trace, struct file *file, struct failure *why)
{
    struct trace_header *header = &trace->header;
    if (!strings_get(trace, header->exe, &trace->exe, why) ||
        !strings_get(trace, header->cwd, &trace->cwd, why) ||
        !strings_get(trace, header->first_malloc, &trace->first_malloc, why) ||
        !strings_command(trace, header->command, header->command_size, why))
        return false;
    trace->module_paths = file_memory(file, header->module_count, sizeof(char *), why);
    if (!trace->module_paths)
        return false;
    for (uint32_t i = 1; i < header->module_count; i++) {
        if (!strings_get(trace, trace->modules[i].path, &trace->module_paths[i], why))
            return false;
        if (trace->modules[i].build_id_size > sizeof(trace->modules[i].build_id))
            return failure_set(why, "is damaged: module %u has an impossible build-id", i);
    }
    return true;
}

static bool read_all(struct trace *trace, struct reader *reader, struct failure *why)
{
    struct file *file = &reader->file;
    struct sections *sections = &reader->sections;
    if (!read_header(&trace->header, file, why) || !sections_read(sections, file, &trace->header, why))
        return false;
    trace->device = file->stat.st_dev;
    trace->inode = file->stat.st_ino;
    return read_tables(trace, sections, file, why) && check_paths(trace, file, why) &&
           strings_read(trace, sections, file, why) && read_names(trace, file, why) &&
           figures_read(trace, reader, why) && points_read(trace, reader, why) && marks_read(trace, reader, why) &&
           snapshots_read(trace, reader, why);
}

bool trace_read(struct trace *trace, const char *path, struct failure *why)
{
    *trace = (struct trace){.reader = memory_get(1, sizeof(struct reader))};
    if (!file_open(&trace->reader->file, path, why)) {
        free(trace->reader);
        trace->reader = NULL;
        return false;
    }
    if (read_all(trace, trace->reader, why))
        return true;
    trace_free(trace);
    return false;
}

void trace_free(struct trace *trace)
{
    if (trace->reader) {
        file_close(&trace->reader->file);
        sections_free(&trace->reader->sections);
        free(trace->reader);
    }
    snapshots_free(trace);
    free(trace->points);
    free(trace->marks);
    strings_free(trace);
    free(trace->modules);
    free(trace->module_paths);
    free(trace->frames);
    free(trace->nodes);
    free(trace->sites);
    *trace = (struct trace){0};
}

uint64_t trace_recorder_bytes(const struct trace *trace)
{
    return trace->header.recorder_bytes + trace->header.used;
}
