// SPDX-License-Identifier: MIT
/*
 * replaces_trace TRACE HOW VICTIM: while it is recorded, puts something else in the place of its trace.
 *
 *   link      a symbolic link to VICTIM
 *   file      a hard link to VICTIM
 *   pipe, directory, nothing
 */
#include "told.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *volatile block;

NOT_INLINED static void afterwards(void)
{
    for (int i = 0; i < 1000; i++)
        block = malloc(10);
    NOT_A_TAIL_CALL;
}

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ], aside[4096];
    if (argc != 4)
        return 2;
    const char *trace = argv[1], *how = argv[2], *victim = argv[3];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    snprintf(aside, sizeof aside, "%s.aside", trace);
    rename(trace, aside);
    if (!strcmp(how, "link"))
        must(symlink(victim, trace) == 0);
    else if (!strcmp(how, "file"))
        must(link(victim, trace) == 0);
    else if (!strcmp(how, "pipe"))
        must(mkfifo(trace, 0600) == 0);
    else if (!strcmp(how, "directory"))
        must(mkdir(trace, 0700) == 0);
    afterwards();
    tell("afterwards", "allocations", 1000);
    return 0;
}
