// SPDX-License-Identifier: MIT
/* Figures for a person. */
#ifndef OUTPUT_UNITS_H
#define OUTPUT_UNITS_H

#include <stdint.h>

#define UNITS_SIZE 32

/* "676 B", "4.0 KiB", "93.9 MiB"; each returns `text`. */
const char *units_bytes(uint64_t bytes, char text[UNITS_SIZE]);

/* "3,382,386" */
const char *units_count(uint64_t count, char text[UNITS_SIZE]);

/* "21.3 %" of a whole; "-" of nothing. */
const char *units_share(uint64_t part, uint64_t whole, char text[UNITS_SIZE]);

/* "15 ms", "1.25 s", "3 min 20 s", "5 h 12 min" */
const char *units_duration(uint64_t ns, char text[UNITS_SIZE]);

#endif
