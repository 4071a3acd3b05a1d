// SPDX-License-Identifier: MIT
#include "output/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *units_bytes(uint64_t bytes, char text[UNITS_SIZE])
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    if (bytes < 1024) {
        snprintf(text, UNITS_SIZE, "%" PRIu64 " B", bytes);
        return text;
    }
    /* What would be rounded to 1024.0 of one unit is 1.0 of the next. */
    do {
        value /= 1024;
        unit++;
    } while (value >= 1023.95 && unit + 1 < sizeof(names) / sizeof(names[0]));
    snprintf(text, UNITS_SIZE, "%.1f %s", value, names[unit]);
    return text;
}

const char *units_count(uint64_t count, char text[UNITS_SIZE])
{
    char digits[UNITS_SIZE];
    int size = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    char *end = text;
    for (int i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0)
            *end++ = ',';
        *end++ = digits[i];
    }
    *end = 0;
    return text;
}

const char *units_share(uint64_t part, uint64_t whole, char text[UNITS_SIZE])
{
    if (!whole)
        return strcpy(text, "-");
    snprintf(text, UNITS_SIZE, "%.1f %%", 100.0 * (double)part / (double)whole);
    return text;
}

const char *units_duration(uint64_t ns, char text[UNITS_SIZE])
{
    uint64_t seconds = ns / 1000000000;
    double exact = (double)ns / 1e9;
    if (exact < 0.9995)
        snprintf(text, UNITS_SIZE, "%.0f ms", exact * 1e3);
    else if (seconds < 100)
        snprintf(text, UNITS_SIZE, "%.2f s", exact);
    else if (seconds < 3600)
        snprintf(text, UNITS_SIZE, "%" PRIu64 " min %" PRIu64 " s", seconds / 60, seconds % 60);
    else
        snprintf(text, UNITS_SIZE, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600, seconds / 60 % 60);
    return text;
}
