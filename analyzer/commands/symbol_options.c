// SPDX-License-Identifier: MIT
#include "commands/symbol_options.h"

#include "model/symbol_cache.h"

enum { KEY_NO_CACHE = 0x200 };

static const struct argp_option options[] = {
    {"no-cache", KEY_NO_CACHE, NULL, 0, "Read symbols anew: neither use nor write the cache of them", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    (void)state;
    if (key != KEY_NO_CACHE)
        return ARGP_ERR_UNKNOWN;
    symbol_cache_disable();
    return 0;
}

const struct argp symbol_options = {options, parse, NULL, NULL, NULL, NULL, NULL};
