// SPDX-License-Identifier: MIT
#include "commands/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/find.h"
#include "output/message.h"

int options_choose(const struct argp_state *state, const char *option, const char *name,
                   const char *const *names, size_t count)
{
    char list[256] = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return (int)i;
        if (strlen(list) + strlen(names[i]) + 3 < sizeof(list))
            strcat(strcat(list, i ? ", " : ""), names[i]);
    }
    argp_error(state, "--%s=%s: it can be %s", option, name, list);
    return 0;
}

unsigned long options_number(const struct argp_state *state, const char *option, const char *text,
                             unsigned long least, unsigned long most)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number < least || number > most)
        argp_error(state, "--%s=%s: it can be a number from %lu to %lu", option, text, least, most);
    return number;
}

char *options_trace(const char *named)
{
    char *file = named ? strdup(named) : find_newest(".");
    if (!file)
        message("no trace in this directory: name one, or make one with `tracemalloc run PROGRAM`");
    return file;
}
