// SPDX-License-Identifier: MIT
/* Whether a program can be traced by a preloaded library, found out before it is run. */
#ifndef MODEL_PROGRAM_H
#define MODEL_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

struct program {
    char path[PATH_MAX];  /* the file that execvp would run */
    char image[PATH_MAX]; /* the ELF file: the same, or the interpreter of a script */
    const char *obstacle; /* why it cannot be traced ("is statically linked"), or null */
};

/* Looks for a program as execvp does.  False: there is none; running it will say why. */
bool program_find(struct program *program, const char *name);

#endif
