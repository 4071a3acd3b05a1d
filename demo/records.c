// SPDX-License-Identifier: MIT
#include "records.h"
#include <stdlib.h>
#include <string.h>

void *records_create(struct source *source)
{
    (void)source;
    return calloc(1, sizeof(struct records));
}

static bool make_room(struct records *records)
{
    size_t capacity = records->capacity + records->capacity / 8 + 8;
    void **grown = reallocarray(records->record, capacity, sizeof *grown);
    if (!grown)
        return false;
    records->record = grown;
    records->capacity = capacity;
    return true;
}

void *records_add(struct records *records, void *record)
{
    if (!record)
        return NULL;
    if (records->count == records->capacity && !make_room(records)) {
        free(record);
        return NULL;
    }
    records->record[records->count++] = record;
    return record;
}

void *records_next(struct records *records)
{
    return records->next < records->count ? records->record[records->next++] : NULL;
}

void *records_first(const struct records *records)
{
    return records->count ? records->record[0] : NULL;
}

void records_destroy(struct records *records, void (*drop)(void *record))
{
    for (size_t i = 0; i < records->count; i++)
        drop(records->record[i]);
    free(records->record);
    free(records);
}

bool texts_copy(char *copy[FIELDS], const char *const text[FIELDS])
{
    bool complete = true;
    for (size_t i = 0; i < FIELDS; i++) {
        copy[i] = strdup(text[i]);
        complete = complete && copy[i];
    }
    return complete;
}

void texts_free(char *const copy[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++)
        free(copy[i]);
}

size_t texts_blocks(const void *block[], const void *record, char *const copy[], size_t count)
{
    size_t blocks = 0;
    block[blocks++] = record;
    for (size_t i = 0; i < count; i++)
        block[blocks++] = copy[i];
    return blocks;
}

struct ride ride_of(const char *route, const char *rides)
{
    struct ride ride = {.route = route};
    rides_parse(rides, &ride.rides);
    return ride;
}
