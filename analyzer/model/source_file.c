// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* asprintf */
#include "model/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/file.h"

#define LARGEST (16u << 20) /* bytes of a file */
#define LONGEST 4096        /* of a line that is kept */

/* --- finding ------------------------------------------------------------------------------------------- */

static bool try_path(struct source_file *source, struct file *file, const char *directory, const char *path)
{
    struct failure ignored;
    if (asprintf(&source->path, "%s%s%s", directory, *directory ? "/" : "", path) < 0)
        source->path = NULL;
    if (source->path && !file_may_block(source->path) && file_open(file, source->path, &ignored))
        return true;
    free(source->path);
    source->path = NULL;
    return false;
}

/* DIRECTORY/a/b/c.c, then b/c.c, then c.c. */
static bool try_directory(struct source_file *source, struct file *file, const char *directory,
                          const char *path)
{
    for (const char *tail = path + strspn(path, "/"); tail; tail = strchr(tail, '/')) {
        tail += strspn(tail, "/");
        if (*tail && try_path(source, file, directory, tail))
            return true;
    }
    return false;
}

static bool find(struct source_file *source, struct file *file, const char *path,
                 const struct source_places *places)
{
    if (strnlen(path, PATH_MAX) == PATH_MAX)
        return false;
    for (size_t i = 0; i < places->directory_count; i++)
        if (try_directory(source, file, places->directories[i], path))
            return true;
    if (path[0] == '/')
        return try_path(source, file, "", path);
    return (places->compiled && try_path(source, file, places->compiled, path)) ||
           (places->cwd && try_path(source, file, places->cwd, path));
}

/* --- reading ------------------------------------------------------------------------------------------- */

static void add_line(struct source_file *source, size_t *capacity, char *line, size_t size)
{
    if (size && line[size - 1] == '\r')
        size--;
    line[size < LONGEST ? size : LONGEST] = 0;
    source->lines = memory_grow(source->lines, source->line_count, capacity, sizeof(*source->lines));
    source->lines[source->line_count++] = line;
}

static void split(struct source_file *source, size_t size)
{
    size_t capacity = 0;
    for (char *line = source->bytes, *end = line + size, *next; line < end; line = next + 1) {
        next = memchr(line, '\n', (size_t)(end - line));
        next = next ? next : end;
        add_line(source, &capacity, line, (size_t)(next - line));
    }
}

static bool read_text(struct source_file *source, const struct file *file, struct failure *why)
{
    if (file->stat.st_size > LARGEST)
        return failure_set(why, "%s is larger than %u MiB", source->path, LARGEST >> 20);
    size_t size = (size_t)file->stat.st_size;
    source->bytes = memory_get(size + 1, 1);
    source->mtime_ns = file->stat.st_mtim.tv_sec * INT64_C(1000000000) + file->stat.st_mtim.tv_nsec;
    struct failure reason;
    if (!file_read(file, 0, source->bytes, size, &reason))
        return failure_set(why, "%s: %s", source->path, reason.text);
    if (memchr(source->bytes, 0, size))
        return failure_set(why, "%s is no text", source->path);
    split(source, size);
    return true;
}

bool source_file_read(struct source_file *source, const char *path, const struct source_places *places,
                      struct failure *why)
{
    struct file file;
    *source = (struct source_file){0};
    if (!find(source, &file, path, places))
        return failure_set(why, "%s is not to be found; --source-path=DIRECTORY tells where it is", path);
    bool fine = read_text(source, &file, why);
    file_close(&file);
    if (!fine)
        source_file_free(source);
    return fine;
}

void source_file_free(struct source_file *source)
{
    free(source->path);
    free(source->lines);
    free(source->bytes);
    *source = (struct source_file){0};
}
