// SPDX-License-Identifier: MIT
/*
 * A generator: each row is read when the aggregation asks for it, and nothing is kept.
 */
#include "representation.h"

static void *stream_create(struct source *source)
{
    return source;
}

static bool stream_next(void *source, struct ride *ride)
{
    struct row row;
    if (!source_next(source, &row))
        return false;
    *ride = (struct ride){.route = row.text[ROUTE], .rides = row.rides};
    return true;
}

/* The source belongs to whoever opened it. */
static void stream_destroy(void *source)
{
    (void)source;
}

const struct representation stream_representation = {
    .name = "stream",
    .summary = "one row at a time, nothing kept",
    .create = stream_create,
    .next = stream_next,
    .destroy = stream_destroy,
};
