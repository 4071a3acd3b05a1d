// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* SEEK_DATA */
#include "model/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LEAST_BUDGET    (UINT64_C(64) << 20)
#define BUDGET_PER_BYTE 16
#define APART           (UINT64_C(32) << 20) /* of it: for what does not grow with the file's tables */

static bool is_regular(const struct stat *stat)
{
    if (S_ISREG(stat->st_mode))
        return true;
    errno = S_ISDIR(stat->st_mode) ? EISDIR : EINVAL;
    return false;
}

int file_open_regular(const char *path, int flags, struct stat *found)
{
    if (stat(path, found) != 0 || !is_regular(found))
        return -1;
    int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, found) == 0 && is_regular(found))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

bool file_is_directory(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* Regular files there can block, never end, or do something when they are opened. */
static bool is_pseudo(const char *path)
{
    static const unsigned long kinds[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC};
    struct statfs system;
    if (statfs(path, &system) != 0)
        return false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if ((unsigned long)system.f_type == kinds[i])
            return true;
    return false;
}

bool file_may_block(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && (!S_ISREG(found.st_mode) || is_pseudo(path));
}

/* The blocks that it takes say less where the file system compresses. */
uint64_t file_data_size(int fd)
{
    uint64_t size = 0;
    off_t data = 0, hole;
    while ((data = lseek(fd, data, SEEK_DATA)) >= 0 && (hole = lseek(fd, data, SEEK_HOLE)) > data) {
        size += (uint64_t)(hole - data);
        data = hole;
    }
    lseek(fd, 0, SEEK_SET);
    return size;
}

uint64_t file_budget(int fd)
{
    uint64_t budget;
    if (__builtin_mul_overflow(file_data_size(fd), BUDGET_PER_BYTE, &budget))
        return UINT64_MAX;
    return budget < LEAST_BUDGET ? LEAST_BUDGET : budget;
}

bool file_open(struct file *file, const char *path, struct failure *why)
{
    file->fd = file_open_regular(path, O_RDONLY, &file->stat);
    if (file->fd < 0 && (errno == EINVAL || errno == ENXIO))
        return failure_set(why, "not a regular file");
    if (file->fd < 0)
        return failure_set(why, "%s", strerror(errno));
    file->budget = file_budget(file->fd) - APART;
    return true;
}

void file_close(struct file *file)
{
    close(file->fd);
}

bool file_read(const struct file *file, uint64_t offset, void *to, size_t size, struct failure *why)
{
    char *at = to;
    while (size) {
        ssize_t got = pread(file->fd, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failure_set(why, "%s", strerror(errno));
        if (got == 0)
            return failure_set(why, "is cut short: it ends at byte %llu", (unsigned long long)offset);
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

uint64_t file_next_data(const struct file *file, uint64_t offset, uint64_t end)
{
    off_t data = lseek(file->fd, (off_t)offset, SEEK_DATA);
    if (data < 0)
        return errno == ENXIO ? end : offset;
    return (uint64_t)data < end ? (uint64_t)data : end;
}

bool file_charge(struct file *file, uint64_t n, size_t size, struct failure *why)
{
    uint64_t bytes;
    if (__builtin_mul_overflow(n, (uint64_t)size, &bytes) || bytes > file->budget)
        return failure_set(why, "is damaged: it claims more records than it can hold");
    file->budget -= bytes;
    return true;
}

void *file_memory(struct file *file, uint64_t n, size_t size, struct failure *why)
{
    if (!file_charge(file, n, size, why))
        return NULL;
    void *memory = calloc(n ? n : 1, size);
    if (!memory)
        failure_set(why, "%s", strerror(ENOMEM));
    return memory;
}

void file_forget(struct file *file, void *memory, uint64_t n, size_t size)
{
    free(memory);
    file->budget += n * size;
}
