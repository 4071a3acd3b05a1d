// SPDX-License-Identifier: MIT
#include "strings.h"
#include "hash.h"
#include <stdlib.h>
#include <string.h>

struct interned {
    UT_hash_handle hh;
    char text[];
};

static struct interned *add(struct strings *strings, const char *text, size_t length)
{
    struct interned *entry = malloc(sizeof *entry + length + 1);
    if (!entry)
        return NULL;
    memcpy(entry->text, text, length + 1);
    HASH_ADD_KEYPTR(hh, strings->by_text, entry->text, length, entry);
    if (hash_refused(entry)) {
        free(entry);
        return NULL;
    }
    return entry;
}

const char *strings_intern(struct strings *strings, const char *text)
{
    size_t length = strlen(text);
    struct interned *entry;
    HASH_FIND(hh, strings->by_text, text, length, entry);
    if (!entry)
        entry = add(strings, text, length);
    return entry ? entry->text : NULL;
}

void strings_free(struct strings *strings)
{
    struct interned *entry = strings->by_text;
    HASH_CLEAR(hh, strings->by_text);
    while (entry) {
        struct interned *following = entry->hh.next;
        free(entry);
        entry = following;
    }
}
