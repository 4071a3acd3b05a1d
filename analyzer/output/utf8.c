// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* wcwidth */
#include "output/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "model/failure.h"

/* The well-formed sequences: first byte from ... to, the bounds of the second, length. */
static const struct {
    unsigned char from, to, second_from, second_to, size;
} forms[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

uint32_t utf8_decode(const char *text, size_t *size)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t form = 0;
    while (form < sizeof(forms) / sizeof(forms[0]) && (at[0] < forms[form].from || at[0] > forms[form].to))
        form++;
    *size = 1;
    if (form == sizeof(forms) / sizeof(forms[0]))
        return UTF8_REPLACEMENT;
    if (forms[form].size == 1)
        return at[0];
    uint32_t character = at[0] & (0x7fu >> forms[form].size);
    unsigned char from = forms[form].second_from, to = forms[form].second_to;
    for (; *size < forms[form].size; ++*size, from = 0x80, to = 0xbf) {
        if (at[*size] < from || at[*size] > to)
            return UTF8_REPLACEMENT;
        character = character << 6 | (at[*size] & 0x3f);
    }
    return character;
}

size_t utf8_encode(uint32_t character, char to[5])
{
    size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--, character >>= 6)
        to[i] = (char)(0x80 | (character & 0x3f));
    to[0] = (char)(first[size] | character);
    to[size] = 0;
    return size;
}

/* Beside the control characters: marks, embeddings and isolates of direction, what has no width, line
   and paragraph separators, tags, surrogates and private use. */
static const struct {
    uint32_t from, to;
} hidden[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x061c, 0x061c}, {0x115f, 0x1160},
    {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
    {0xd800, 0xf8ff}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0x10ffff},
};

bool utf8_is_printable(uint32_t character)
{
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (character >= hidden[i].from && character <= hidden[i].to)
            return false;
    return true;
}

static const char *escape_of(uint32_t character, char escape[16])
{
    static const char letters[][2] = {{'\a', 'a'}, {'\b', 'b'}, {'\t', 't'}, {'\n', 'n'}, {'\r', 'r'}};
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (character == (uint32_t)letters[i][0]) {
            snprintf(escape, 16, "\\%c", letters[i][1]);
            return escape;
        }
    const char *format = character < 0x80 ? "\\x%02x" : character < 0x10000 ? "\\u%04x" : "\\U%08x";
    snprintf(escape, 16, format, character);
    return escape;
}

char *utf8_escape(const char *text, bool wide)
{
    char *escaped = memory_get(strlen(text) + 1, 10), *end = escaped; /* the longest is \U and 8 digits */
    for (size_t size; *text; text += size) {
        char piece[16];
        uint32_t character = utf8_decode(text, &size);
        if (!utf8_is_printable(character) || (!wide && character > 0x7e))
            end = stpcpy(end, escape_of(character, piece));
        else
            end += utf8_encode(character, end);
    }
    return escaped;
}

static size_t columns_of(uint32_t character)
{
    int columns = wcwidth((wchar_t)character);
    return columns < 0 ? 1 : (size_t)columns;
}

size_t utf8_columns(const char *text)
{
    size_t columns = 0;
    for (size_t size; *text; text += size)
        columns += columns_of(utf8_decode(text, &size));
    return columns;
}

/* How many bytes at the start of text fit into the columns. */
static size_t fitting(const char *text, size_t columns)
{
    const char *at = text;
    for (size_t size; *at; at += size) {
        size_t wanted = columns_of(utf8_decode(at, &size));
        if (wanted > columns)
            break;
        columns -= wanted;
    }
    return (size_t)(at - text);
}

/* Where what fits into the columns at the end of text begins. */
static const char *fitting_tail(const char *text, size_t columns)
{
    size_t all = utf8_columns(text);
    for (size_t size; *text && all > columns; text += size)
        all -= columns_of(utf8_decode(text, &size));
    return text;
}

char *utf8_clip(const char *text, size_t columns, bool wide, bool tail)
{
    const char *ellipsis = wide ? "\u2026" : "...";
    size_t mark = wide ? 1 : 3, room = columns > mark ? columns - mark : 0;
    char *clipped = NULL;
    int done = 0;
    if (utf8_columns(text) <= columns)
        clipped = strdup(text);
    else if (tail)
        done = asprintf(&clipped, "%s%s", ellipsis, fitting_tail(text, room));
    else
        done = asprintf(&clipped, "%.*s%s", (int)fitting(text, room), text, ellipsis);
    return done < 0 || !clipped ? memory_get(1, 1) : clipped;
}
