// SPDX-License-Identifier: MIT
#include "output/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/trace.h"
#include "output/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- kinds of values ------------------------------------------------------------------------------- */

static uint64_t number_at(const void *at, size_t size)
{
    uint64_t number = 0; /* little-endian, as every machine that this runs on */
    memcpy(&number, at, size < sizeof(number) ? size : sizeof(number));
    return number;
}

static void put_number(const struct dump *dump, const void *at, size_t size)
{
    fprintf(dump->out, "%" PRIu64, number_at(at, size));
}

static void put_signed(const struct dump *dump, const void *at, size_t size)
{
    uint64_t number = number_at(at, size);
    fprintf(dump->out, "%" PRId64, size == sizeof(int32_t) ? (int32_t)number : (int64_t)number);
}

static void put_hex(const struct dump *dump, const void *at, size_t size)
{
    fprintf(dump->out, "0x%" PRIx64, number_at(at, size));
}

static void put_bytes(const struct dump *dump, const void *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        fprintf(dump->out, "%02x", ((const unsigned char *)at)[i]);
}

size_t field_write_string(const struct dump *dump, uint64_t offset)
{
    char *string = layout_string(dump->layout, offset);
    if (!string) {
        fputs("(no string there)", dump->out);
        layout_note(dump->layout, "is damaged: no string at byte %" PRIu64, offset);
        return 0;
    }
    char *harmless = utf8_escape(string, dump->wide);
    size_t size = strlen(string) + 1;
    fprintf(dump->out, "\"%s\"", harmless);
    free(harmless);
    free(string);
    return size;
}

/* Of at most `size` bytes, within a record. */
static void put_text(const struct dump *dump, const void *at, size_t size)
{
    char *text = strndup(at, size), *harmless = utf8_escape(text, dump->wide);
    fprintf(dump->out, "\"%s\"", harmless);
    free(harmless);
    free(text);
}

static void put_string(const struct dump *dump, const void *at, size_t size)
{
    uint64_t offset = number_at(at, size);
    put_hex(dump, at, size);
    if (!offset)
        return;
    fputc(' ', dump->out);
    field_write_string(dump, offset);
}

#define LONGEST_COMMAND 65536 /* that is ever recorded */

/* All arguments: their size is the header's next field. */
static void put_command(const struct dump *dump, const void *at, size_t size)
{
    uint64_t offset = number_at(at, size), left = offset ? dump->layout->header.command_size : 0;
    if (left > LONGEST_COMMAND)
        left = LONGEST_COMMAND;
    put_hex(dump, at, size);
    while (left) {
        fputc(' ', dump->out);
        size_t taken = field_write_string(dump, offset);
        left = taken && taken < left ? left - taken : 0;
        offset += taken;
    }
}

void field_write_moment(const struct dump *dump, uint64_t ns)
{
    fprintf(dump->out, "%+.6f s", ((double)ns - (double)dump->layout->header.started_ns) / 1e9);
}

static void put_moment(const struct dump *dump, const void *at, size_t size)
{
    uint64_t ns = number_at(at, size);
    put_number(dump, at, size);
    if (!ns)
        return;
    fputs(" (", dump->out);
    field_write_moment(dump, ns);
    fputc(')', dump->out);
}

static void put_date(const struct dump *dump, const void *at, size_t size)
{
    time_t seconds = (time_t)(number_at(at, size) / 1000000000);
    char text[64] = "";
    struct tm date;
    put_number(dump, at, size);
    if (seconds && gmtime_r(&seconds, &date) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &date))
        fprintf(dump->out, " (%s UTC)", text);
}

/* --- numbers that have names ----------------------------------------------------------------------- */

static void put_named(const struct dump *dump, uint64_t number, const char *const *names, size_t count)
{
    const char *name = number < count ? names[number] : NULL;
    fprintf(dump->out, "%" PRIu64, number);
    if (name)
        fprintf(dump->out, " (%s)", name);
}

