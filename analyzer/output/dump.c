// SPDX-License-Identifier: MIT
#include "output/dump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/utf8.h"

/* --- the header ------------------------------------------------------------------------------------ */

static void put_file(const struct dump *dump)
{
    const struct file *file = &dump->layout->file;
    fprintf(dump->out, "file\n  %-20s%" PRIu64 "\n  %-20s%" PRIu64 "\n", "size", (uint64_t)file->stat.st_size,
            "on disk", (uint64_t)file->stat.st_blocks * 512);
}

void dump_header(const struct dump *dump)
{
    const struct layout *layout = dump->layout;
    put_file(dump);
    fputs("\nheader\n", dump->out);
    for (size_t i = 0; i < header_fields.count; i++) {
        const struct field *field = &header_fields.fields[i];
        if (field->offset + field->size > layout->header_there)
            continue;
        fprintf(dump->out, "  %-20s", field->name);
        field_write(dump, field, &layout->header);
        fputc('\n', dump->out);
    }
    if (layout->header_there < sizeof(layout->header))
        fprintf(dump->out, "  (and no more: it ends after %zu bytes of %zu)\n", layout->header_there,
                sizeof(layout->header));
    else if (layout->header.header_size > sizeof(layout->header))
        fprintf(dump->out, "  (and %zu bytes that this version does not know)\n",
                layout->header.header_size - sizeof(layout->header));
}

/* --- sections -------------------------------------------------------------------------------------- */

static const char *name_of(uint32_t type, char unknown[32])
{
    if (type < FIELDS_TYPES && record_fields[type].name)
        return record_fields[type].name;
    snprintf(unknown, 32, "type %" PRIu32, type);
    return unknown;
}

struct sum {
    uint64_t sections, bytes, capacity, used;
};

static void add(struct sum *sum, const struct layout *layout, const struct section *section)
{
    sum->sections++;
    sum->bytes += sizeof(struct trace_section) + section->length;
    sum->capacity += section->capacity;
    sum->used += layout_used(layout, section);
}

static int by_type(const void *a, const void *b)
{
    const struct section *x = *(const struct section *const *)a, *y = *(const struct section *const *)b;
    return x->type < y->type ? -1 : x->type > y->type;
}

