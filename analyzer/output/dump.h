// SPDX-License-Identifier: MIT
/* All that a trace file says, field by field. */
#ifndef OUTPUT_DUMP_H
#define OUTPUT_DUMP_H

#include "model/trace.h"
#include "output/fields.h"

/* The parts, each with a heading.  What is found wrong is noted in the layout. */
void dump_header(const struct dump *dump);
void dump_summary(const struct dump *dump);  /* the sections, summed by type */
void dump_sections(const struct dump *dump); /* one by one */
void dump_modules(const struct dump *dump);  /* for a person */

/* What was when, of a trace that can be read. */
void dump_timeline(const struct dump *dump, const struct trace *trace);
void dump_marks(const struct dump *dump, const struct trace *trace);
void dump_snapshots(const struct dump *dump, const struct trace *trace);

/* The records of a type, one a line; those that are all zero are left out. */
void dump_records(const struct dump *dump, enum trace_section_type type);

#endif
