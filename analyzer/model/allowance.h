// SPDX-License-Identifier: MIT
/*
 * libelf and libdwfl uncompress whatever a file has, to whatever size it says.  Under an allowance they find
 * no more memory than that, and give up.
 */
#ifndef MODEL_ALLOWANCE_H
#define MODEL_ALLOWANCE_H

#include <stdint.h>

/* From now on this program gets so many bytes at most besides what it has. */
void allowance_set(uint64_t bytes);

/* What it was before the first allowance_set. */
void allowance_lift(void);

#endif
