// SPDX-License-Identifier: MIT
#include "proc.h"
#include "sys.h"
#include <errno.h>
#include <string.h>

static size_t read_some(int fd, char *buffer, size_t size)
{
    long n;
    do
        n = sys_read(fd, buffer, size);
    while (n == -EINTR);
    return sys_failed(n) ? 0 : (size_t)n;
}

size_t proc_read(const char *path, char *buffer, size_t size)
{
    long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
    size_t held = 0, n;
    if (sys_failed(fd))
        return 0;
    while (held < size && (n = read_some((int)fd, buffer + held, size - held)) > 0)
        held += n;
    sys_close((int)fd);
    return held;
}

/* Hands out the whole lines of the buffer; returns how many bytes that used, or `held` to stop. */
static size_t hand_out(char *buffer, size_t held, bool (*visit)(char *, void *), void *context, bool *go_on)
{
    char *line = buffer, *newline;
    while (*go_on && (newline = memchr(line, '\n', held - (size_t)(line - buffer)))) {
        *newline = 0;
        *go_on = visit(line, context);
        line = newline + 1;
    }
    return (size_t)(line - buffer);
}

/* Drops the rest of a line that was cut; returns how many bytes are left. */
static size_t drop_rest(char *buffer, size_t held, bool *cut)
{
    const char *newline = memchr(buffer, '\n', held);
    size_t rest = newline ? (size_t)(newline + 1 - buffer) : held;
    *cut = !newline;
    memmove(buffer, buffer + rest, held - rest);
    return held - rest;
}

bool proc_lines(const char *path, char *buffer, size_t size, bool (*visit)(char *line, void *context),
                void *context)
{
    long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
    size_t held = 0, n;
    bool go_on = true, cut = false;
    if (sys_failed(fd))
        return false;
    while (go_on && (n = read_some((int)fd, buffer + held, size - held)) > 0) {
        held += n;
        if (cut)
            held = drop_rest(buffer, held, &cut);
        if (held == size && !memchr(buffer, '\n', held)) {
            buffer[held - 1] = '\n';
            cut = true;
        }
        size_t used = hand_out(buffer, held, visit, context, &go_on);
        held -= used;
        memmove(buffer, buffer + used, held);
    }
    sys_close((int)fd);
    return true;
}

uintptr_t proc_hex(const char **text)
{
    uintptr_t n = 0;
    for (;; (*text)++) {
        char c = **text;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return n;
        n = n * 16 + (uintptr_t)digit;
    }
}
