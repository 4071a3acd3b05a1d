// SPDX-License-Identifier: MIT
#include "model/ending.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "model/clock.h"
#include "model/file.h"

#define PAGE 4096

/* The fields as they lie in the header. */
struct ending {
    uint32_t state;
    int32_t status;
    uint64_t ended_ns;
};
_Static_assert(offsetof(struct trace_header, ended_ns) ==
                   offsetof(struct trace_header, state) + offsetof(struct ending, ended_ns),
               "written at once");

static bool shorten(int fd, const struct trace_header *header, const struct stat *stat)
{
    uint64_t size = (header->used + PAGE - 1) / PAGE * PAGE;
    return size < header->used || size >= (uint64_t)stat->st_size || ftruncate(fd, (off_t)size) == 0;
}

static bool write_ending(int fd, const struct stat *stat, int32_t pid, struct ending ending,
                         struct failure *why)
{
    struct trace_header header;
    if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
        memcmp(header.magic, TRACE_MAGIC, sizeof(header.magic)) != 0 || header.pid != pid)
        return failure_set(why, "not the trace of process %d", (int)pid);
    if (header.ended_ns)
        ending.ended_ns = header.ended_ns;
    if (pwrite(fd, &ending, sizeof(ending), offsetof(struct trace_header, state)) != sizeof(ending) ||
        !shorten(fd, &header, stat))
        return failure_set(why, "%s", strerror(errno));
    return true;
}

bool ending_note(const char *path, int32_t pid, enum trace_state state, int32_t status, struct failure *why)
{
    struct stat stat;
    struct ending ending = {state, status, now_ns()};
    int fd = file_open_regular(path, O_RDWR, &stat);
    if (fd < 0)
        return failure_set(why, "%s", strerror(errno));
    bool fine = write_ending(fd, &stat, pid, ending, why);
    close(fd);
    return fine;
}
