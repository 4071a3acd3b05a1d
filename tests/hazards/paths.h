// SPDX-License-Identifier: MIT
/*
 * Call paths as many as one wants: each number is one.
 */
#ifndef HAZARDS_PATHS_H
#define HAZARDS_PATHS_H

#include "told.h"

NOT_INLINED static void on_left(unsigned path, void (*end)(size_t size), size_t size);

NOT_INLINED static void on_path(unsigned path, void (*end)(size_t size), size_t size)
{
    if (path == 1)
        end(size);
    else if (path & 1)
        on_path(path >> 1, end, size);
    else
        on_left(path >> 1, end, size);
    NOT_A_TAIL_CALL;
}

NOT_INLINED static void on_left(unsigned path, void (*end)(size_t size), size_t size)
{
    on_path(path, end, size);
    NOT_A_TAIL_CALL;
}

#endif
