// SPDX-License-Identifier: MIT
#include "model/bytes.h"

#include <string.h>

static uint8_t next(struct bytes *bytes)
{
    if (bytes->at < bytes->end)
        return *bytes->at++;
    bytes->bad = true;
    return 0;
}

uint64_t bytes_number(struct bytes *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number |= (uint64_t)next(bytes) << 8 * i;
    return number;
}

uint64_t bytes_unsigned(struct bytes *bytes)
{
    uint64_t number = 0, byte;
    unsigned shift = 0;
    do {
        byte = next(bytes);
        if (shift < 64)
            number |= (byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return number;
}

int64_t bytes_signed(struct bytes *bytes)
{
    const uint8_t *start = bytes->at;
    uint64_t number = bytes_unsigned(bytes);
    size_t bits = 7 * (size_t)(bytes->at - start);
    bool negative = bytes->at > start && bytes->at[-1] & 0x40;
    return (int64_t)(negative && bits < 64 ? number | -(UINT64_C(1) << bits) : number);
}

const char *bytes_string(struct bytes *bytes)
{
    const char *string = (const char *)bytes->at;
    const uint8_t *zero = memchr(string, 0, bytes_left(bytes));
    bytes->bad |= !zero;
    bytes->at = zero ? zero + 1 : bytes->end;
    return zero ? string : NULL;
}

struct bytes bytes_part(struct bytes *bytes, uint64_t size)
{
    bytes->bad |= size > bytes_left(bytes);
    if (size > bytes_left(bytes))
        size = bytes_left(bytes);
    struct bytes part = {bytes->at, bytes->at + size, false};
    bytes->at += size;
    return part;
}
