// SPDX-License-Identifier: MIT
/* Why something could not be done, as one sentence for a person; the model itself prints nothing. */
#ifndef MODEL_FAILURE_H
#define MODEL_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

struct failure {
    char text[512];
};

/* Notes why; returns false, so that a function can end with `return failure_set(...)`. */
bool failure_set(struct failure *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Memory for n zeroed things of `size` bytes, to be freed by free(); ends the program with a message
   when there is none. */
void *memory_get(size_t n, size_t size);

/* Makes room for one more at the end of a growing array: returns it, moved if need be. */
void *memory_grow(void *array, size_t count, size_t *capacity, size_t size);

/* Makes an array of `count` things one of `wanted`, moved if need be, in which those behind are zeroed. */
void *memory_widen(void *array, size_t count, size_t wanted, size_t size);

#endif
