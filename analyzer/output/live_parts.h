// SPDX-License-Identifier: MIT
/* The parts of the live view's picture, and what they have in common. */
#ifndef OUTPUT_LIVE_PARTS_H
#define OUTPUT_LIVE_PARTS_H

#include "output/live.h"
#include "output/text.h"

#define MARGIN       1
#define LABEL        10 /* columns of a total's name */
#define GUTTER       11 /* columns of the picture's scale */
#define PICTURE_ROWS 5

/* Text that ends before the column `end`; the columns it took. */
int live_put_right(int row, int end, int style, const char *text);

/* "current     340.7 MiB" */
void live_put_total(int row, const char *label, const char *value, int style);

/* How names are written on a screen. */
struct text live_text(const struct report *report);

/* What a row is called; `callers` of a call site, or null. */
struct live_name {
    uint32_t number; /* of the row; 0: none */
    char *what, *where, *callers;
};

/* Until live_forget_names(), or many rows later. */
const struct live_name *live_name_row(struct live *live, const struct ranked *row);

/* What is added up in a frame; `what` and `where`, to be freed. */
void live_name_group(const struct live *live, const struct source_frame *frame, struct live_name *name);

/* Current and resident memory over time: PICTURE_ROWS, and an axis below. */
void live_put_picture(const struct live *live, int row, int column, int columns);

/* The figures of live->site, and its call stack, from `row` to before `end`. */
void live_put_stack(struct live *live, int row, int end);

#endif
