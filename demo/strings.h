// SPDX-License-Identifier: MIT
/*
 * Interned strings: equal text is kept once, in one block with its place in the hash.
 */
#ifndef DEMO_STRINGS_H
#define DEMO_STRINGS_H

struct interned;

struct strings {
    struct interned *by_text;
};

/* The one copy of this text, valid until strings_free; null: out of memory. */
const char *strings_intern(struct strings *strings, const char *text);

void strings_free(struct strings *strings);

#endif
