// SPDX-License-Identifier: MIT
#include "commands/suppression_options.h"

#include "model/progress.h"
#include "output/message.h"

enum { KEY_SUPPRESSIONS = 'S', KEY_STRICT = 'x' };

static const struct argp_option options_list[] = {
    {"suppressions", KEY_SUPPRESSIONS, "FILE", 0,
     "What FILE lists, in LeakSanitizer's format, does not count as leaked: a line leak:PATTERN each, looked "
     "for in the functions, source files and modules of the stack; can be given again for another",
     0},
    {"strict", KEY_STRICT, NULL, 0,
     "What the C library, the dynamic loader and libstdc++ hold by design counts as leaked, too", 0},
    {0}};

static void add_file(struct suppression_options *options, const char *file)
{
    options->files = memory_grow(options->files, options->count, &options->capacity, sizeof(file));
    options->files[options->count++] = file;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct suppression_options *options = state->input;
    switch (key) {
    case KEY_SUPPRESSIONS:
        add_file(options, argument);
        return 0;
    case KEY_STRICT:
        options->strict = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp suppression_argp = {options_list, parse, NULL, NULL, NULL, NULL, NULL};

bool suppression_options_read(const struct suppression_options *options, struct suppressions *suppressions)
{
    struct failure why;
    suppressions_start(suppressions, !options->strict);
    for (size_t i = 0; i < options->count; i++)
        if (!suppressions_read(suppressions, options->files[i], &why)) {
            message("%s", why.text);
            return false;
        }
    return true;
}