static void put_flags(const struct dump *dump, uint64_t flags, const char *const *names, size_t count)
{
    fprintf(dump->out, "0x%" PRIx64, flags);
    const char *separator = " (";
    for (size_t i = 0; i < count; i++)
        if (flags >> i & 1) {
            fprintf(dump->out, "%s%s", separator, names[i]);
            separator = ", ";
        }
    if (*separator == ',')
        fputc(')', dump->out);
}

static void put_arch(const struct dump *dump, const void *at, size_t size)
{
    static const char *const names[] = {[TRACE_ARCH_X86_64] = "x86-64"};
    put_named(dump, number_at(at, size), names, COUNT(names));
}

static void put_state(const struct dump *dump, const void *at, size_t size)
{
    static const char *const names[] = {
        [TRACE_RUNNING] = "no end noted", [TRACE_EXITED] = "exited", [TRACE_KILLED] = "killed"};
    put_named(dump, number_at(at, size), names, COUNT(names));
}

static void put_command_number(const struct dump *dump, const void *at, size_t size)
{
    static const char *const names[] = {
        [TRACE_COMMAND_START] = "start",       [TRACE_COMMAND_STOP] = "stop",
        [TRACE_COMMAND_SNAPSHOT] = "snapshot", [TRACE_COMMAND_RESET_PEAK] = "reset-peak",
        [TRACE_COMMAND_CLEAR] = "clear",       [TRACE_COMMAND_DEPTH] = "depth"};
    put_named(dump, number_at(at, size), names, COUNT(names));
}

static void put_trace_flags(const struct dump *dump, const void *at, size_t size)
{
    static const char *const names[] = {"forked", "disk full", "no unwinder", "tables full", "gave up",
                                        "stopped"};
    put_flags(dump, number_at(at, size), names, COUNT(names));
}

static void put_frame_flags(const struct dump *dump, const void *at, size_t size)
{
    static const char *const names[] = {"exact"};
    put_flags(dump, number_at(at, size), names, COUNT(names));
}

static void put_spill_kind(const struct dump *dump, const void *at, size_t size)
{
    static const char *const names[] = {[TRACE_SPILL_REALLOCATIONS] = "reallocations",
                                        [TRACE_SPILL_TEMPORARY] = "temporary"};
    put_named(dump, number_at(at, size), names, COUNT(names));
}

static void put_snapshot_reason(const struct dump *dump, const void *at, size_t size)
{
    struct snapshot snapshot = {.reason = (uint32_t)number_at(at, size)};
    fprintf(dump->out, "%" PRIu32 " (%s)", snapshot.reason, snapshot_reason(&snapshot));
}

static void put_snapshot_flags(const struct dump *dump, const void *at, size_t size)
{
    static const char *const names[] = {"blurred"};
    put_flags(dump, number_at(at, size), names, COUNT(names));
}

/* --- numbers of other records ---------------------------------------------------------------------- */

static void put_reference(const struct dump *dump, uint64_t number, enum trace_section_type type)
{
    fprintf(dump->out, "%" PRIu64, number);
    if (number < layout_count(dump->layout, type) || !number)
        return;
    fputs(" (is not there)", dump->out);
    layout_note(dump->layout, "is damaged: %s[%" PRIu64 "] is not there", record_fields[type].name, number);
}

static void put_module(const struct dump *dump, const void *at, size_t size)
{
    put_reference(dump, number_at(at, size), TRACE_MODULES);
}

static void put_frame(const struct dump *dump, const void *at, size_t size)
{
    put_reference(dump, number_at(at, size), TRACE_FRAMES);
}

static void put_site(const struct dump *dump, const void *at, size_t size)
{
    put_reference(dump, number_at(at, size), TRACE_SITES);
}

static void put_node(const struct dump *dump, const void *at, size_t size)
{
    static const char *const roots[TRACE_NODE_FIRST] = {[TRACE_NODE_NONE] = "none",
                                                        [TRACE_NODE_ROOT] = "root",
                                                        [TRACE_NODE_TRUNCATED] = "truncated",
                                                        [TRACE_NODE_OVERFLOW] = "overflow"};
    uint64_t number = number_at(at, size);
    if (number < TRACE_NODE_FIRST)
        put_named(dump, number, roots, COUNT(roots));
    else
        put_reference(dump, number, TRACE_NODES);
}

