// SPDX-License-Identifier: MIT
#include "representation.h"
#include <string.h>

const struct representation *const representations[] = {
    &dict_representation,
    &list_representation,
    &tuple_representation,
    &instance_representation,
    &namedtuple_representation,
    &slots_representation,
    &float_representation,
    &cached_representation,
    &columns_representation,
    &stream_representation,
    NULL,
};

const struct representation *representation_find(const char *name)
{
    for (const struct representation *const *as = representations; *as; as++)
        if (strcmp((*as)->name, name) == 0)
            return *as;
    return NULL;
}

bool representation_load(const struct representation *as, void *table, struct source *source)
{
    struct row row;
    while (as->add && source_next(source, &row))
        if (!as->add(table, &row))
            source_fail(source, "out of memory");
    return !source->failed;
}
