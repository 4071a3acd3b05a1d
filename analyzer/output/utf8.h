// SPDX-License-Identifier: MIT
/* Names from a trace may be any bytes: read as UTF-8, and made harmless. */
#ifndef OUTPUT_UTF8_H
#define OUTPUT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffd

/* The character that text begins with (text is not empty), and in *size how many bytes it takes; what
   is no valid UTF-8 counts as UTF8_REPLACEMENT. */
uint32_t utf8_decode(const char *text, size_t *size);

/* Writes a character in UTF-8, up to 4 bytes and a zero; returns the number of bytes. */
size_t utf8_encode(uint32_t character, char to[5]);

/* Whether a terminal shows this character and does nothing else: no control character, nothing that
   turns the direction of text or hides. */
bool utf8_is_printable(uint32_t character);

/* `text` for a terminal, to be freed: what is not printable becomes \n, \x1b, \u202e; so does every
   character beyond ASCII unless `wide`. */
char *utf8_escape(const char *text, bool wide);

/* How many columns escaped text takes. */
size_t utf8_columns(const char *text);

/* Escaped text cut to `columns`, to be freed, with an ellipsis at its end; `tail`: at its start. */
char *utf8_clip(const char *text, size_t columns, bool wide, bool tail);

#endif
