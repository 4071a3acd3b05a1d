// SPDX-License-Identifier: MIT
/*
 * An instance of a class without __slots__: the object knows its class and has a key-sharing
 * dictionary.  The keys stand once, in the class; the values are the object's, in a block of their
 * own because the class could gain keys while the object stays where it is.
 */
#include "records.h"
#include <stdlib.h>
#include <string.h>

struct class
{
    size_t count;
    const char *const *keys;
};

struct values {
    size_t used;
    char *value[];
};

struct instance {
    const struct class *class;
    struct values *values;
};

static const struct class row_class = {.count = FIELDS, .keys = field_names};

static struct values *values_new(size_t count)
{
    return calloc(1, sizeof(struct values) + count * sizeof(char *));
}

/* What __init__ does: attributes set in the order of the class's keys. */
static bool initialise(struct instance *object, const char *const text[])
{
    struct values *values = object->values;
    for (; values->used < object->class->count; values->used++) {
        values->value[values->used] = strdup(text[values->used]);
        if (!values->value[values->used])
            return false;
    }
    return true;
}

static const char *attribute(const struct instance *object, const char *key)
{
    for (size_t i = 0; i < object->values->used; i++)
        if (strcmp(object->class->keys[i], key) == 0)
            return object->values->value[i];
    return NULL;
}

static bool instance_add(void *table, const struct row *row)
{
    struct instance *object = records_add(table, malloc(sizeof *object));
    if (!object)
        return false;
    object->class = &row_class;
    object->values = values_new(object->class->count);
    return object->values && initialise(object, row->text);
}

static bool instance_next(void *table, struct ride *ride)
{
    const struct instance *object = records_next(table);
    if (object)
        *ride = ride_of(attribute(object, "route"), attribute(object, "rides"));
    return object;
}

static size_t instance_blocks(void *table, const void *block[])
{
    const struct instance *object = records_first(table);
    if (!object)
        return 0;
    size_t count = texts_blocks(block, object, object->values->value, object->values->used);
    block[count++] = object->values;
    return count;
}

static void drop(void *record)
{
    struct instance *object = record;
    for (size_t i = 0; object->values && i < object->values->used; i++)
        free(object->values->value[i]);
    free(object->values);
    free(object);
}

static void instance_destroy(void *table)
{
    records_destroy(table, drop);
}

const struct representation instance_representation = {
    .name = "instance",
    .summary = "an object and its values, the keys shared by the class",
    .create = records_create,
    .add = instance_add,
    .next = instance_next,
    .blocks = instance_blocks,
    .destroy = instance_destroy,
};
