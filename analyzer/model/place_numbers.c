// SPDX-License-Identifier: MIT
#include "model/place_numbers.h"

#include <stdlib.h>
#include <string.h>

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_place(const struct source_frame *a, const struct source_frame *b)
{
    return a->line == b->line && a->address == b->address && same(a->function, b->function) &&
           same(a->file, b->file) && same(a->module, b->module);
}

#define HASH_KEYCMP(a, b, size) (!same_place(a, b))
#include <uthash.h>

struct numbered_place {
    UT_hash_handle hh;
    struct source_frame place;
    uint32_t number;
};

void place_numbers_free(struct place_numbers *numbers)
{
    struct numbered_place *numbered, *next;
    HASH_ITER(hh, numbers->all, numbered, next)
    {
        HASH_DEL(numbers->all, numbered);
        free(numbered);
    }
}

/* What of it is to be compared. */
static struct source_frame essence_of(const struct source_frame *place)
{
    if (!place->function)
        return (struct source_frame){.module = place->module, .address = place->address};
    if (!place->file)
        return (struct source_frame){.function = place->function, .module = place->module};
    return (struct source_frame){.function = place->function, .file = place->file, .line = place->line};
}

static unsigned hash_of(const struct source_frame *place)
{
    const char *const strings[] = {place->function, place->file, place->module};
    unsigned sum = (unsigned)place->line + (unsigned)place->address, hash;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        const char *string = strings[i] ? strings[i] : "";
        HASH_VALUE(string, strlen(string), hash);
        sum = sum * 31 + hash;
    }
    return sum;
}

uint32_t place_number(struct place_numbers *numbers, const struct source_frame *place)
{
    struct source_frame essence = essence_of(place);
    struct numbered_place *numbered;
    unsigned hash = hash_of(&essence);
    HASH_FIND_BYHASHVALUE(hh, numbers->all, &essence, sizeof(essence), hash, numbered);
    if (numbered)
        return numbered->number;
    numbered = memory_get(1, sizeof(*numbered));
    *numbered = (struct numbered_place){.place = essence, .number = numbers->next++};
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, numbers->all, &numbered->place, sizeof(essence), hash, numbered);
    return numbered->number;
}
