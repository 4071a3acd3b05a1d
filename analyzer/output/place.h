// SPDX-License-Identifier: MIT
/* Where in the source something is, in the two parts a person reads: what, and where. */
#ifndef OUTPUT_PLACE_H
#define OUTPUT_PLACE_H

#include "model/symbols.h"
#include "output/text.h"

struct place_text {
    char *what;  /* function */
    char *where; /* file and line, or module; may be empty */
};

/* Of a frame of a stack, or of a group, where fields that its sites do not share are null.  Both parts
   are harmless, and together with two blanks fit into `columns` (0: no limit). */
struct place_text place_text(const struct text *text, const struct source_frame *frame, size_t columns);

void place_free(struct place_text *place);

#endif
