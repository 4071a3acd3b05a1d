// SPDX-License-Identifier: MIT
/* Any bytes as an ELF file with debug information: what it says of some addresses. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdlib.h>

#include "fuzz.h"
#include "model/debuginfo.h"
#include "model/demangle.h"

/* Where the files of the corpus have their code. */
#define CODE      0x1000
#define ADDRESSES 64
#define STEP      4

static void try_address(struct debuginfo *info, uint64_t address)
{
    struct place places[DEBUGINFO_DEEPEST];
    size_t count = debuginfo_find(info, address, places);
    fuzz_check(count == 0 || count > DEBUGINFO_DEEPEST ? "module: an impossible number of places" : NULL);
    for (size_t i = 0; i < count; i++)
        if (places[i].function)
            free(demangle(places[i].function));
    const char *called = debuginfo_called(info, address);
    if (called)
        free(demangle(called));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    const uint8_t *id;
    struct debuginfo *info = debuginfo_open(open(path, O_RDONLY | O_CLOEXEC), path);
    if (!info)
        return 0;
    debuginfo_build_id(info, &id);
    for (uint64_t i = 0; i < ADDRESSES; i++)
        try_address(info, CODE + i * STEP);
    try_address(info, UINT64_MAX);
    debuginfo_close(info);
    return 0;
}
