// SPDX-License-Identifier: MIT
/* The report as one JSON object; later versions may add members, never change these. */
#ifndef OUTPUT_JSON_H
#define OUTPUT_JSON_H

#include <stdio.h>

#include "model/grouping.h"
#include "model/process.h"
#include "output/report.h"

void json_report(FILE *out, const struct report *report);

/* Its parts: the opening brace and the members that tell of the process; the rows and the closing brace. */
void json_head(FILE *out, const struct report *report);
void json_sites(FILE *out, const struct report *report);

/* A string in quotes, or null: always valid UTF-8, without control characters. */
void json_string(FILE *out, const char *string);

#endif
