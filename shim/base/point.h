// SPDX-License-Identifier: MIT
/*
 * Points at which a test holds the recorder up, or makes one of its system calls fail: so that races and full
 * disks repeat.
 *
 * Only the library that is built for tests (TEST_POINTS) has them; of all others they are no part.  What
 * happens there is for two functions to say that the traced program defines, or a library beside it.
 */
#ifndef BASE_POINT_H
#define BASE_POINT_H

#ifdef TEST_POINTS

#define POINT_FUNCTION __attribute__((weak, visibility("default")))

/* The recorder has come to the point of that name; it goes on when this returns. */
POINT_FUNCTION void libtrace_point(const char *name);

/* What a system call fails with, which then is not made: -errno; 0: it is made. */
POINT_FUNCTION long libtrace_call(long number, long a, long b, long c);

#define POINT(name)                (libtrace_point ? libtrace_point(name) : (void)0)
#define POINT_CALL(number, a, b, c) (libtrace_call ? libtrace_call(number, a, b, c) : 0)

#else

#define POINT(name)                ((void)0)
#define POINT_CALL(number, a, b, c) 0

#endif
#endif
