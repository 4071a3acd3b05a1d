// SPDX-License-Identifier: MIT
/* What the place where output goes can show. */
#ifndef OUTPUT_TERMINAL_H
#define OUTPUT_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

struct terminal {
    bool wide;   /* the locale is UTF-8 */
    bool colour; /* a terminal, and nobody minds */
    int columns; /* 0: no terminal, lines may be as long as they like */
};

struct terminal terminal_of(FILE *file);

/* Whether the locale is UTF-8. */
bool terminal_is_wide(void);

#endif
