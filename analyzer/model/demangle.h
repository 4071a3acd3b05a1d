// SPDX-License-Identifier: MIT
/* Names of C++ and Rust functions as their authors wrote them. */
#ifndef MODEL_DEMANGLE_H
#define MODEL_DEMANGLE_H

/* The name behind a mangled one, to be freed; null when it is not mangled, not understood, or when
   either is too long for any person (a few characters can stand for gigabytes). */
char *demangle(const char *mangled);

#endif
