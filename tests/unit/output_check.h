// SPDX-License-Identifier: MIT
/* What the analyzer may write, whatever names a trace has. */
#ifndef OUTPUT_CHECK_H
#define OUTPUT_CHECK_H

#include <stdbool.h>

/* Null, or what is wrong with it: `text` may have printable characters and newlines alone, of which only those
   of ASCII unless `wide`. */
const char *wrong_in_text(const char *text, bool wide);

/* Null, or what is wrong with it: it must be one JSON value without a control character in a string. */
const char *wrong_in_json(const char *text);

/* Null, or what is wrong with a page of output/html.h, or its data: what is written into it must be JSON that
   cannot end its element; it is changed. */
const char *wrong_in_page(char *page);

#endif
