// SPDX-License-Identifier: MIT
/*
 * Modules: the ELF files that code comes from, as records in the trace file.
 *
 * A module is found by the loader's own lock-free look-up (_dl_find_object) when a frame in it is first
 * seen.  That it has gone is learned from its link_map being freed, which the loader does through our
 * hooks, whether dlclose was called or libc unloaded a character set by itself.
 */
#ifndef UNWIND_MODULES_H
#define UNWIND_MODULES_H

#include <stdbool.h>
#include <stdint.h>

struct thread;

/* A place in the code as the file names it, see struct trace_frame. */
struct code_place {
    uint32_t module;
    uint64_t offset;
};

bool modules_start(void);

/* Does any loaded module contain this address?  Any thread, no lock. */
bool modules_cover(uintptr_t address);

/* The place of an address; registers its module the first time.  Under world.tables. */
struct code_place modules_place(uintptr_t address);

/* A module that is no file, by its name, made the first time; 0: no room.  Under world.tables. */
uint32_t modules_named(const char *name);

/* Registers all that are loaded, unless the loader is at work: without its lock, which a fork's child may find held
   by nobody.  Under world.tables. */
void modules_note_all(void);

/* The address of a place now, 0 when its module is not loaded.  Any thread. */
uintptr_t modules_address(struct code_place place);

/* A block of the loader was freed that may be a link_map.  If a module goes with it: its rules are
   dropped, and what threads remember becomes void. */
void modules_link_map_freed(struct thread *self, const void *block);

/* In a fork's child: what the parent added since the fork is not ours. */
void modules_child(void);

/* Is the loader done with whatever it did last?  (It may be asked for more then.) */
bool modules_loader_rests(void);

/* The loader's code. */
bool modules_is_loader(uintptr_t address);

#endif
