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

static void put_string(struct text *text, const char *s)
{
    for (; *s; s++)
        put(text, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
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
