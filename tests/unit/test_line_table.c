// SPDX-License-Identifier: MIT
/* Line tables made by hand, of all versions; damaged in every way. */
#include <dwarf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/line_rows.h"

/* --- putting tables together ---------------------------------------------------------------------------- */

struct image {
    uint8_t bytes[512];
    size_t size;
};

static void put(struct image *image, const void *bytes, size_t size)
{
    memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
}

static void put_number(struct image *image, uint64_t number, size_t size)
{
    put(image, &number, size);
}

static void put_string(struct image *image, const char *string)
{
    put(image, string, strlen(string) + 1);
}

#define PUT(image, ...) put(image, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* Lines are advanced by -3 to 8, addresses in special opcodes by up to 20; opcodes from 13 on are special. */
#define LINE_BASE   -3
#define LINE_RANGE  12
#define OPCODE_BASE 13
#define SPECIAL(address, line) (OPCODE_BASE + (line) - LINE_BASE + (address) * LINE_RANGE)

static void put_machine(struct image *image, unsigned version)
{
    PUT(image, 1); /* bytes in an instruction */
    if (version >= 4)
        PUT(image, 1);
    PUT(image, 1, (uint8_t)LINE_BASE, LINE_RANGE, OPCODE_BASE);
    PUT(image, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1);
}

static void put_lists(struct image *image)
{
    put_string(image, "include");
    put_string(image, "/usr/include");
    PUT(image, 0);
    put_string(image, "a.c");
    PUT(image, 0, 0x80, 1, 0x80, 0); /* directory, time, size: LEB128 may be longer than need be */
    put_string(image, "b.h");
    PUT(image, 1, 0, 0);
    put_string(image, "c.h");
    PUT(image, 2, 0, 0);
    put_string(image, "/d.h");
    PUT(image, 1, 0, 0);
    PUT(image, 0);
}

static const char strings[] = "unused\0/src\0include\0/usr/include";
static const char line_strings[] = "a.c\0b.h\0c.h\0/d.h";

static void put_entries(struct image *image, size_t offset_size)
{
    PUT(image, 1, DW_LNCT_path, DW_FORM_strp, 3);
    put_number(image, 7, offset_size);
    put_number(image, 12, offset_size);
    put_number(image, 20, offset_size);
    PUT(image, 3, DW_LNCT_path, DW_FORM_line_strp, DW_LNCT_directory_index, DW_FORM_udata, DW_LNCT_MD5,
        DW_FORM_data16, 5);
    static const uint8_t names[] = {0, 0, 4, 8, 12}, directories[] = {0, 0, 1, 2, 1}, sum[16];
    for (size_t i = 0; i < sizeof(names); i++) {
        put_number(image, names[i], offset_size);
        PUT(image, directories[i]);
        put(image, sum, sizeof(sum));
    }
}

/* What all of them say: lines 1, 3 and 8 of file 1, then 8 of file 2, from 0x1000 to 0x1020; then, as may be in
   a linked file, what lies directly before: line 100 of file 3. */
static void put_program(struct image *image)
{
    PUT(image, 0, 9, DW_LNE_set_address);
    put_number(image, 0x1000, 8);
    PUT(image, DW_LNS_copy, SPECIAL(4, 2), DW_LNS_advance_pc, 8, DW_LNS_advance_line, 5, DW_LNS_copy);
    PUT(image, DW_LNS_set_file, 2, DW_LNS_set_column, 7, DW_LNS_fixed_advance_pc, 4, 0, DW_LNS_copy);
    PUT(image, DW_LNS_negate_stmt, 0, 2, DW_LNE_set_discriminator, 1, DW_LNS_advance_pc, 16, SPECIAL(0, 1));
    PUT(image, 0, 1, DW_LNE_end_sequence);
    PUT(image, 0, 9, DW_LNE_set_address);
    put_number(image, 0x1000 - 20, 8);
    PUT(image, DW_LNS_set_file, 3, DW_LNS_advance_line, 0xe3, 0, DW_LNS_copy, DW_LNS_const_add_pc);
    PUT(image, 0, 1, DW_LNE_end_sequence);
}

static void put_length(struct image *image, size_t at, size_t size)
{
    uint64_t length = image->size - at - size;
    memcpy(image->bytes + at, &length, size);
}

static void make(struct image *image, unsigned version, size_t offset_size)
{
    *image = (struct image){0};
    if (offset_size == 8)
        put_number(image, UINT32_MAX, 4);
    size_t whole = image->size, head;
    put_number(image, 0, offset_size);
    put_number(image, version, 2);
    if (version >= 5)
        PUT(image, 8, 0);
    head = image->size;
    put_number(image, 0, offset_size);
    put_machine(image, version);
    if (version >= 5)
        put_entries(image, offset_size);
    else
        put_lists(image);
    put_length(image, head, offset_size);
    put_program(image);
    put_length(image, whole, offset_size);
}

static struct bytes section(const void *bytes, size_t size)
{
    return (struct bytes){bytes, (const uint8_t *)bytes + size, false};
}

/* --- what is read of them ------------------------------------------------------------------------------- */

static bool load(const void *image, size_t size, struct line_table *table, struct line_rows *rows)
{
    struct line_sections sections = {section(image, size), section(strings, sizeof(strings)),
                                     section(line_strings, sizeof(line_strings))};
    *rows = (struct line_rows){0};
    if (!line_table_read(table, &sections, 0))
        return false;
    line_rows_read(rows, table, 1000);
    return true;
}

