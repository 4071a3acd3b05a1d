// SPDX-License-Identifier: MIT
/* The HTML page without its data, as page/assemble.sh makes it of the files in page/. */
#ifndef OUTPUT_PAGE_H
#define OUTPUT_PAGE_H

#include <stdio.h>

/* Parts of the page, in their order; what the program writes comes between them. */
enum page_part {
    PAGE_START,  /* then the title */
    PAGE_BODY,   /* then the data: elements with JSON */
    PAGE_SCRIPT, /* then, if there is a timeline, PAGE_CHART */
    PAGE_CHART,
    PAGE_END,
};

void page_write(FILE *out, enum page_part part);

#endif
