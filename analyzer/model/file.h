// SPDX-License-Identifier: MIT
/*
 * Reading a file that may be hostile, sparse with a huge apparent size, written to by a running
 * program, or truncated meanwhile.  It is never mapped (a truncation would be a SIGBUS): what is
 * wanted is copied, then checked, and used from the copy.
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include <stdint.h>
#include <sys/stat.h>

#include "model/failure.h"

struct file {
    int fd;
    struct stat stat;
    uint64_t budget; /* bytes of memory that reading it may still take */
};

/* Opens `path` if it is a regular file; never blocks (FIFOs, devices). */
bool file_open(struct file *file, const char *path, struct failure *why);

/* Opens `path`, a regular file, with the flags of open(2); -1 and errno otherwise.  Nothing else is even
   opened: that can block, wake up who waits at a FIFO, or make a device do something. */
int file_open_regular(const char *path, int flags, struct stat *stat);

/* Whether there is something at `path` that is no regular file, or only looks like one, as in /proc: to open
   or read it may mean to wait for ever. */
bool file_may_block(const char *path);

bool file_is_directory(const char *path);

void file_close(struct file *file);

/* Exactly `size` bytes from `offset`; a file that ends before is a failure. */
bool file_read(const struct file *file, uint64_t offset, void *to, size_t size, struct failure *why);

/* Where the next bytes that are not in a hole begin, at or after `offset`; `end` if there are none
   before it. */
uint64_t file_next_data(const struct file *file, uint64_t offset, uint64_t end);

/* How much of a file is in no hole. */
uint64_t file_data_size(int fd);

/* What reading the open file may take at most: 16 times what it has on the disk, or 64 MB. */
uint64_t file_budget(int fd);

/* Charges the file's budget for n things of `size` bytes; false if it is not large enough. */
bool file_charge(struct file *file, uint64_t n, size_t size, struct failure *why);

/* Zeroed memory for n things of `size` bytes, charged to the file's budget, or null. */
void *file_memory(struct file *file, uint64_t n, size_t size, struct failure *why);

/* Frees what file_memory gave, and takes it off the charge. */
void file_forget(struct file *file, void *memory, uint64_t n, size_t size);

#endif