/* --- the structures -------------------------------------------------------------------------------- */

#define FIELD(record, member, put)                                                                           \
    {                                                                                                        \
        #member, offsetof(struct record, member), sizeof(((struct record *)0)->member), put                  \
    }

static const struct field trace_header[] = {
    FIELD(trace_header, magic, put_bytes),
    FIELD(trace_header, version, put_number),
    FIELD(trace_header, reader_version, put_number),
    FIELD(trace_header, header_size, put_number),
    FIELD(trace_header, arch, put_arch),
    FIELD(trace_header, used, put_number),
    FIELD(trace_header, pid, put_signed),
    FIELD(trace_header, ppid, put_signed),
    FIELD(trace_header, process_start, put_number),
    FIELD(trace_header, boot_id, put_bytes),
    FIELD(trace_header, started_realtime_ns, put_date),
    FIELD(trace_header, started_ns, put_number),
    FIELD(trace_header, exe, put_string),
    FIELD(trace_header, cwd, put_string),
    FIELD(trace_header, command, put_command),
    FIELD(trace_header, command_size, put_number),
    FIELD(trace_header, state, put_state),
    FIELD(trace_header, status, put_signed),
    FIELD(trace_header, ended_ns, put_moment),
    FIELD(trace_header, last_seen_ns, put_moment),
    FIELD(trace_header, flags, put_trace_flags),
    FIELD(trace_header, depth, put_number),
    FIELD(trace_header, sample_bytes, put_number),
    FIELD(trace_header, node_count, put_number),
    FIELD(trace_header, frame_count, put_number),
    FIELD(trace_header, site_count, put_number),
    FIELD(trace_header, module_count, put_number),
    FIELD(trace_header, shard_count, put_number),
    FIELD(trace_header, threads, put_number),
    FIELD(trace_header, spill_count, put_number),
    FIELD(trace_header, first_malloc, put_string),
    FIELD(trace_header, missed_events, put_number),
    FIELD(trace_header, run_pid, put_signed),
    FIELD(trace_header, recorder_bytes, put_number),
    FIELD(trace_header, peak_error_bytes, put_number),
    FIELD(trace_header, point_count, put_number),
    FIELD(trace_header, point_changes, put_number),
    FIELD(trace_header, snapshot_count, put_number),
    FIELD(trace_header, mark_count, put_number),
    FIELD(trace_header, control, put_hex),
    FIELD(trace_header, peak_reset_ns, put_moment),
    FIELD(trace_header, cleared_ns, put_moment),
    FIELD(trace_header, epoch, put_number),
    FIELD(trace_header, peak_bytes, put_number),
};

static const struct field trace_module[] = {
    FIELD(trace_module, path, put_string),        FIELD(trace_module, bias, put_hex),
    FIELD(trace_module, start, put_hex),          FIELD(trace_module, end, put_hex),
    FIELD(trace_module, came_ns, put_moment),     FIELD(trace_module, gone_ns, put_moment),
    FIELD(trace_module, file_size, put_number),   FIELD(trace_module, file_mtime_ns, put_date),
    FIELD(trace_module, build_id, put_bytes),     FIELD(trace_module, build_id_size, put_number),
};

static const struct field trace_frame[] = {
    FIELD(trace_frame, module, put_module),
    FIELD(trace_frame, flags, put_frame_flags),
    FIELD(trace_frame, offset, put_hex),
};

static const struct field trace_node[] = {
    FIELD(trace_node, parent, put_node),
    FIELD(trace_node, frame, put_frame),
    FIELD(trace_node, site, put_site),
};

static const struct field trace_site[] = {
    FIELD(trace_site, node, put_node),
};

static const struct field trace_counter[] = {
    FIELD(trace_counter, allocations, put_number),   FIELD(trace_counter, allocated_bytes, put_number),
    FIELD(trace_counter, frees, put_number),         FIELD(trace_counter, freed_bytes, put_number),
    FIELD(trace_counter, epoch, put_number),         FIELD(trace_counter, peak_blocks, put_signed),
    FIELD(trace_counter, peak_bytes, put_signed),    FIELD(trace_counter, reallocations, put_number),
    FIELD(trace_counter, temporary, put_number),
};

