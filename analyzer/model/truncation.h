// SPDX-License-Identifier: MIT
/*
 * libelf maps the files that names are read from.  One that is cut short meanwhile, by a linker or a hostile
 * hand, would end this program with SIGBUS: what the file has lost reads as zeroes instead.
 */
#ifndef MODEL_TRUNCATION_H
#define MODEL_TRUNCATION_H

#include <stdbool.h>

/* From now on a truncation is survived. */
void truncation_survive(void);

/* Whether there was one. */
bool truncation_happened(void);

#endif
