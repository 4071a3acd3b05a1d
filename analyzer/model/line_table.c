// SPDX-License-Identifier: MIT
#include "model/line_table.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/failure.h"

#define WIDE 0xffffffff /* as a length: 64-bit DWARF, the length follows */

struct head {
    struct bytes bytes;
    size_t offset_size; /* 4 or 8 */
    const struct line_sections *sections;
};

static void add_directory(struct line_table *table, struct line_file entry)
{
    table->directories = memory_grow(table->directories, table->directory_count, &table->directory_capacity,
                                     sizeof(*table->directories));
    table->directories[table->directory_count++] = entry.name;
}

static void add_file(struct line_table *table, struct line_file entry)
{
    table->files = memory_grow(table->files, table->file_count, &table->file_capacity, sizeof(*table->files));
    table->files[table->file_count++] = entry;
}

/* --- DWARF 2 to 4 -------------------------------------------------------------------------------------- */

void line_table_add_file(struct line_table *table, struct bytes *bytes, const char *name)
{
    struct line_file file = {name, bytes_unsigned(bytes)};
    bytes_unsigned(bytes); /* time */
    bytes_unsigned(bytes); /* size */
    add_file(table, file);
}

/* Number 0 of both is not in the lists. */
static void read_lists(struct line_table *table, struct head *head)
{
    const char *name;
    add_directory(table, (struct line_file){0});
    while ((name = bytes_string(&head->bytes)) && *name)
        add_directory(table, (struct line_file){name, 0});
    add_file(table, (struct line_file){0});
    while ((name = bytes_string(&head->bytes)) && *name)
        line_table_add_file(table, &head->bytes, name);
}

/* --- DWARF 5 ------------------------------------------------------------------------------------------- */

struct value {
    const char *string;
    uint64_t number;
};

/* Strings of a section are all ended, once its end is behind a zero. */
static struct bytes up_to_last_zero(struct bytes section)
{
    while (section.end > section.at && section.end[-1])
        section.end--;
    return section;
}

static const char *string_at(const struct bytes *section, uint64_t offset)
{
    return offset < bytes_left(section) ? (const char *)section->at + offset : NULL;
}

/* Takes a value off the front; a form that no table has makes it bad. */
static struct value read_value(struct head *head, uint64_t form)
{
    struct bytes *bytes = &head->bytes;
    struct value value = {0};
    switch (form) {
    case DW_FORM_string:
        value.string = bytes_string(bytes);
        break;
    case DW_FORM_line_strp:
        value.string = string_at(&head->sections->line_strings, bytes_number(bytes, head->offset_size));
        break;
    case DW_FORM_strp:
        value.string = string_at(&head->sections->strings, bytes_number(bytes, head->offset_size));
        break;
    case DW_FORM_strp_sup: /* of another file */
        bytes_part(bytes, head->offset_size);
        break;
    case DW_FORM_udata:
    case DW_FORM_strx:
        value.number = bytes_unsigned(bytes);
        break;
    case DW_FORM_data1:
    case DW_FORM_strx1:
        value.number = bytes_number(bytes, 1);
        break;
    case DW_FORM_data2:
    case DW_FORM_strx2:
        value.number = bytes_number(bytes, 2);
        break;
    case DW_FORM_strx3:
        value.number = bytes_number(bytes, 3);
        break;
    case DW_FORM_data4:
    case DW_FORM_strx4:
        value.number = bytes_number(bytes, 4);
        break;
    case DW_FORM_data8:
        value.number = bytes_number(bytes, 8);
        break;
    case DW_FORM_data16:
        bytes_part(bytes, 16);
        break;
    case DW_FORM_block:
        bytes_part(bytes, bytes_unsigned(bytes));
        break;
    default:
        bytes->bad = true;
    }
    return value;
}

/* A list of entries, of which each has values of the same kinds and forms. */
static void read_entries(struct line_table *table, struct head *head,
                         void (*add)(struct line_table *table, struct line_file entry))
{
    struct bytes *bytes = &head->bytes;
    size_t value_count = bytes_number(bytes, 1);
    struct bytes kinds = *bytes;
    for (size_t i = 0; i < 2 * value_count; i++)
        bytes_unsigned(bytes);
    for (uint64_t count = bytes_unsigned(bytes); count && !bytes->bad; count--) {
        struct line_file entry = {0};
        struct bytes kind = kinds;
        const uint8_t *start = bytes->at;
        for (size_t i = 0; i < value_count; i++) {
            uint64_t content = bytes_unsigned(&kind);
            struct value value = read_value(head, bytes_unsigned(&kind));
            if (content == DW_LNCT_path)
                entry.name = value.string;
            if (content == DW_LNCT_directory_index)
                entry.directory = value.number;
        }
        add(table, entry);
        bytes->bad |= bytes->at == start; /* or it could go on for ever */
    }
}

/* --- both ---------------------------------------------------------------------------------------------- */

static void read_head(struct line_table *table, struct head *head)
{
    struct bytes *bytes = &head->bytes;
    if (table->version >= 5)
        bytes_part(bytes, 2); /* sizes of addresses and of segments */
    uint64_t size = bytes_number(bytes, head->offset_size);
    struct bytes behind = *bytes;
    bytes_part(&behind, size);
    table->least_instruction = (unsigned)bytes_number(bytes, 1);
    table->most_operations = table->version >= 4 ? (unsigned)bytes_number(bytes, 1) : 1;
    bytes_part(bytes, 1); /* whether lines are statements */
    table->line_base = (int8_t)bytes_number(bytes, 1);
    table->line_range = (unsigned)bytes_number(bytes, 1);
    table->opcode_base = (unsigned)bytes_number(bytes, 1);
    table->operands = bytes_part(bytes, table->opcode_base ? table->opcode_base - 1 : 0).at;
    if (table->version >= 5) {
        read_entries(table, head, add_directory);
        read_entries(table, head, add_file);
    } else {
        read_lists(table, head);
    }
    bytes->bad |= behind.bad || !table->line_range || !table->opcode_base || !table->most_operations;
    table->program = behind;
}

bool line_table_read(struct line_table *table, const struct line_sections *sections, uint64_t offset)
{
    struct line_sections ended = {sections->line, up_to_last_zero(sections->strings),
                                  up_to_last_zero(sections->line_strings)};
    struct bytes section = sections->line;
    *table = (struct line_table){0};
    bytes_part(&section, offset);
    uint64_t size = bytes_number(&section, 4);
    struct head head = {.offset_size = size == WIDE ? 8 : 4, .sections = &ended};
    if (size == WIDE)
        size = bytes_number(&section, 8);
    head.bytes = bytes_part(&section, size);
    table->version = (unsigned)bytes_number(&head.bytes, 2);
    if (!section.bad && table->version >= 2 && table->version <= 5)
        read_head(table, &head);
    if (!section.bad && !head.bytes.bad && table->files)
        return true;
    line_table_free(table);
    return false;
}

void line_table_free(struct line_table *table)
{
    free(table->directories);
    free(table->files);
    *table = (struct line_table){0};
}

bool line_table_path(const struct line_table *table, uint64_t number, const char *directory, char *path,
                     size_t size)
{
    if (number >= table->file_count || !table->files[number].name)
        return false;
    const struct line_file *file = &table->files[number];
    const char *inner = file->directory < table->directory_count ? table->directories[file->directory] : NULL;
    if (!inner && file->directory == 0)
        inner = directory;
    bool alone = file->name[0] == '/' || !inner;
    int length = snprintf(path, size, "%s%s%s", alone ? "" : inner, alone ? "" : "/", file->name);
    return length >= 0 && (size_t)length < size;
}
