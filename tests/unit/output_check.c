// SPDX-License-Identifier: MIT
#include "output_check.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define DEEPEST 8 /* JSON values in one another */

/* The character at *text in *character, which then points behind it; false: no valid UTF-8. */
static bool decode(const char **text, uint32_t *character)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)*text;
    int more = *at < 0x80 ? 0 : *at < 0xc0 ? -1 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : *at < 0xf8 ? 3 : -1;
    if (more < 0)
        return false;
    *character = more ? *at++ & (0x3fu >> more) : *at++;
    for (int i = 0; i < more; i++, at++) {
        if ((*at & 0xc0) != 0x80)
            return false;
        *character = *character << 6 | (*at & 0x3f);
    }
    *text = (const char *)at;
    return *character >= least[more] && *character <= 0x10ffff &&
           (*character < 0xd800 || *character > 0xdfff);
}

static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

static bool turns_direction(uint32_t character)
{
    return character == 0x61c || character == 0x200e || character == 0x200f ||
           (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

const char *wrong_in_text(const char *text, bool wide)
{
    uint32_t character;
    while (*text) {
        if (!decode(&text, &character))
            return "text: no valid UTF-8";
        if (character == '\n')
            continue;
        if (is_control(character))
            return "text: a control character";
        if (turns_direction(character))
            return "text: a character that turns the direction";
        if (!wide && character > 0x7e)
            return "text: more than ASCII";
    }
    return NULL;
}

/* --- JSON: each takes what it is named for off the front, or returns what is wrong ---------------------- */

static const char *take_value(const char **text, int depth);

static void skip_blanks(const char **text)
{
    *text += strspn(*text, " \n\r\t");
}

static bool take(const char **text, const char *word)
{
    if (strncmp(*text, word, strlen(word)) != 0)
        return false;
    *text += strlen(word);
    return true;
}

static const char *take_escape(const char **text)
{
    char letter = *(*text)++;
    if (letter != 'u')
        return letter && strchr("\"\\/bfnrt", letter) ? NULL : "JSON: an unknown escape";
    for (int i = 0; i < 4; i++)
        if (!isxdigit((unsigned char)*(*text)++))
            return "JSON: an escape without four digits";
    return NULL;
}

static const char *take_string(const char **text)
{
    const char *wrong = take(text, "\"") ? NULL : "JSON: no string where one should be";
    uint32_t character = 0;
    while (!wrong && !take(text, "\"")) {
        if (take(text, "\\"))
            wrong = take_escape(text);
        else if (!decode(text, &character))
            wrong = "JSON: no valid UTF-8";
        else if (is_control(character))
            wrong = "JSON: a control character";
        else if (turns_direction(character))
            wrong = "JSON: a character that turns the direction";
    }
    return wrong;
}

static const char *take_digits(const char **text)
{
    size_t count = strspn(*text, "0123456789");
    *text += count;
    return count ? NULL : "JSON: no digits where some should be";
}

static const char *take_number(const char **text)
{
    take(text, "-");
    const char *wrong = take(text, "0") ? NULL : take_digits(text);
    if (!wrong && take(text, "."))
        wrong = take_digits(text);
    if (!wrong && take(text, "e")) {
        if (!take(text, "-"))
            take(text, "+");
        wrong = take_digits(text);
    }
    return wrong;
}

static const char *take_member(const char **text, bool named, int depth)
{
    const char *wrong = named ? take_string(text) : NULL;
    skip_blanks(text);
    if (!wrong && named && !take(text, ":"))
        wrong = "JSON: no colon behind a name";
    return wrong ? wrong : take_value(text, depth);
}

static const char *take_members(const char **text, const char *end, int depth)
{
    skip_blanks(text);
    if (take(text, end))
        return NULL;
    do {
        skip_blanks(text);
        const char *wrong = take_member(text, *end == '}', depth);
        if (wrong)
            return wrong;
    } while (take(text, ","));
    return take(text, end) ? NULL : "JSON: no comma, and no end";
}

/* And the blanks around it. */
static const char *take_value(const char **text, int depth)
{
    const char *wrong = NULL;
    skip_blanks(text);
    if (depth > DEEPEST)
        wrong = "JSON: too deep";
    else if (take(text, "{"))
        wrong = take_members(text, "}", depth + 1);
    else if (take(text, "["))
        wrong = take_members(text, "]", depth + 1);
    else if (**text == '"')
        wrong = take_string(text);
    else if (!take(text, "null") && !take(text, "true") && !take(text, "false"))
        wrong = take_number(text);
    skip_blanks(text);
    return wrong;
}

const char *wrong_in_json(const char *text)
{
    const char *wrong = take_value(&text, 0);
    return wrong || !*text ? wrong : "JSON: more behind its end";
}

const char *wrong_in_page(char *page)
{
    static const char start[] = "<script type=\"application/json\"", end[] = "</script>";
    size_t parts = 0;
    for (char *at = page; (at = strstr(at, start)); parts++) {
        char *data = strchr(at, '>') + 1, *stop = strstr(data, end);
        if (!stop)
            return "page: data without an end";
        *stop = 0;
        if (strpbrk(data, "<>&"))
            return "page: markup in data";
        const char *wrong = wrong_in_json(data);
        if (wrong)
            return wrong;
        at = stop + 1;
    }
    return parts < 2 ? "page: no data" : NULL;
}
