// SPDX-License-Identifier: MIT
/*
 * The mapped file: the recorder's tables, where the analyzer finds them.
 *
 * One range of addresses holds the file's image from start to end of the process.  At first it is
 * private memory; file_attach puts a file under it, file_detach (in a fork's child) private memory
 * again; pointers into it stay true throughout.  The file is one large hole that is filled from the
 * front, and its descriptor is closed at once: what grows later needs no descriptor, only madvise.
 *
 * Not thread-safe by itself: callers hold world.tables, or are alone.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "format.h"
#include "sys.h"
#include <stdbool.h>
#include <stddef.h>

/* The image's start; null before file_start. */
extern struct trace_header *file_header hidden;

/* Reserves the image, in private memory.  False: no address space. */
bool file_start(void);

/*
 * A new section with room for `capacity` records, zeroed; null when the image or the disk is full.  Of the disk
 * the header says so.
 */
struct trace_section *file_section(enum trace_section_type type, uint32_t record_size, uint32_t capacity,
                                   uint64_t first, uint32_t shard);

/* Fills the records of all sections of a type with zeros. */
void file_empty(enum trace_section_type type);

/* Bytes of the image that are in use. */
uint64_t file_used(void);

/* Whether so many bytes more would leave half of the image to others. */
bool file_has_plenty(uint64_t size);

/* Offset of a string in the file, copied there with its zero (size counts it); 0 when there is no room. */
uint64_t file_string(const char *text, size_t size);

/* A copy of a label in so many bytes: cut, but not in the middle of a character of UTF-8; of null, an empty one. */
void file_label(char *to, size_t size, const char *label);

/* The address of something at an offset of the file. */
static inline void *file_at(uint64_t offset)
{
    return (char *)file_header + offset;
}

/*
 * Creates the file and puts it under the image.  A name that exists gets a suffix (.2, .3, ...); the
 * name is written back (size bytes).  Returns 0 or -errno; on failure nothing has changed.
 */
int file_attach(char *name, size_t size);

bool file_is_attached(void);

/* The process ends: gives the file the size of what is in it, if it is still found by its name.  What does
   not fit into it afterwards finds no room. */
void file_close(void);

/* Memory is limited now: gives back what is not in use, and not likely to be. */
void file_fit(void);

/* In a fork's child: goes on in a private copy.  Counters are zeroed in it.  False: no memory; the
   image is then still the parent's and must not be written. */
bool file_detach(void);

#endif
