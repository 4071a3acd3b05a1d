// SPDX-License-Identifier: MIT
/* What was never freed, for a person and for scripts. */
#ifndef OUTPUT_LEAKS_H
#define OUTPUT_LEAKS_H

#include <stdio.h>

#include "model/leaks.h"
#include "output/text.h"

struct leaks_report {
    struct report report; /* its rows are those of the leaks */
    const struct leaks *leaks;
    const struct suppressions *suppressions;
};

void leaks_text(FILE *out, const struct leaks_report *report);

/* That the functions of a library have no names, so that more may be counted than leaked. */
void leaks_nameless(const struct text *text, const char *module);

void leaks_json(FILE *out, const struct leaks_report *report);

#endif
