// SPDX-License-Identifier: MIT
/*
 * The head of a unit's line table in .debug_line, DWARF 2 to 5: the names of its files, and how to run its
 * program.  An own reader: libdw's makes a hundred bytes of each byte of a program, and a whole path of each
 * file's name, which a hostile file could make use of.
 */
#ifndef MODEL_LINE_TABLE_H
#define MODEL_LINE_TABLE_H

#include "model/bytes.h"

/* What the table is read from; what is missing is BYTES_NONE. */
struct line_sections {
    struct bytes line;
    struct bytes strings, line_strings; /* .debug_str and .debug_line_str */
};

struct line_file {
    const char *name; /* null if unknown */
    uint64_t directory;
};

struct line_table {
    unsigned version;
    unsigned least_instruction, most_operations; /* what an address advances by */
    unsigned opcode_base, line_range;
    int line_base;
    const uint8_t *operands; /* of opcode 1, 2, ...: how many it has */
    const char **directories;
    size_t directory_count, directory_capacity;
    struct line_file *files;
    size_t file_count, file_capacity;
    struct bytes program;
};

/* The table at an offset of .debug_line; false if it cannot be read.  Its strings are the sections'. */
bool line_table_read(struct line_table *table, const struct line_sections *sections, uint64_t offset);

void line_table_free(struct line_table *table);

/* Adds a file, as a program may do. */
void line_table_add_file(struct line_table *table, struct bytes *bytes, const char *name);

/* Writes the path of a file by its number; `directory` is the unit's, or null.  False if it is not known, or
   longer than `size`. */
bool line_table_path(const struct line_table *table, uint64_t number, const char *directory, char *path,
                     size_t size);

#endif
