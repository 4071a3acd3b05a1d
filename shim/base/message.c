// SPDX-License-Identifier: MIT
#include "message.h"
#include "sys.h"
#include <asm/termbits.h>
#include <asm/ioctls.h>

struct text {
    char *at, *end;
};

static void put(struct text *text, char c)
{
    if (text->at < text->end)
        *text->at++ = c;
}

/* How many bytes from s on are a character that a terminal shows; 0: it may obey the first, or nobody knows. */
static int shown(const char *s)
{
    unsigned char first = (unsigned char)s[0], second = first ? (unsigned char)s[1] : 0;
    int bytes = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0x20 || (first >= 0x7f && first < 0xc2) || first > 0xf4 || (first == 0xc2 && second < 0xa0))
        return 0;
    for (int i = 1; i < bytes; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return bytes;
}

static void put_string(struct text *text, const char *s)
{
    for (int bytes; *s; s += bytes) {
        bytes = shown(s);
        for (int i = 0; i < bytes; i++)
            put(text, s[i]);
        if (!bytes) {
            put(text, '?');
            bytes = 1;
        }
    }
}

static void put_number(struct text *text, unsigned long n)
{
    char digits[20];
    int count = 0;
    do
        digits[count++] = (char)('0' + n % 10);
    while (n /= 10);
    while (count)
        put(text, digits[--count]);
}

static void put_signed(struct text *text, long n)
{
    if (n < 0)
        put(text, '-');
    put_number(text, n < 0 ? -(unsigned long)n : (unsigned long)n);
}

static size_t format_list(char *buffer, size_t size, const char *format, va_list list)
{
    struct text text = {buffer, buffer + size - 1};
    for (; *format; format++) {
        if (*format != '%') {
            put(&text, *format);
            continue;
        }
        while (*++format == 'l')
            ;
        if (*format == 's')
            put_string(&text, va_arg(list, const char *));
        else if (*format == 'd')
            put_signed(&text, format[-1] == 'l' ? va_arg(list, long) : va_arg(list, int));
        else if (*format == 'u')
            put_number(&text, format[-1] == 'l' ? va_arg(list, unsigned long) : va_arg(list, unsigned));
        else
            put(&text, *format);
    }
    *text.at = 0;
    return (size_t)(text.at - buffer);
}

size_t message_format(char *buffer, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    size_t length = format_list(buffer, size, format, list);
    va_end(list);
    return length;
}

void message(const char *format, ...)
{
    char line[1024];
    size_t start = message_format(line, sizeof line, "tracemalloc: ");
    va_list list;
    va_start(list, format);
    size_t length = start + format_list(line + start, sizeof line - start - 1, format, list);
    va_end(list);
    line[length++] = '\n';
    sys_write(2, line, length);
}

bool message_stderr_is_terminal(void)
{
    struct termios settings;
    return sys3(SYS_ioctl, 2, TCGETS, (long)&settings) == 0;
}