static void unload(struct line_table *table, struct line_rows *rows)
{
    line_rows_free(rows);
    line_table_free(table);
}

static void assert_file(const struct line_table *table, uint64_t number, const char *expected)
{
    char path[64];
    assert_true(line_table_path(table, number, "/src", path, sizeof(path)));
    assert_string_equal(path, expected);
}

static void assert_row(const struct line_rows *rows, uint64_t address, unsigned file, unsigned line)
{
    const struct line_row *row = line_rows_find(rows, address);
    assert_non_null(row);
    assert_int_equal(row->file, file);
    assert_int_equal(row->line, line);
}

static void every_version(void **state)
{
    (void)state;
    static const struct {
        unsigned version;
        size_t offset_size;
    } kinds[] = {{2, 4}, {3, 4}, {3, 8}, {4, 4}, {4, 8}, {5, 4}, {5, 8}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct image image;
        struct line_table table;
        struct line_rows rows;
        make(&image, kinds[i].version, kinds[i].offset_size);
        assert_true(load(image.bytes, image.size, &table, &rows));
        assert_file(&table, 1, "/src/a.c");
        assert_file(&table, 2, "include/b.h");
        assert_file(&table, 3, "/usr/include/c.h");
        assert_file(&table, 4, "/d.h");
        assert_row(&rows, 0x1000, 1, 1);
        assert_row(&rows, 0x1003, 1, 1);
        assert_row(&rows, 0x1004, 1, 3);
        assert_row(&rows, 0x100c, 1, 8);
        assert_row(&rows, 0x1010, 2, 8);
        assert_row(&rows, 0x101f, 2, 8);
        assert_row(&rows, 0x0fff, 3, 100);
        assert_null(line_rows_find(&rows, 0x1020)); /* a row at the end has no code */
        assert_null(line_rows_find(&rows, UINT64_MAX));
        assert_null(line_rows_find(&rows, 0x1000 - 21));
        unload(&table, &rows);
    }
}

static void files_that_are_not_there(void **state)
{
    (void)state;
    struct image image;
    struct line_table table;
    struct line_rows rows;
    char path[9];
    make(&image, 4, 4);
    assert_true(load(image.bytes, image.size, &table, &rows));
    assert_false(line_table_path(&table, 0, "/src", path, sizeof(path)));
    assert_false(line_table_path(&table, 5, "/src", path, sizeof(path)));
    assert_false(line_table_path(&table, UINT64_MAX, "/src", path, sizeof(path)));
    assert_true(line_table_path(&table, 1, NULL, path, sizeof(path)));
    assert_string_equal(path, "a.c");
    assert_true(line_table_path(&table, 1, "/src", path, sizeof(path)));
    assert_false(line_table_path(&table, 1, "/src", path, sizeof(path) - 1));
    unload(&table, &rows);
}

static void a_program_adds_a_file(void **state)
{
    (void)state;
    struct image image;
    struct line_table table;
    struct line_rows rows;
    make(&image, 4, 4);
    PUT(&image, 0, 8, DW_LNE_define_file, 'e', '.', 'c', 0, 1, 0, 0);
    put_length(&image, 0, 4);
    assert_true(load(image.bytes, image.size, &table, &rows));
    assert_file(&table, 5, "include/e.c");
    unload(&table, &rows);
}

static void too_many_rows(void **state)
{
    (void)state;
    struct image image;
    struct line_table table;
    struct line_rows rows;
    make(&image, 5, 4);
    assert_true(load(image.bytes, image.size, &table, &rows));
    size_t count = rows.count;
    line_rows_free(&rows);
    line_rows_read(&rows, &table, count + 2); /* some were dropped at an end */
    assert_int_equal(rows.count, count);
    line_rows_free(&rows);
    line_rows_read(&rows, &table, count);
    assert_int_equal(rows.count, 0);
    assert_null(line_rows_find(&rows, 0x1000));
    unload(&table, &rows);
}

static void entries_without_end(void **state)
{
    (void)state;
    struct image image;
    struct line_table table;
    struct line_rows rows;
    make(&image, 5, 4);
    image.size = 12; /* up to the machine */
    put_machine(&image, 5);
    PUT(&image, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f); /* directories of nothing */
    assert_false(load(image.bytes, image.size, &table, &rows));
}

/* --- damage: only that there is no crash ---------------------------------------------------------------- */

static void try(const uint8_t *bytes, size_t size)
{
    struct line_table table;
    struct line_rows rows;
    char path[64];
    uint8_t *copy = malloc(size ? size : 1); /* so that what lies beyond is nobody's */
    memcpy(copy, bytes, size);
    if (load(copy, size, &table, &rows)) {
        for (size_t i = 0; i < rows.count; i++)
            line_table_path(&table, rows.all[i].file, "/src", path, sizeof(path));
        unload(&table, &rows);
    }
    free(copy);
}

static void damaged_tables(void **state)
{
    (void)state;
    for (unsigned version = 2; version <= 5; version++) {
        struct image image;
        make(&image, version, 4);
        for (size_t cut = 0; cut < image.size; cut++)
            try(image.bytes, cut);
        for (size_t bit = 0; bit < 8 * image.size; bit++) {
            image.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            try(image.bytes, image.size);
            image.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version),
        cmocka_unit_test(files_that_are_not_there),
        cmocka_unit_test(a_program_adds_a_file),
        cmocka_unit_test(too_many_rows),
        cmocka_unit_test(entries_without_end),
        cmocka_unit_test(damaged_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
