// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* memrchr */
#include "output/names.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model/failure.h"

#define READABLE 60 /* columns; shorter names are left alone */

static const char string_type[] =
    "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
static const char unnamed[] = "(anonymous namespace)";

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Behind the bracket that closes the one at *text. */
static const char *behind_bracket(const char *text)
{
    int depth = 0;
    for (; *text; text++) {
        if (strchr("<([{", *text))
            depth++;
        else if (text[0] == '-' && text[1] == '>')
            text++;
        else if (strchr(">)]}", *text) && --depth == 0)
            return text + 1;
    }
    return text;
}

/* How many characters at text are to be kept as they are though they may be brackets. */
static size_t literal(const char *text, const char *start)
{
    if (starts(text, unnamed))
        return strlen(unnamed);
    bool word = text == start || strchr(": ", text[-1]);
    if (!word || !starts(text, "operator"))
        return 0;
    size_t size = strlen("operator");
    if (starts(text + size, "()"))
        return size + 2;
    return size + strspn(text + size, "<>=-*[]!&|^+/%~,");
}

/* The return type is what stands before the last blank that is in no other part of the name. */
static void drop_return_type(char *name)
{
    const char *stops[] = {strstr(name, "operator"), strstr(name, unnamed)};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
        if (stops[i] && (size_t)(stops[i] - name) < size)
            size = (size_t)(stops[i] - name);
    char *blank = memrchr(name, ' ', size);
    if (blank)
        memmove(name, blank + 1, strlen(blank));
}

static void shorten(char *to, const char *name, const char *dots)
{
    const char *start = name;
    while (*name) {
        size_t kept = literal(name, start);
        if (kept) {
            to = mempcpy(to, name, kept);
            name += kept;
        } else if (starts(name, string_type)) {
            to = stpcpy(to, "std::string");
            name += strlen(string_type);
        } else if (*name == '<') {
            to = stpcpy(to, dots);
            name = behind_bracket(name);
        } else if (*name == '(') {
            name = behind_bracket(name);
            if (starts(name, " const"))
                name += strlen(" const");
        } else {
            *to++ = *name++;
        }
    }
    *to = 0;
}

char *names_function(const char *name, bool wide)
{
    char *copy = memory_get(2 * strlen(name) + 8, 1); /* <…> is longer than <T> */
    strcpy(copy, name);
    if (strlen(name) > READABLE && strstr(name, "::") && name[0] != '<') {
        shorten(copy, name, wide ? "<\u2026>" : "<...>");
        drop_return_type(copy);
    }
    return copy;
}

/* Drops a last component of path[0..size) for "..", if there is one that is not ".." itself. */
static bool drop_component(const char *path, size_t *size)
{
    const char *slash = *size ? memrchr(path, '/', *size) : NULL;
    const char *last = slash ? slash + 1 : path;
    size_t length = *size - (size_t)(last - path);
    if (length == 0 || (length == 2 && starts(last, "..")))
        return false;
    *size = slash ? (size_t)(slash - path) : 0;
    return true;
}

static void normalise(char *to, const char *path)
{
    bool absolute = path[0] == '/';
    size_t size = 0;
    while (*path) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        bool here = length == 0 || (length == 1 && path[0] == '.');
        bool up = length == 2 && starts(path, "..");
        if (!here && !(up && drop_component(to, &size))) {
            if (size || absolute)
                to[size++] = '/';
            memcpy(to + size, path, length);
            size += length;
        }
        path += length;
    }
    to[size] = 0;
}

char *names_path(const char *path, const char *cwd)
{
    char *plain = memory_get(strlen(path) + 2, 1);
    size_t size = cwd ? strlen(cwd) : 0;
    normalise(plain, path);
    if (size > 1 && strncmp(plain, cwd, size) == 0 && plain[size] == '/')
        memmove(plain, plain + size + 1, strlen(plain + size));
    return plain;
}
