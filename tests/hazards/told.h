// SPDX-License-Identifier: MIT
/*
 * For programs that know the truth about themselves: what as_told (oracle.sh) compares the trace with.
 */
#ifndef HAZARDS_TOLD_H
#define HAZARDS_TOLD_H

#include <stdio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define NOT_INLINED __attribute__((noinline))

/* At a function's end: what it calls last returns to it. */
#define NOT_A_TAIL_CALL __asm__ volatile("")

static inline void tell(const char *function, const char *member, long number)
{
    printf("%s %s %ld\n", function, member, number);
}

/* The program goes on only if it is as it should be, with the recorder as without. */
#define must(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#endif
