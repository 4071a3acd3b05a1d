// SPDX-License-Identifier: MIT
#include "commands/options.h"

#include <errno.h>
#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/file.h"
#include "model/find.h"
#include "output/message.h"

int options_choose(const struct argp_state *state, const char *option, const char *name,
                   const char *const *names, size_t count)
{
    char list[256] = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return (int)i;
        if (strlen(list) + strlen(names[i]) + 3 < sizeof(list))
            strcat(strcat(list, i ? ", " : ""), names[i]);
    }
    argp_error(state, "--%s=%s: it can be %s", option, name, list);
    return 0;
}

unsigned long options_number(const struct argp_state *state, const char *option, const char *text,
                             unsigned long least, unsigned long most)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number < least || number > most)
        argp_error(state, "--%s=%s: it can be a number from %lu to %lu", option, text, least, most);
    return number;
}

static bool has_form(const char *text, const char *form)
{
    regex_t expression;
    if (regcomp(&expression, form, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool has = regexec(&expression, text, 0, NULL, 0) == 0;
    regfree(&expression);
    return has;
}

const char *options_decimal(const struct argp_state *state, const char *option, const char *text,
                            double least, double most)
{
    double number = strtod(text, NULL);
    if (!has_form(text, "^[0-9]{1,9}(\\.[0-9]{1,3})?$") || number <= least || number > most)
        argp_error(state, "--%s=%s: it can be a number above %.0f, up to %.0f, with three decimals at most",
                   option, text, least, most);
    return text;
}

double options_percent(const struct argp_state *state, const char *option, const char *text, double most)
{
    double percent = strtod(text, NULL);
    if (!has_form(text, "^[0-9]{1,9}(\\.[0-9]{1,9})?%?$") || percent > most)
        argp_error(state, "--%s=%s: it can be a number from 0 to %.0f, with or without %%", option, text,
                   most);
    return percent;
}

const char *options_size(const struct argp_state *state, const char *option, const char *text)
{
    if (!has_form(text, "^[1-9][0-9]{0,8}([0-9]{0,9}|K|M|G)$"))
        argp_error(state, "--%s=%s: it can be a number of bytes, or one with K, M or G", option, text);
    return text;
}

uint64_t options_bytes(const struct argp_state *state, const char *option, const char *text)
{
    static const char letters[] = "KMGT";
    size_t length = strlen(text);
    const char *letter = length ? strchr(letters, text[length - 1]) : NULL;
    int shift = letter ? 10 * (int)(letter - letters + 1) : 0;
    long double bytes = strtold(text, NULL) * (long double)(UINT64_C(1) << shift);
    /* Far below 2^64 a long double is exact to the byte. */
    if (!has_form(text, "^[0-9]{1,20}(K|M|G|T|\\.[0-9]{1,3}[KMGT])?$") || bytes >= 0x1p63L)
        argp_error(state, "--%s=%s: it can be a number of bytes, or one with K, M, G or T", option, text);
    return (uint64_t)bytes;
}

void options_take_trace(const struct argp_state *state, const char **file, const char *argument)
{
    if (*file)
        argp_error(state, "one trace at a time, please");
    *file = argument;
}

char *options_trace(const char *named)
{
    /* A variable of a script that is not set must not mean the newest. */
    if (named && !*named) {
        message("the name of a trace must not be empty");
        return NULL;
    }
    if (named && file_is_directory(named)) {
        message("%s: is a directory: name one trace in it; `tracemalloc report` adds up those of a directory",
                named);
        return NULL;
    }
    char *file = named ? strdup(named) : find_newest(".");
    if (!file)
        message("no trace in this directory: name one, or make one with `tracemalloc run PROGRAM`");
    return file;
}

/* --- FILE@SNAPSHOT ------------------------------------------------------------------------------------- */

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Splits `named` in place and returns the snapshot's name; null: it names a file.  Both may have an @ in
   them: the file is the longest part that is there. */
static char *split(char *named)
{
    if (exists(named))
        return NULL;
    for (char *at = named + strlen(named); at-- > named;) {
        if (*at != '@')
            continue;
        *at = 0;
        if (!*named || exists(named))
            return at + 1;
        *at = '@';
    }
    return NULL;
}

static bool go_to_snapshot(struct trace *trace, const char *name, struct failure *why)
{
    size_t index;
    if (!trace->snapshot_count)
        return failure_set(why, "it has no snapshots");
    if (!trace_find_snapshot(trace, name, &index))
        return failure_set(why, "it has no snapshot '%.100s'; `tracemalloc info` lists those it has", name);
    return trace_at_snapshot(trace, index, why);
}

static bool open_at(struct trace *trace, const char *file, const char *snapshot)
{
    struct failure why;
    bool fine = trace_read(trace, file, &why);
    if (fine && snapshot && !go_to_snapshot(trace, snapshot, &why)) {
        trace_free(trace);
        fine = false;
    }
    if (!fine)
        message("%s: %s", file, why.text);
    return fine;
}

bool options_open(struct trace *trace, const char *named)
{
    char *name = named ? strdup(named) : NULL, *snapshot = name ? split(name) : NULL;
    char *file = options_trace(snapshot && !*name ? NULL : name);
    bool fine = file && open_at(trace, file, snapshot);
    free(file);
    free(name);
    return fine;
}

char *options_file(const char *named)
{
    char *name = named ? strdup(named) : NULL, *snapshot = name ? split(name) : NULL;
    char *file = options_trace(snapshot && !*name ? NULL : name);
    free(name);
    return file;
}

char *options_trace_of_process(int pid)
{
    char *file = find_mapped(pid), maps[64];
    if (file)
        return file;
    snprintf(maps, sizeof(maps), "/proc/%d/maps", pid);
    FILE *readable = fopen(maps, "re");
    if (!readable || fgetc(readable) == EOF)
        message(errno == EACCES ? "process %d cannot be looked into: it is not yours"
                                : "there is no process %d, or it has ended: name its trace",
                pid);
    else
        message("process %d is not recorded, or has allocated too little to leave a trace", pid);
    if (readable)
        fclose(readable);
    return NULL;
}
