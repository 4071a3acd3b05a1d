// SPDX-License-Identifier: MIT
/*
 * What an ELF file and its debug information say about addresses in it.  The file may be hostile: the
 * walk through its DWARF only goes forward, and depths and counts are bounded.  Nothing is fetched
 * from a network.
 */
#ifndef MODEL_DEBUGINFO_H
#define MODEL_DEBUGINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place in the source; null and 0 where unknown. */
struct place {
    const char *function; /* as in the file: maybe mangled */
    const char *file;
    int line;
};

#define DEBUGINFO_DEEPEST 256 /* of functions inlined into one another */

struct debuginfo;

/* Opens an ELF file of this machine by descriptor, which it then owns; path is where it lies, to find
   a separate debug file.  Null if it is none. */
struct debuginfo *debuginfo_open(int fd, const char *path);

void debuginfo_close(struct debuginfo *info);

/* Its build-id: bytes in *id (its own memory), and how many; 0 if it has none. */
size_t debuginfo_build_id(struct debuginfo *info, const uint8_t **id);

/* Whether there is DWARF for it. */
bool debuginfo_has_dwarf(struct debuginfo *info);

/* A number for the unit of the debug information that an address is in; for all that are in none the same. */
size_t debuginfo_unit(struct debuginfo *info, uint64_t address);

/*
 * What is at an address (as in the ELF file): innermost first, each inlined into the next, and last the
 * function that is really there.  At least one place, at most DEBUGINFO_DEEPEST.  Their strings
 * live as long as info.  What is known of a unit is read when it is asked for after another: questions
 * about one unit are to follow each other, best by address.
 */
size_t debuginfo_find(struct debuginfo *info, uint64_t address, struct place places[DEBUGINFO_DEEPEST]);

/* Where the unit was compiled that an address is in: files whose names are relative are relative to it.  Null if
   that is not known; it lives as long as info. */
const char *debuginfo_directory(struct debuginfo *info, uint64_t address);

/* Whether all that was asked for so far was answered from what should be there: otherwise a file that holds a part
   of the debug information (-gsplit-dwarf) is missing. */
bool debuginfo_was_whole(const struct debuginfo *info);

/* The function of another file that is called by the instruction that ends behind an address; null if it is no such
   call.  As in the file: maybe mangled; it lives as long as info. */
const char *debuginfo_called(struct debuginfo *info, uint64_t address);

/* No more will be asked about the unit of the last question: what was read of it can go. */
void debuginfo_rest(struct debuginfo *info);

#endif
