// SPDX-License-Identifier: MIT
#include "options.h"
#include "message.h"
#include <string.h>

enum {
    KEEP_MAX = 1024,
    THOUSANDTHS_MAX = 1000000,  /* of thousandths: seconds, or a factor */
};

struct options options = {
    .out = "tracemalloc.%e.%p.trace",
    .depth = 1024,
    .children = CHILDREN_AUTO,
    .keep = 64,
};

static bool number(const char *text, unsigned long max, unsigned long *result)
{
    unsigned long n = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || n > max / 10)
            return false;
        n = n * 10 + (unsigned long)(*text - '0');
    }
    *result = n;
    return n <= max;
}

static bool set_out(const char *value)
{
    size_t length = strlen(value);
    if (!length || length >= sizeof options.out)
        return false;
    memcpy(options.out, value, length + 1);
    return true;
}

static bool set_depth(const char *value)
{
    unsigned long n;
    if (!number(value, DEPTH_MAX, &n) || !n)
        return false;
    options.depth = (uint32_t)n;
    return true;
}

static bool set_children(const char *value)
{
    static const char *const names[] = {"auto", "all", "none"};
    for (int i = 0; i < 3; i++) {
        if (!strcmp(value, names[i])) {
            options.children = (enum children)i;
            return true;
        }
    }
    return false;
}

static bool set_root(const char *value)
{
    unsigned long n;
    if (!number(value, 1 << 30, &n))
        return false;
    options.root = (int)n;
    return true;
}

static bool set_quiet(const char *value)
{
    if (strcmp(value, "0") && strcmp(value, "1"))
        return false;
    options.quiet = *value == '1';
    return true;
}

/* "2", "0.5", "1.125" */
static bool thousandths(const char *text, uint32_t *result)
{
    unsigned long whole, part = 0;
    char copy[16];
    size_t length = strcspn(text, ".");
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = 0;
    if (!number(copy, THOUSANDTHS_MAX, &whole))
        return false;
    if (text[length]) {
        text += length + 1;
        size_t digits = strlen(text);
        if (digits > 3 || !number(text, 999, &part))
            return false;
        for (; digits < 3; digits++)
            part *= 10;
    }
    *result = (uint32_t)(1000 * whole + part);
    return true;
}

static bool set_interval(const char *value)
{
    uint32_t n;
    if (!thousandths(value, &n) || !n)
        return false;
    options.snapshot_ms = n;
    return true;
}

static bool set_growth(const char *value)
{
    uint32_t n;
    if (!thousandths(value, &n) || n <= 1000)
        return false;
    options.snapshot_growth = n - 1000;
    return true;
}

/* Bytes, or with K, M, G: times 1024. */
static bool set_size(const char *value)
{
    static const char units[] = "KMG";
    char digits[24];
    size_t length = strspn(value, "0123456789");
    const char *unit = value[length] ? strchr(units, value[length]) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    unsigned long n;
    if (length >= sizeof digits || (value[length] && (!unit || value[length + 1])))
        return false;
    memcpy(digits, value, length);
    digits[length] = 0;
    if (!number(digits, (unsigned long)INT64_MAX >> shift, &n) || !n)
        return false;
    options.snapshot_size = (uint64_t)n << shift;
    return true;
}

static bool set_keep(const char *value)
{
    unsigned long n;
    if (!number(value, KEEP_MAX, &n) || !n)
        return false;
    options.keep = (uint32_t)n;
    return true;
}

static bool on_or_off(const char *text, bool *on)
{
    *on = !strcmp(text, "on");
    return *on || !strcmp(text, "off");
}

static bool set_mmap(const char *value)
{
    bool on;
    if (!on_or_off(value, &on))
        return false;
    options.mappings = on;
    return true;
}

static bool set_start(const char *value)
{
    bool on;
    if (!on_or_off(value, &on))
        return false;
    options.off = !on;
    return true;
}

static const struct {
    const char *key;
    bool (*set)(const char *value);
} keys[] = {
    {"out", set_out}, {"depth", set_depth}, {"children", set_children}, {"root", set_root},
    {"quiet", set_quiet}, {"snapshot-interval", set_interval}, {"snapshot-growth", set_growth},
    {"snapshot-size", set_size}, {"keep", set_keep}, {"start", set_start}, {"mmap", set_mmap},
};

static bool set(char *part)
{
    char *value = strchr(part, '=');
    if (!value)
        return false;
    *value = 0;
    bool known = false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !known; i++)
        known = !strcmp(part, keys[i].key) && keys[i].set(value + 1);
    *value = '=';
    return known;
}

static const char *find(char *const *environment)
{
    static const char name[] = "LIBTRACE_OPTIONS=";
    for (; environment && *environment; environment++)
        if (!strncmp(*environment, name, sizeof name - 1))
            return *environment + sizeof name - 1;
    return NULL;
}

void options_read(char *const *environment, void (*complain)(const char *what))
{
    const char *text = find(environment);
    while (text && *text) {
        char part[sizeof options.out + 16];
        size_t length = strcspn(text, ",");
        if (length && length < sizeof part) {
            memcpy(part, text, length);
            part[length] = 0;
        }
        if (length && (length >= sizeof part || !set(part)) && complain)
            complain(length < sizeof part ? part : "a part of it, too long");
        text += length + (text[length] == ',');
    }
}

bool options_file_name(char *name, unsigned long size, const char *exe, int pid, uint64_t time)
{
    char *at = name, *end = name + size - 1;
    for (const char *p = options.out; *p; p++) {
        char number_text[24];
        const char *piece = number_text;
        if (p[0] == '%' && p[1] == 'e')
            piece = exe;
        else if (p[0] == '%' && p[1] == 'p')
            message_format(number_text, sizeof number_text, "%d", pid);
        else if (p[0] == '%' && p[1] == 't')
            message_format(number_text, sizeof number_text, "%lu", (unsigned long)time);
        else
            message_format(number_text, sizeof number_text, "%%"), number_text[0] = *p;
        if (*p == '%' && p[1] && (strchr("ept", p[1])))
            p++;
        for (; *piece && at < end; piece++)
            *at++ = *piece;
        if (*piece)
            return false;
    }
    *at = 0;
    return true;
}
