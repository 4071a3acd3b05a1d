// SPDX-License-Identifier: MIT
/* Bytes of a file that may be hostile, read from the front: beyond their end there is nothing but zeroes, and
   `bad` tells that it was tried. */
#ifndef MODEL_BYTES_H
#define MODEL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *at, *end;
    bool bad;
};

#define BYTES_NONE ((struct bytes){(const uint8_t *)"", (const uint8_t *)"", false})

static inline size_t bytes_left(const struct bytes *bytes)
{
    return (size_t)(bytes->end - bytes->at);
}

/* A little-endian number of 1 to 8 bytes. */
uint64_t bytes_number(struct bytes *bytes, size_t size);

/* LEB128: of 7 bits a byte; what does not fit into 64 bits is lost. */
uint64_t bytes_unsigned(struct bytes *bytes);
int64_t bytes_signed(struct bytes *bytes);

/* A string that is ended by a zero; null if it is not. */
const char *bytes_string(struct bytes *bytes);

/* The next `size` bytes, by themselves. */
struct bytes bytes_part(struct bytes *bytes, uint64_t size);

#endif
