// SPDX-License-Identifier: MIT
/* The chain of sections of a trace file: walked once, checked, then asked for records by number. */
#ifndef MODEL_SECTIONS_H
#define MODEL_SECTIONS_H

#include "format.h"
#include "model/file.h"

struct section {
    uint32_t type, record_size, capacity, shard;
    uint64_t first;        /* number of its first record */
    uint64_t data, length; /* of its records: offset in the file, bytes */
};

struct sections {
    struct section *all; /* in the file's order */
    size_t count, capacity;
};

bool section_is_known(uint32_t type);

/* The section at `offset` of a chain that ends at `used`.  False: there is none. */
bool section_read(struct section *section, const struct file *file, uint64_t offset, uint64_t used,
                  struct failure *why);

/* Whether its records can be what its type says; types that are not known can. */
bool section_check(const struct section *section, struct failure *why);

/* Where the next section begins. */
uint64_t section_end(const struct section *section);

/* Walks the chain from the header's end to `used`.  Sections of one table (and shard) do not overlap. */
bool sections_read(struct sections *sections, const struct file *file, const struct trace_header *header,
                   struct failure *why);

/* Adds those of a file that grew: between `from`, where its chain ended, and header->used. */
bool sections_extend(struct sections *sections, const struct file *file, const struct trace_header *header,
                     uint64_t from, struct failure *why);

void sections_free(struct sections *sections);

/* Calls `visit` for the records of one section with numbers below count, in order; records that lie in
   a hole of the file, and so are all zero, may be left out. */
typedef void record_visitor(uint64_t number, const void *record, void *context);
bool section_visit(const struct section *section, const struct file *file, uint64_t count,
                   record_visitor *visit, void *context, struct failure *why);

/* How many of the records 0 to count - 1 the sections of a type have room for. */
uint64_t sections_capacity(const struct sections *sections, enum trace_section_type type, uint64_t count);

/* Records 0 to count - 1 of a table into new memory.  Fewer records present is damage. */
void *sections_table(const struct sections *sections, struct file *file, enum trace_section_type type,
                     uint32_t count, size_t record_size, struct failure *why);

#endif
