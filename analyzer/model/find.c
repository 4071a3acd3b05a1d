// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* asprintf */
#include "model/find.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "model/failure.h"
#include "model/file.h"
#include "model/process.h"

struct entry {
    char *path;
    struct trace_header header; /* as much as there was of it, else zero */
    struct timespec written;
};

struct search {
    int32_t pid; /* 0: any */
    uint64_t process_start;
    int32_t run_pid; /* 0: any */
    uint64_t since_ns;
    bool running; /* only of programs that run */
};

struct found {
    struct entry *all;
    size_t count, capacity;
};

static bool look_into(struct entry *entry, const char *path)
{
    struct stat stat;
    int fd = file_open_regular(path, O_RDONLY, &stat);
    if (fd < 0)
        return false;
    *entry = (struct entry){.written = stat.st_mtim};
    ssize_t size = pread(fd, &entry->header, sizeof(entry->header), 0);
    close(fd);
    return size >= (ssize_t)sizeof(entry->header.magic) &&
           memcmp(entry->header.magic, TRACE_MAGIC, sizeof(entry->header.magic)) == 0;
}

static bool matches(const struct trace_header *header, const struct search *search)
{
    if (search->running)
        return header->state == TRACE_RUNNING && process_is_there(header);
    if (search->pid && (header->pid != search->pid || header->process_start != search->process_start))
        return false;
    if (search->run_pid && (header->run_pid != search->run_pid || header->started_ns < search->since_ns))
        return false;
    return !(search->pid || search->run_pid) || process_same_boot(header->boot_id);
}

static bool is_newer(const struct entry *a, const struct entry *b, const struct search *search)
{
    bool by_time = !search->pid && !search->running;
    if (by_time && a->written.tv_sec != b->written.tv_sec)
        return a->written.tv_sec > b->written.tv_sec;
    if (by_time && a->written.tv_nsec != b->written.tv_nsec)
        return a->written.tv_nsec > b->written.tv_nsec;
    return a->header.started_realtime_ns > b->header.started_realtime_ns;
}

static char *join(const char *directory, const char *name)
{
    char *path = NULL;
    if (strcmp(directory, ".") == 0)
        return strdup(name);
    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static void look_at(struct found *found, const struct search *search, char *path)
{
    struct entry here;
    if (!path || !look_into(&here, path) || !matches(&here.header, search)) {
        free(path);
        return;
    }
    here.path = path;
    found->all = memory_grow(found->all, found->count, &found->capacity, sizeof(here));
    found->all[found->count++] = here;
}

static struct found find(const char *directory, const struct search *search)
{
    DIR *entries = opendir(directory);
    struct found found = {0};
    for (struct dirent *name; entries && (name = readdir(entries));)
        if (name->d_type == DT_REG || name->d_type == DT_UNKNOWN || name->d_type == DT_LNK)
            look_at(&found, search, join(directory, name->d_name));
    if (entries)
        closedir(entries);
    return found;
}

static char *newest(struct found found, const struct search *search)
{
    const struct entry *best = found.all;
    for (size_t i = 1; i < found.count; i++)
        if (is_newer(&found.all[i], best, search))
            best = &found.all[i];
    char *path = best ? best->path : NULL;
    for (size_t i = 0; i < found.count; i++)
        if (&found.all[i] != best)
            free(found.all[i].path);
    free(found.all);
    return path;
}

char *find_newest(const char *directory)
{
    const struct search any = {0};
    return newest(find(directory, &any), &any);
}

char *find_of_process(const char *directory, int32_t pid, uint64_t process_start)
{
    const struct search search = {.pid = pid, .process_start = process_start};
    return newest(find(directory, &search), &search);
}

static int by_start(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->header.started_realtime_ns != y->header.started_realtime_ns)
        return x->header.started_realtime_ns < y->header.started_realtime_ns ? -1 : 1;
    return strcmp(x->path, y->path);
}

static char **paths(struct found found, size_t *count)
{
    char **all = memory_get(found.count, sizeof(*all));
    if (found.count)
        qsort(found.all, found.count, sizeof(*found.all), by_start);
    for (size_t i = 0; i < found.count; i++)
        all[i] = found.all[i].path;
    free(found.all);
    *count = found.count;
    return all;
}

char **find_all(const char *directory, size_t *count)
{
    return paths(find(directory, &(struct search){0}), count);
}

char **find_of_run(const char *directory, int32_t run_pid, uint64_t since_ns, size_t *count)
{
    return paths(find(directory, &(struct search){.run_pid = run_pid, .since_ns = since_ns}), count);
}

char *find_running(const char *directory)
{
    const struct search search = {.running = true};
    return newest(find(directory, &search), &search);
}

/* Newlines stand as \012 in a list of mappings. */
static void unescape(char *path)
{
    char *to = path;
    for (; *path; to++) {
        bool newline = strncmp(path, "\\012", 4) == 0;
        *to = newline ? '\n' : *path;
        path += newline ? 4 : 1;
    }
    *to = 0;
}

/* As the process calls it, or through its root if it lives in another file system. */
static char *trace_at(int32_t pid, const char *path)
{
    struct entry entry;
    char *inside;
    if (look_into(&entry, path) && entry.header.pid == pid)
        return strdup(path);
    if (asprintf(&inside, "/proc/%d/root%s", (int)pid, path) < 0)
        return NULL;
    if (look_into(&entry, inside))
        return inside;
    free(inside);
    return NULL;
}

char *find_mapped(int32_t pid)
{
    char name[64], *line = NULL, *found = NULL;
    size_t size = 0;
    snprintf(name, sizeof(name), "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(name, "re");
    while (maps && !found && getline(&line, &size, maps) > 0) {
        int path = 0;
        char shared = 0;
        if (sscanf(line, "%*s %*3c%c %*s %*s %*s %n", &shared, &path) != 1 || shared != 's' ||
            line[path] != '/')
            continue;
        line[strcspn(line, "\n")] = 0;
        unescape(line + path);
        found = trace_at(pid, line + path);
    }
    free(line);
    if (maps)
        fclose(maps);
    return found;
}
