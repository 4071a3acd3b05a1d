// SPDX-License-Identifier: MIT
#include "output/page.h"

#include <string.h>

/* The assembled page; its parts end with lines that say @cut@. */
__asm__(".section .rodata\n"
        "page_bytes: .incbin \"" PAGE_FILE "\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char page_bytes[] __attribute__((visibility("hidden")));

static const char cut[] = "@cut@\n";

void page_write(FILE *out, enum page_part part)
{
    const char *start = page_bytes, *end;
    while ((end = strstr(start, cut)) && part-- > 0)
        start = end + strlen(cut);
    fwrite(start, 1, end ? (size_t)(end - start) : strlen(start), out);
}
