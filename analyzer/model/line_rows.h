// SPDX-License-Identifier: MIT
/* The rows that the program of a line table makes: which line each piece of code is from. */
#ifndef MODEL_LINE_ROWS_H
#define MODEL_LINE_ROWS_H

#include "model/line_table.h"

/* Code from `address` to the next row. */
struct line_row {
    uint64_t address;
    uint32_t file, line;
    uint32_t number; /* of the row */
    bool end;        /* of a piece of code: it is nobody's */
};

struct line_rows {
    struct line_row *all; /* by address */
    size_t count, capacity;
};

/* Runs the program, which may add files to the table; there are no rows if it makes `most` or more. */
void line_rows_read(struct line_rows *rows, struct line_table *table, size_t most);

void line_rows_free(struct line_rows *rows);

/* The row that an address belongs to, or null. */
const struct line_row *line_rows_find(const struct line_rows *rows, uint64_t address);

#endif
