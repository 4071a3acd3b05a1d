// SPDX-License-Identifier: MIT
/*
 * LIBTRACE_OPTIONS=key=value,key=value
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { DEPTH_MAX = 1 << 16 };

enum children { CHILDREN_AUTO, CHILDREN_ALL, CHILDREN_NONE };

struct options {
    char out[4096];             /* pattern of the file's name: %e exe, %p pid, %t time */
    uint32_t depth;             /* about so many frames of a stack are kept */
    enum children children;     /* which descendants leave a file */
    int root;                   /* the pid that `tracemalloc run` started, 0 = not started by it */
    bool quiet;                 /* not even the one line */
    uint32_t snapshot_ms;       /* take snapshots so far apart; 0: none */
    uint32_t snapshot_growth;   /* each time current has grown by so many thousandths of itself; 0: none */
    uint64_t snapshot_size;     /* each time current passes so many bytes; 0: none */
    uint32_t keep;              /* so many snapshots are kept */
    bool mappings;              /* what the program maps is recorded, too */
    bool off;                   /* nothing is recorded until it is asked for */
};

extern struct options options;

/* Reads the variable out of an environment.  Calls complain(what) for each part that it does not
   understand and ignores; complain may be null. */
void options_read(char *const *environment, void (*complain)(const char *what));

/* Expands the pattern into name (size bytes).  False when it does not fit. */
bool options_file_name(char *name, unsigned long size, const char *exe, int pid, uint64_t time);

#endif
