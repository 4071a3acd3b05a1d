// SPDX-License-Identifier: MIT
#include "model/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/clock.h"

/* The fields of /proc/PID/stat that follow the name: state is number 3. */
#define FIELD_STATE 3
#define FIELD_START 22

static bool read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool fine = fgets(line, (int)size, file) != NULL;
    fclose(file);
    return fine;
}

uint64_t process_start_time(pid_t pid, bool *alive)
{
    char path[64], line[4096];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    /* The name in parentheses may hold anything, newlines too: the fields follow the last one. */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
    if (fd >= 0)
        close(fd);
    if (size <= 0)
        return 0;
    line[size] = 0;
    char *at = strrchr(line, ')'), *rest;
    if (!at)
        return 0;
    int field = FIELD_STATE;
    for (char *word = strtok_r(at + 1, " ", &rest); word; word = strtok_r(NULL, " ", &rest), field++) {
        if (field == FIELD_STATE && alive)
            *alive = !strchr("ZXx", word[0]);
        if (field == FIELD_START)
            return strtoull(word, NULL, 10);
    }
    return 0;
}

bool process_same_boot(const uint8_t *boot_id)
{
    char line[64], digits[33];
    size_t count = 0;
    if (!read_line("/proc/sys/kernel/random/boot_id", line, sizeof(line)))
        return false;
    for (const char *at = line; *at && count < 32; at++)
        if (strchr("0123456789abcdef", *at))
            digits[count++] = *at;
    digits[count] = 0;
    char wanted[33];
    for (int i = 0; i < 16; i++)
        snprintf(wanted + 2 * i, 3, "%02x", boot_id[i]);
    return strcmp(digits, wanted) == 0;
}

/* After an exec the pid goes on, but maps another file.  The device is not compared: overlay and btrfs
   name one device in stat and another in maps. */
static bool still_maps(pid_t pid, ino_t inode)
{
    char path[64], *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    if (!maps)
        return true;
    bool found = false;
    while (!found && getline(&line, &size, maps) > 0) {
        unsigned long long mapped;
        if (sscanf(line, "%*s %*s %*s %*s %llu", &mapped) == 1)
            found = mapped == inode;
    }
    bool unreadable = ferror(maps);
    free(line);
    fclose(maps);
    return found || unreadable;
}

uint64_t process_resident(pid_t pid)
{
    char path[64], line[256];
    unsigned long long pages;
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    if (!read_line(path, line, sizeof(line)) || sscanf(line, "%*s %llu", &pages) != 1)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool process_is_there(const struct trace_header *header)
{
    bool alive = false;
    return header->pid > 0 && process_start_time(header->pid, &alive) == header->process_start && alive &&
           process_same_boot(header->boot_id);
}

static bool runs(const struct trace *trace)
{
    return process_is_there(&trace->header) && still_maps(trace->header.pid, trace->inode);
}

static enum process_end end_of(const struct trace *trace)
{
    switch (trace->header.state) {
    case TRACE_EXITED:
        return PROCESS_EXITED;
    case TRACE_KILLED:
        return PROCESS_KILLED;
    default:
        return runs(trace) ? PROCESS_RUNNING : PROCESS_ENDED;
    }
}

struct process process_of(const struct trace *trace)
{
    const struct trace_header *header = &trace->header;
    struct process process = {.end = end_of(trace), .status = header->status};
    uint64_t end = header->ended_ns;
    if (process.end == PROCESS_RUNNING)
        end = now_ns();
    else if (!end)
        end = header->last_seen_ns;
    process.duration_ns = end > header->started_ns ? end - header->started_ns : 0;
    return process;
}
