// SPDX-License-Identifier: MIT
/* The report as one JSON object; later versions may add members, never change these. */
#ifndef OUTPUT_JSON_H
#define OUTPUT_JSON_H

#include <stdio.h>

#include "output/report.h"

void json_report(FILE *out, const struct report *report);

/* Its parts, for other objects that begin alike.  The first is the brace and all that is said of the program,
   each member with its comma; the second the members of figures; the third an object. */
void json_head(FILE *out, const struct report *report);
void json_figures(FILE *out, const struct figures *figures);
void json_frame(FILE *out, const struct source_frame *frame);

/* One of two traces: an object of the head and its "file", and a comma. */
void json_side(FILE *out, const struct report *report);

/* The members "truncated" and "frames" of a site, behind others of its object: a comma comes first.  What is
   started must be ended. */
struct json_stacks *json_stacks_start(const struct report *report);
void json_stacks_put(FILE *out, struct json_stacks *stacks, uint32_t site);
void json_stacks_end(struct json_stacks *stacks);

/* The member of the report's rows, and the closing brace. */
void json_sites(FILE *out, const struct report *report);

/* A string in quotes, or null: always valid UTF-8, without control characters. */
void json_string(FILE *out, const char *string);

#endif