void dump_summary(const struct dump *dump)
{
    char name[32];
    size_t count = dump->layout->sections.count;
    const struct section **sorted = memory_get(count, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &dump->layout->sections.all[i];
    qsort(sorted, count, sizeof(*sorted), by_type);
    fprintf(dump->out, "\nsections    %10s %14s %12s %12s\n", "number", "bytes", "capacity", "used");
    for (size_t i = 0; i < count;) {
        uint32_t type = sorted[i]->type;
        struct sum sum = {0};
        for (; i < count && sorted[i]->type == type; i++)
            add(&sum, dump->layout, sorted[i]);
        fprintf(dump->out, "  %-14s%6" PRIu64 " %14" PRIu64 " %12" PRIu64, name_of(type, name), sum.sections,
                sum.bytes, sum.capacity);
        if (layout_count(dump->layout, type))
            fprintf(dump->out, " %12" PRIu64, sum.used);
        fputc('\n', dump->out);
    }
    free(sorted);
}

void dump_sections(const struct dump *dump)
{
    char name[32];
    fprintf(dump->out, "\n%-16s%10s %14s %7s %10s %10s %6s\n", "sections", "offset", "size", "record",
            "first", "capacity", "shard");
    for (size_t i = 0; i < dump->layout->sections.count; i++) {
        const struct section *section = &dump->layout->sections.all[i];
        fprintf(dump->out,
                "  %-14s%10" PRIu64 " %14" PRIu64 " %7" PRIu32 " %10" PRIu64 " %10" PRIu32 " %6" PRIu32 "\n",
                name_of(section->type, name), section->data - sizeof(struct trace_section),
                sizeof(struct trace_section) + section->length, section->record_size, section->first,
                section->capacity, section->shard);
    }
}

/* --- records --------------------------------------------------------------------------------------- */

struct visit;
typedef void record_put(const struct visit *visit, uint64_t number, const void *record);

struct visit {
    const struct dump *dump;
    const struct section *section;
    record_put *put;
};

static bool is_zero(const char *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static void put_unless_zero(uint64_t number, const void *record, void *context)
{
    const struct visit *visit = context;
    if (!is_zero(record, visit->section->record_size))
        visit->put(visit, number, record);
}

/* Calls `put` for the records of a type that the counts cover, as far as the file has them. */
static void visit_records(const struct dump *dump, enum trace_section_type type, record_put *put)
{
    struct layout *layout = dump->layout;
    for (size_t i = 0; i < layout->sections.count; i++) {
        struct section section = layout_present(layout, &layout->sections.all[i]);
        struct visit visit = {dump, &section, put};
        struct failure why;
        if (section.type != type || !section_check(&section, &why))
            continue;
        uint64_t count = layout_count(layout, type);
        if (!section_visit(&section, &layout->file, count, put_unless_zero, &visit, &why))
            layout_note(layout, "%s", why.text);
    }
}

static void put_record(const struct visit *visit, uint64_t number, const void *record)
{
    const struct record_fields *fields = &record_fields[visit->section->type];
    FILE *out = visit->dump->out;
    fprintf(out, "%s[%" PRIu64 "]", fields->name, number);
    if (visit->section->type == TRACE_COUNTERS)
        fprintf(out, " shard=%" PRIu32, visit->section->shard);
    if (visit->section->type == TRACE_SNAPSHOT_SITES)
        fprintf(out, " place=%" PRIu32, visit->section->shard);
    for (size_t i = 0; i < fields->count; i++) {
        fprintf(out, " %s=", fields->fields[i].name);
        field_write(visit->dump, &fields->fields[i], record);
    }
    fputc('\n', out);
}

static void put_strings(const struct dump *dump)
{
    for (size_t i = 0; i < dump->layout->sections.count; i++) {
        const struct section *section = &dump->layout->sections.all[i];
        if (section->type != TRACE_STRINGS)
            continue;
        size_t taken = 1;
        for (uint64_t at = section->data; taken && (at = layout_next_string(dump->layout, section, at));
             at += taken) {
            fprintf(dump->out, "strings[0x%" PRIx64 "] ", at);
            taken = field_write_string(dump, at);
            fputc('\n', dump->out);
        }
    }
}

void dump_records(const struct dump *dump, enum trace_section_type type)
{
    fprintf(dump->out, "\n%s\n", record_fields[type].name);
    if (type == TRACE_STRINGS)
        put_strings(dump);
    else
        visit_records(dump, type, put_record);
}

/* --- modules --------------------------------------------------------------------------------------- */

static void put_build_id(const struct dump *dump, const struct trace_module *module)
{
    size_t size = module->build_id_size;
    fputs(size ? ", build-id " : ", no build-id", dump->out);
    for (size_t i = 0; i < size && i < sizeof(module->build_id); i++)
        fprintf(dump->out, "%02x", module->build_id[i]);
    if (size > sizeof(module->build_id))
        layout_note(dump->layout, "is damaged: a build-id of %zu bytes", size);
}

static void put_module(const struct visit *visit, uint64_t number, const void *record)
{
    const struct dump *dump = visit->dump;
    const struct trace_module *module = record;
    fprintf(dump->out, "  %4" PRIu64 "  ", number);
    if (module->path)
        field_write_string(dump, module->path);
    else
        fputs("(no path)", dump->out);
    fprintf(dump->out, "\n        0x%" PRIx64 "-0x%" PRIx64 ", bias 0x%" PRIx64 "\n        came ",
            module->start, module->end, module->bias);
    field_write_moment(dump, module->came_ns);
    if (module->gone_ns) {
        fputs(", gone ", dump->out);
        field_write_moment(dump, module->gone_ns);
    }
    put_build_id(dump, module);
    fputc('\n', dump->out);
}

void dump_modules(const struct dump *dump)
{
    fputs("\nmodules\n", dump->out);
    visit_records(dump, TRACE_MODULES, put_module);
}

/* --- what was when --------------------------------------------------------------------------------- */

static void put_time(const struct dump *dump, uint64_t ns)
{
    fprintf(dump->out, "%+.6f s", (double)ns / 1e9);
}

void dump_timeline(const struct dump *dump, const struct trace *trace)
{
    fprintf(dump->out, "\ntimeline\n  %zu points", trace->point_count);
    if (trace->point_count) {
        fputs(", from ", dump->out);
        put_time(dump, trace->points[0].ns);
        fputs(" to ", dump->out);
        put_time(dump, trace->points[trace->point_count - 1].ns);
    }
    fputc('\n', dump->out);
}

static void put_snapshot(const struct dump *dump, const struct snapshot *snapshot)
{
    fprintf(dump->out, "  %4" PRIu64 "  ", snapshot->number);
    put_time(dump, snapshot->ns);
    fprintf(dump->out, "  %" PRIu64 " bytes in %" PRIu64 " blocks, %s", snapshot->current_bytes,
            snapshot->blocks, snapshot_reason(snapshot));
    if (snapshot->reason == TRACE_SNAPSHOT_FAILED)
        fprintf(dump->out, " (%" PRIu64 " bytes wanted)", snapshot->asked_bytes);
    if (snapshot->blurred)
        fputs(", blurred", dump->out);
    if (snapshot->label) {
        char *harmless = utf8_escape(snapshot->label, dump->wide);
        fprintf(dump->out, ", \"%s\"", harmless);
        free(harmless);
    }
    fputc('\n', dump->out);
}

void dump_marks(const struct dump *dump, const struct trace *trace)
{
    fputs("\nmarks\n", dump->out);
    for (size_t i = 0; i < trace->mark_count; i++) {
        const struct mark *mark = &trace->marks[i];
        char *harmless = utf8_escape(mark->label, dump->wide);
        fputs("  ", dump->out);
        put_time(dump, mark->ns);
        fprintf(dump->out, "  %" PRIu64 " bytes in %" PRIu64 " blocks, \"%s\"\n", mark->current_bytes,
                mark->blocks, harmless);
        free(harmless);
    }
}

void dump_snapshots(const struct dump *dump, const struct trace *trace)
{
    fputs("\nsnapshots\n", dump->out);
    for (size_t i = 0; i < trace->snapshot_count; i++)
        put_snapshot(dump, &trace->snapshots[i]);
}
