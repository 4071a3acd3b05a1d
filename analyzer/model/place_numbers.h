// SPDX-License-Identifier: MIT
/* Places in the source, numbered: those have the same number that a person would take for the same. */
#ifndef MODEL_PLACE_NUMBERS_H
#define MODEL_PLACE_NUMBERS_H

#include "model/symbols.h"

struct numbered_place;

struct place_numbers {
    struct numbered_place *all;
    uint32_t next; /* number of the next one that was not met before */
};

void place_numbers_free(struct place_numbers *numbers);

/* The number of a place: of its function, file and line; where the file is not known, of function and module;
   where nothing is, of module and address.  Its strings must live as long as the numbers. */
uint32_t place_number(struct place_numbers *numbers, const struct source_frame *place);

#endif