static const struct field trace_inherited[] = {
    FIELD(trace_inherited, blocks, put_number),
    FIELD(trace_inherited, bytes, put_number),
};

static const struct field trace_spill[] = {
    FIELD(trace_spill, site, put_site),
    FIELD(trace_spill, kind, put_spill_kind),
};

static const struct field trace_point[] = {
    FIELD(trace_point, ns, put_moment),
    FIELD(trace_point, current_bytes, put_number),
    FIELD(trace_point, blocks, put_number),
    FIELD(trace_point, resident_bytes, put_number),
};

static const struct field trace_snapshot[] = {
    FIELD(trace_snapshot, number, put_number),
    FIELD(trace_snapshot, ns, put_moment),
    FIELD(trace_snapshot, reason, put_snapshot_reason),
    FIELD(trace_snapshot, flags, put_snapshot_flags),
    FIELD(trace_snapshot, site_count, put_number),
    FIELD(trace_snapshot, spill_count, put_number),
    FIELD(trace_snapshot, current_bytes, put_number),
    FIELD(trace_snapshot, blocks, put_number),
    FIELD(trace_snapshot, asked_bytes, put_number),
    FIELD(trace_snapshot, label, put_text),
};

static const struct field trace_snapshot_site[] = {
    FIELD(trace_snapshot_site, allocations, put_number),
    FIELD(trace_snapshot_site, allocated_bytes, put_number),
    FIELD(trace_snapshot_site, frees, put_number),
    FIELD(trace_snapshot_site, freed_bytes, put_number),
    FIELD(trace_snapshot_site, peak_blocks, put_signed),
    FIELD(trace_snapshot_site, peak_bytes, put_signed),
    FIELD(trace_snapshot_site, reallocations, put_number),
    FIELD(trace_snapshot_site, temporary, put_number),
};

static const struct field trace_control[] = {
    FIELD(trace_control, request, put_number), FIELD(trace_control, command, put_command_number),
    FIELD(trace_control, argument, put_number), FIELD(trace_control, label, put_text),
    FIELD(trace_control, done, put_number),    FIELD(trace_control, result, put_signed),
};

static const struct field trace_mark[] = {
    FIELD(trace_mark, ns, put_moment),
    FIELD(trace_mark, current_bytes, put_number),
    FIELD(trace_mark, blocks, put_number),
    FIELD(trace_mark, label, put_text),
};

const struct record_fields header_fields = {"header", trace_header, COUNT(trace_header)};

const struct record_fields record_fields[FIELDS_TYPES] = {
    [TRACE_STRINGS] = {"strings", NULL, 0},
    [TRACE_MODULES] = {"modules", trace_module, COUNT(trace_module)},
    [TRACE_FRAMES] = {"frames", trace_frame, COUNT(trace_frame)},
    [TRACE_NODES] = {"nodes", trace_node, COUNT(trace_node)},
    [TRACE_SITES] = {"sites", trace_site, COUNT(trace_site)},
    [TRACE_COUNTERS] = {"counters", trace_counter, COUNT(trace_counter)},
    [TRACE_INHERITED] = {"inherited", trace_inherited, COUNT(trace_inherited)},
    [TRACE_SPILLS] = {"spills", trace_spill, COUNT(trace_spill)},
    [TRACE_TIMELINE] = {"timeline", trace_point, COUNT(trace_point)},
    [TRACE_SNAPSHOTS] = {"snapshots", trace_snapshot, COUNT(trace_snapshot)},
    [TRACE_SNAPSHOT_SITES] = {"snapshot-sites", trace_snapshot_site, COUNT(trace_snapshot_site)},
    [TRACE_CONTROL] = {"control", trace_control, COUNT(trace_control)},
    [TRACE_MARKS] = {"marks", trace_mark, COUNT(trace_mark)},
};

void field_write(const struct dump *dump, const struct field *field, const void *record)
{
    field->put(dump, (const char *)record + field->offset, field->size);
}
