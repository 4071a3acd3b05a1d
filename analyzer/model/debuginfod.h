// SPDX-License-Identifier: MIT
/*
 * Debug information from the servers that the user named in DEBUGINFOD_URLS, by libdebuginfod, which is loaded
 * when it is first needed and keeps what it got.  It is said when a server is asked, progress is told, and SIGINT
 * ends the asking, not the program.
 */
#ifndef MODEL_DEBUGINFOD_H
#define MODEL_DEBUGINFOD_H

#include <stddef.h>
#include <stdint.h>

/* Takes DEBUGINFOD_URLS out of the environment, so that no library asks behind our back. */
void debuginfod_take_over(void);

/* From now on no server is asked. */
void debuginfod_disable(void);

/* The debug file for a build-id: a descriptor to read from, and *path, to be freed; -1 if it is not to be had.
   `name` is the ELF file's, for messages. */
int debuginfod_fetch(const uint8_t *build_id, size_t size, const char *name, char **path);

#endif
