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
#include "model/file.h"
#include "model/process.h"

struct entry {
    struct trace_header header; /* as much as there was of it, else zero */
    struct timespec written;
};

struct search {
    int32_t pid; /* 0: any */
    uint64_t process_start;
    bool running; /* only of programs that run */
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
    return !search->pid || (header->pid == search->pid && header->process_start == search->process_start &&
                            process_same_boot(header->boot_id));
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

static char *find(const char *directory, const struct search *search)
{
    DIR *entries = opendir(directory);
    struct entry best = {0}, here;
    char *found = NULL;
    for (struct dirent *name; entries && (name = readdir(entries));) {
        if (name->d_type != DT_REG && name->d_type != DT_UNKNOWN && name->d_type != DT_LNK)
            continue;
        char *path = join(directory, name->d_name);
        if (path && look_into(&here, path) && matches(&here.header, search) &&
            (!found || is_newer(&here, &best, search))) {
            free(found);
            found = path;
            best = here;
        } else {
            free(path);
        }
    }
    if (entries)
        closedir(entries);
    return found;
}

char *find_newest(const char *directory)
{
    return find(directory, &(struct search){0});
}

char *find_of_process(const char *directory, int32_t pid, uint64_t process_start)
{
    return find(directory, &(struct search){.pid = pid, .process_start = process_start});
}

char *find_running(const char *directory)
{
    return find(directory, &(struct search){.running = true});
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
        if (sscanf(line, "%*s %*3c%c %*s %*s %*s %n", &shared, &path) != 1 || shared != 's' || line[path] != '/')
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
