// SPDX-License-Identifier: MIT
/*
 * A loaded object's unwind tables, as they lie in memory.
 *
 * The loader's word for what can be read is not enough: there may be holes between segments, a file cut short,
 * a table that leads anywhere.  So nothing is read but pages that the kernel said can be.  That is remembered
 * (a probe costs as much as a rule) until image_forget, when an object went.
 *
 * All calls under world.learning.
 */
#ifndef UNWIND_IMAGE_H
#define UNWIND_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An object mapped as its program headers say, whether the loader knows it or not. */
struct image {
    uintptr_t start, end;
    uintptr_t eh_frame_hdr;     /* 0: it has none */
};

struct dl_find_object;

/* The loader's facts of the object that an address lies in, of the whole of it: where a program's segments leave
   pages between them, the loader tells the one segment.  False: none. */
bool image_object(uintptr_t address, struct dl_find_object *found);

/* The loaded object that an address lies in.  False: none. */
bool image_find(uintptr_t address, struct image *image);

/* Whether these bytes lie in the object and can be read. */
bool image_readable(const struct image *image, uintptr_t address, size_t size);

/* A word of it.  The address is a multiple of 8; the word may reach over the object's edge, not over the page's. */
bool image_word(const struct image *image, uintptr_t address, uint64_t *value);

/* Where the sorted table of .eh_frame_hdr has the one entry that can cover the address: two 32-bit numbers, the
   code's start and its FDE, relative to the header.  0: there is none. */
uintptr_t image_entry(const struct image *image, uintptr_t address);

/* Of what was said to be readable, nothing is any longer known. */
void image_forget(void);

#endif
