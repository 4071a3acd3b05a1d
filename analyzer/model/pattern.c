// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* memrchr */
#include "model/pattern.h"

#include <ctype.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const fields[] = {
    [PATTERN_FUNCTION] = "function", [PATTERN_FILE] = "file", [PATTERN_MODULE] = "module"};

/* --- reading ------------------------------------------------------------------------------------------- */

/* "WORD=": how long the word is, 0 if there is none.  "operator=" and "operator==" are names. */
static size_t word_before_equals(const char *text)
{
    size_t size = 0;
    while (isalpha((unsigned char)text[size]))
        size++;
    return text[size] == '=' && strncmp(text, "operator", size) != 0 ? size : 0;
}

static bool take_field(struct pattern *pattern, const char **text, struct failure *why)
{
    size_t size = word_before_equals(*text);
    if (!size)
        return true;
    for (enum pattern_field i = PATTERN_FUNCTION; i <= PATTERN_MODULE; i++) {
        if (strlen(fields[i]) != size || strncmp(*text, fields[i], size) != 0)
            continue;
        pattern->field = i;
        *text += size + 1;
        return true;
    }
    return failure_set(why, "it can be function=GLOB, file=GLOB, module=GLOB, or a GLOB");
}

/* As the report writes places: "demo/dict.c:29". */
static void take_line(struct pattern *pattern)
{
    const char *colon = strrchr(pattern->glob, ':');
    char *end;
    bool may = pattern->field == PATTERN_ANY || pattern->field == PATTERN_FILE;
    if (!may || !colon || colon == pattern->glob || !isdigit((unsigned char)colon[1]))
        return;
    unsigned long line = strtoul(colon + 1, &end, 10);
    if (*end || line == 0 || line > INT_MAX)
        return;
    pattern->line = (int)line;
    pattern->file = strndup(pattern->glob, (size_t)(colon - pattern->glob));
}

bool patterns_add(struct patterns *patterns, const char *text, enum pattern_field otherwise,
                  struct failure *why)
{
    struct pattern pattern = {.field = otherwise};
    if (!take_field(&pattern, &text, why))
        return false;
    if (!*text)
        return failure_set(why, "there is no pattern");
    pattern.glob = strdup(text);
    take_line(&pattern);
    patterns->all = memory_grow(patterns->all, patterns->count, &patterns->capacity, sizeof(pattern));
    patterns->all[patterns->count++] = pattern;
    return true;
}

void patterns_free(struct patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++) {
        free(patterns->all[i].glob);
        free(patterns->all[i].file);
    }
    free(patterns->all);
    *patterns = (struct patterns){0};
}

/* --- matching ------------------------------------------------------------------------------------------ */

static bool glob(const char *pattern, const char *text)
{
    return fnmatch(pattern, text, 0) == 0;
}

/* Where the parameters of "ns::put(int) const" begin; null if there are none. */
static const char *parameters(const char *function)
{
    const char *close = strrchr(function, ')');
    if (!close || (close[1] && strcmp(close + 1, " const") != 0))
        return NULL;
    int depth = 0;
    for (const char *at = close; at > function; at--) {
        if (*at == ')')
            depth++;
        else if (*at == '(' && --depth == 0)
            return at;
    }
    return NULL;
}

static bool matches_function(const char *pattern, const char *function)
{
    if (!function)
        return false;
    if (glob(pattern, function))
        return true;
    const char *end = parameters(function);
    if (!end)
        return false;
    char *name = strndup(function, (size_t)(end - function));
    bool fine = name && glob(pattern, name);
    free(name);
    return fine;
}

/* "/src/demo/dict.c" is what its compiler, in /src, called "demo/dict.c". */
static bool ends_with(const char *pattern, const char *path)
{
    size_t size = strlen(pattern), tail = strlen(path);
    return path[0] != '/' && tail && tail < size && pattern[size - tail - 1] == '/' &&
           strcmp(pattern + size - tail, path) == 0;
}

/* Names may be of any length: beyond that of a path only the last part is looked at. */
static bool matches_path(const char *pattern, const char *path)
{
    if (!path)
        return false;
    if (pattern[0] == '.' && pattern[1] == '/')
        pattern += 2;
    if (glob(pattern, path) || ends_with(pattern, path))
        return true;
    if (pattern[0] == '*' || pattern[0] == '/')
        return false;
    const char *last = strrchr(path, '/');
    const char *slash = strnlen(path, PATH_MAX) < PATH_MAX ? strchr(path, '/') : last;
    for (; slash; slash = strchr(slash + 1, '/'))
        if (glob(pattern, slash + 1))
            return true;
    return false;
}

static bool matches_file(const struct pattern *pattern, const struct source_frame *frame)
{
    return matches_path(pattern->glob, frame->file) ||
           (pattern->file && pattern->line == frame->line && matches_path(pattern->file, frame->file));
}

static bool matches(const struct pattern *pattern, const struct source_frame *frame)
{
    bool any = pattern->field == PATTERN_ANY;
    return ((any || pattern->field == PATTERN_FUNCTION) &&
            matches_function(pattern->glob, frame->function)) ||
           ((any || pattern->field == PATTERN_FILE) && matches_file(pattern, frame)) ||
           ((any || pattern->field == PATTERN_MODULE) && matches_path(pattern->glob, frame->module));
}

bool patterns_match(const struct patterns *patterns, const struct source_frame *frame)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (matches(&patterns->all[i], frame))
            return true;
    return false;
}
