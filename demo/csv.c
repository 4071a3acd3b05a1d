// SPDX-License-Identifier: MIT
#include "csv.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What read_plain and read_quoted return besides the byte that followed the field, or EOF. */
enum { FAILED = -2 };

static int fail(struct csv *csv, const char *error)
{
    csv->error = error;
    return FAILED;
}

/* A read error looks like the end of the file; only ferror tells them apart. */
static int next(struct csv *csv)
{
    int c = getc_unlocked(csv->in);
    if (c == '\n')
        csv->next_line++;
    else if (c == '\0')
        return fail(csv, "NUL byte");
    else if (c == EOF && ferror(csv->in))
        return fail(csv, strerror(errno));
    return c;
}

/* Both buffers double, and keep their size from record to record. */
static bool grow(void **block, size_t *capacity, size_t size)
{
    size_t wanted = *capacity ? *capacity * 2 : 128;
    void *grown = reallocarray(*block, wanted, size);
    if (!grown)
        return false;
    *block = grown;
    *capacity = wanted;
    return true;
}

static bool put(struct csv *csv, int c)
{
    void *text = csv->text;
    if (csv->length == csv->capacity && !grow(&text, &csv->capacity, sizeof *csv->text)) {
        fail(csv, "out of memory");
        return false;
    }
    csv->text = text;
    csv->text[csv->length++] = (char)c;
    return true;
}

static bool begin_field(struct csv *csv)
{
    void *start = csv->start;
    if (csv->count == csv->start_capacity && !grow(&start, &csv->start_capacity, sizeof *csv->start)) {
        fail(csv, "out of memory");
        return false;
    }
    csv->start = start;
    csv->start[csv->count++] = csv->length;
    return true;
}

/*
 * The field itself.  Both readers store it and return what came after it; which of the possible
 * followers is right is read_field's business.
 */

static int read_plain(struct csv *csv, int c)
{
    while (c != ',' && c != '\n' && c != '\r' && c >= 0) {
        if (c == '"')
            return fail(csv, "quote inside a field that does not begin with one");
        if (!put(csv, c))
            return FAILED;
        c = next(csv);
    }
    return c;
}

static int read_quoted(struct csv *csv)
{
    for (;;) {
        int c = next(csv);
        if (c == '"') {
            c = next(csv);
            if (c != '"')
                return c;
        }
        if (c == EOF)
            return fail(csv, "the file ends inside a quoted field");
        if (c == FAILED || !put(csv, c))
            return FAILED;
    }
}

/* LF, after a CR. */
static int finish_line(struct csv *csv)
{
    int c = next(csv);
    if (c == '\n' || c == FAILED)
        return c;
    return fail(csv, "carriage return without a line feed");
}

/* One field, of which c is the first byte or already the end; returns ',', '\n', EOF or FAILED. */
static int read_field(struct csv *csv, int c)
{
    bool quoted = c == '"';
    if (!begin_field(csv))
        return FAILED;
    c = quoted ? read_quoted(csv) : read_plain(csv, c);
    if (c == '\r')
        c = finish_line(csv);
    if (c == FAILED || !put(csv, '\0'))
        return FAILED;
    if (c != ',' && c != '\n' && c != EOF)
        return fail(csv, "text after the closing quote");
    return c;
}

static int skip_blank_lines(struct csv *csv)
{
    int c;
    do {
        csv->line = csv->next_line;
        c = next(csv);
        if (c == '\r')
            c = finish_line(csv);
    } while (c == '\n');
    return c;
}

enum csv_status csv_read(struct csv *csv)
{
    csv->length = csv->count = 0;
    int c = skip_blank_lines(csv);
    if (c == EOF)
        return CSV_END;
    while (c != FAILED) {
        c = read_field(csv, c);
        if (c == '\n' || c == EOF)
            return CSV_RECORD;
        if (c == ',')
            c = next(csv);
    }
    return CSV_FAILED;
}

void csv_start(struct csv *csv, FILE *in)
{
    *csv = (struct csv){.in = in, .line = 1, .next_line = 1};
}

void csv_free(struct csv *csv)
{
    free(csv->text);
    free(csv->start);
    csv_start(csv, NULL);
}
