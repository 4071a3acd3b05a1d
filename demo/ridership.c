// SPDX-License-Identifier: MIT
#include "ridership.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

const char *const field_names[FIELDS] = {"route", "date", "daytype", "rides"};

void put_escaped(FILE *out, const char *text, size_t most)
{
    for (size_t i = 0; text[i] && i < most; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= ' ' && c <= '~')
            putc(c, out);
        else
            fprintf(out, "\\x%02x", c);
    }
}

void source_fail(struct source *source, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "demo: %s:%lu: ", source->name, source->csv.line);
    vfprintf(stderr, format, arguments);
    putc('\n', stderr);
    va_end(arguments);
    source->failed = true;
}

static void fail_rides(struct source *source, const char *text)
{
    enum { SHOWN = 40 };
    fprintf(stderr, "demo: %s:%lu: rides is not a whole number from 0 to 2^53: \"", source->name,
            source->csv.line);
    put_escaped(stderr, text, SHOWN);
    fputs(strlen(text) > SHOWN ? "...\"\n" : "\"\n", stderr);
    source->failed = true;
}

bool rides_parse(const char *text, uint64_t *rides)
{
    uint64_t sum = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        sum = sum * 10 + (uint64_t)(*text - '0');
        if (sum > RIDES_MAX)
            return false;
    }
    *rides = sum;
    return true;
}

static enum csv_status read_record(struct source *source)
{
    enum csv_status status = csv_read(&source->csv);
    if (status == CSV_FAILED)
        source_fail(source, "%s", source->csv.error);
    return status;
}

static bool is_header(const struct csv *csv)
{
    if (csv->count != FIELDS)
        return false;
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(csv_field(csv, i), field_names[i]) != 0)
            return false;
    return true;
}

bool source_start(struct source *source, const char *name, FILE *file)
{
    *source = (struct source){.name = name, .file = file};
    csv_start(&source->csv, file);
    switch (read_record(source)) {
    case CSV_RECORD:
        if (is_header(&source->csv))
            return true;
        source_fail(source, "the header is not route,date,daytype,rides");
        return false;
    case CSV_END:
        source_fail(source, "no header: the file is empty");
        return false;
    default:
        return false;
    }
}

bool source_open(struct source *source, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file)
        return source_start(source, path, file);
    fprintf(stderr, "demo: %s: %s\n", path, strerror(errno));
    *source = (struct source){.name = path, .failed = true};
    return false;
}

bool source_next(struct source *source, struct row *row)
{
    if (source->failed || read_record(source) != CSV_RECORD)
        return false;
    if (source->csv.count != FIELDS) {
        source_fail(source, "%d fields are expected, not %zu", FIELDS, source->csv.count);
        return false;
    }
    for (size_t i = 0; i < FIELDS; i++)
        row->text[i] = csv_field(&source->csv, i);
    if (!rides_parse(row->text[RIDES], &row->rides)) {
        fail_rides(source, row->text[RIDES]);
        return false;
    }
    return true;
}

void source_close(struct source *source)
{
    csv_free(&source->csv);
    if (source->file)
        fclose(source->file);
    source->file = NULL;
}
