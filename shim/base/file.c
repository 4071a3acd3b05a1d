// SPDX-License-Identifier: MIT
#include "file.h"
#include "message.h"
#include "sys.h"
#include <errno.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

struct trace_header *file_header;

enum {
    STEP = 64 * 1024,           /* the file grows by so much at a time */
    STRINGS = 4096,             /* least size of a section of strings */
    SUFFIX_MAX = 10000,
};
static const uint64_t image_max = 16ull << 30, image_min = 4ull << 20;

static struct image {
    uint64_t size;              /* of the range */
    uint64_t end;               /* of the last section */
    uint64_t ready;             /* stores below this cannot fault on a full disk; a multiple of STEP */
    uint64_t strings, strings_end;      /* room in the newest section of strings */
    bool attached;              /* a file is under it */
    bool full;                  /* the disk was full: the file ends at `ready` */
    bool closed;                /* the process ended: the same */
    char name[4096];
} image;

/* --- the image ------------------------------------------------------------------------------------- */

/* Under a limit the program's share comes first. */
static uint64_t wanted_size(void)
{
    uint64_t wanted = image_max, space = sys_memory_limit();
    while (space != RLIM_INFINITY && wanted > space / 64 && wanted > image_min)
        wanted /= 2;
    return wanted;
}

bool file_start(void)
{
    for (image.size = wanted_size(); image.size >= image_min; image.size /= 2) {
        file_header = sys_reserve(image.size);
        if (file_header)
            break;
    }
    if (!file_header)
        return false;
    image.end = image.ready = sizeof *file_header;
    memcpy(file_header->magic, TRACE_MAGIC, sizeof file_header->magic);
    file_header->version = TRACE_VERSION;
    file_header->reader_version = TRACE_READER_VERSION;
    file_header->header_size = sizeof *file_header;
    file_header->arch = TRACE_ARCH_X86_64;
    file_header->used = image.end;
    return true;
}

/*
 * Makes stores up to `end` safe: MADV_POPULATE_WRITE returns an error where a store would raise SIGBUS.  A disk that
 * was full once is not tried again: what finds no room is counted elsewhere by then.
 */
static bool make_ready(uint64_t end)
{
    if (end > image.size)
        return false;
    if (!image.attached || end <= image.ready)
        return true;
    if (image.full || image.closed)
        return false;
    uint64_t from = image.ready & ~(PAGE_SIZE - 1);
    uint64_t to = (end + STEP - 1) & ~(uint64_t)(STEP - 1);
    if (to > image.size)
        to = image.size;
    if (sys_failed(sys_madvise((char *)file_header + from, to - from, MADV_POPULATE_WRITE))) {
        image.full = true;
        file_header->flags |= TRACE_DISK_FULL;
        return false;
    }
    image.ready = to;
    return true;
}

struct trace_section *file_section(enum trace_section_type type, uint32_t record_size, uint32_t capacity,
                                   uint64_t first, uint32_t shard)
{
    uint64_t size = sizeof(struct trace_section) + (uint64_t)record_size * capacity;
    size = (size + TRACE_ALIGN - 1) & ~(uint64_t)(TRACE_ALIGN - 1);
    if (size > image.size || !make_ready(image.end + size))
        return NULL;
    struct trace_section *section = file_at(image.end);
    *section = (struct trace_section){.type = type, .record_size = record_size, .size = size,
                                      .first = first, .capacity = capacity, .shard = shard};
    image.end += size;
    __atomic_store_n(&file_header->used, image.end, __ATOMIC_RELEASE);
    return section;
}

void file_empty(enum trace_section_type type)
{
    for (uint64_t offset = sizeof *file_header; offset < image.end;) {
        struct trace_section *section = file_at(offset);
        if (section->type == type)
            memset(section + 1, 0, section->size - sizeof *section);
        offset += section->size;
    }
}

uint64_t file_used(void)
{
    return image.end;
}

bool file_has_plenty(uint64_t size)
{
    return size <= image.size / 2 && image.end <= image.size / 2 - size;
}

void file_label(char *to, size_t size, const char *label)
{
    size_t length = label ? strnlen(label, size) : 0;
    if (length == size)
        for (length--; length && ((unsigned char)label[length] & 0xc0) == 0x80; length--)
            continue;
    memcpy(to, label ? label : "", length);
    to[length] = 0;
}

uint64_t file_string(const char *text, size_t size)
{
    if (image.strings + size > image.strings_end) {
        uint32_t capacity = size > STRINGS ? (uint32_t)size : STRINGS - sizeof(struct trace_section);
        struct trace_section *section = file_section(TRACE_STRINGS, 1, capacity, 0, 0);
        if (!section)
            return 0;
        image.strings = (uint64_t)((char *)(section + 1) - (char *)file_header);
        image.strings_end = image.strings + capacity;
    }
    uint64_t offset = image.strings;
    memcpy(file_at(offset), text, size);
    image.strings += size;
    return offset;
}

/* --- a file under it ---------------------------------------------------------------------------------- */

/* Descriptors 0 to 2 belong to the program even while it has them closed. */
static int away_from_stdio(int fd)
{
    if (fd < 0 || fd > 2)
        return fd;
    long moved = sys3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
    sys_close(fd);
    return (int)moved;
}

static int create(char *name, size_t size)
{
    size_t length = strlen(name);
    for (int suffix = 2; suffix < SUFFIX_MAX; suffix++) {
        long fd = sys_open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd != -EEXIST)
            return away_from_stdio((int)fd);
        if (length + 8 >= size)
            return -ENAMETOOLONG;
        message_format(name + length, size - length, ".%d", suffix);
    }
    return -EEXIST;
}

/* btrfs writes to new blocks each time unless told otherwise, and could then fail on a full disk. */
static void no_copy_on_write(int fd)
{
    int flags = 0;
    if (sys_failed(sys3(SYS_ioctl, fd, FS_IOC_GETFLAGS, (long)&flags)))
        return;
    flags |= FS_NOCOW_FL;
    sys3(SYS_ioctl, fd, FS_IOC_SETFLAGS, (long)&flags);
}

/* Of the image as it is in memory: the same part of the file, or of a mapping of it.  0 or -errno. */
static long write_part(uint64_t from, uint64_t to, long fd)
{
    while (from < to) {
        long n = sys_pwrite((int)fd, file_at(from), to - from, from);
        if (n == -EINTR)
            continue;
        if (sys_failed(n) || n == 0)
            return -ENOSPC;
        from += (uint64_t)n;
    }
    return 0;
}

static long populate_part(uint64_t from, uint64_t to, long mapped)
{
    return sys_madvise((char *)mapped + from, to - from, MADV_POPULATE_WRITE);
}

/* All of it up to `end` but the pages within void sections, which stay a hole: nobody writes there any more. */
static long each_part(uint64_t end, long (*act)(uint64_t from, uint64_t to, long where), long where)
{
    uint64_t from = 0, next;
    long result = 0;
    for (uint64_t at = sizeof *file_header; at < image.end && !sys_failed(result); at = next) {
        const struct trace_section *section = file_at(at);
        next = at + section->size;
        uint64_t hole = (at + sizeof *section + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
        uint64_t hole_end = next & ~(PAGE_SIZE - 1);
        if (section->type == TRACE_VOID && hole < hole_end) {
            result = act(from, hole, where);
            from = hole_end;
        }
    }
    return sys_failed(result) ? result : act(from, end, where);
}

/* A limit of the file's size would raise SIGXFSZ when crossed. */
static uint64_t file_size(void)
{
    uint64_t max = sys_limit(RLIMIT_FSIZE);
    return (max < image.size ? max : image.size) & ~(uint64_t)(STEP - 1);
}

static int put_under(int fd)
{
    uint64_t size = file_size(), ready = (image.end + STEP - 1) & ~(uint64_t)(STEP - 1);
    if (size < ready)
        return -EFBIG;
    long failed = sys3(SYS_ftruncate, fd, (long)size, 0);
    if (sys_failed(failed))
        return (int)failed;
    if (each_part(image.end, write_part, fd))
        return -ENOSPC;
    /* First elsewhere: once it stands over the image there is no way back. */
    char *mapped = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (!mapped)
        return -ENOMEM;
    sys_madvise(mapped, size, MADV_RANDOM);     /* else the kernel reads ahead, into the hole, at each step */
    failed = each_part(ready, populate_part, (long)mapped);
    if (failed == -EINVAL) {
        /* Before Linux 5.14: allocate a fixed size, and have no more than that. */
        uint64_t fixed = ready > image_min ? ready : image_min;
        if (fixed > size)
            fixed = size;
        sys_munmap(mapped + fixed, size - fixed);
        size = ready = fixed;
        failed = sys6(SYS_fallocate, fd, 0, 0, (long)size, 0, 0);
    }
    if (!sys_failed(failed))
        failed = sys_move(mapped, size, file_header);
    if (sys_failed(failed)) {
        sys_munmap(mapped, size);
        return (int)failed;
    }
    image.size = size;
    image.ready = ready;
    image.attached = true;
    return 0;
}

int file_attach(char *name, size_t size)
{
    int fd = create(name, size);
    if (fd < 0)
        return fd;
    sys3(SYS_fchmod, fd, 0600, 0);
    no_copy_on_write(fd);
    int result = put_under(fd);
    if (result)
        sys3(SYS_unlinkat, AT_FDCWD, (long)name, 0);
    else
        memcpy(image.name, name, strlen(name) < sizeof image.name ? strlen(name) + 1 : 0);
    sys_close(fd);
    return result;
}

/* Is that file the one that the image stands on?  Both show the pid and the moment of its start. */
static bool is_own(int fd)
{
    struct trace_header header;
    long n = sys6(SYS_pread64, fd, (long)&header, sizeof header, 0, 0, 0);
    return n == sizeof header && header.pid == file_header->pid &&
           header.process_start == file_header->process_start && header.started_ns == file_header->started_ns;
}

void file_close(void)
{
    if (!image.attached || image.closed)
        return;
    long fd = sys_open(image.name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
    if (sys_failed(fd))
        return;
    if (is_own((int)fd) && !sys_failed(sys3(SYS_ftruncate, fd, (long)image.ready, 0)))
        image.closed = true;
    sys_close((int)fd);
}

void file_fit(void)
{
    uint64_t keep = (image.end + image_min + STEP - 1) & ~(uint64_t)(STEP - 1), wanted = wanted_size();
    if (keep < wanted)
        keep = wanted;
    if (keep >= image.size)
        return;
    sys_munmap((char *)file_header + keep, image.size - keep);
    image.size = keep;
}

bool file_is_attached(void)
{
    return image.attached;
}

/* --- a child's own --------------------------------------------------------------------------------- */

/* Counters and the timeline start anew in their places.  What the parent inherited itself, its spills and snapshots
   have no successors. */
static void copy_section(char *to, const struct trace_section *section)
{
    bool ends = section->type == TRACE_INHERITED || section->type == TRACE_SPILLS ||
                section->type == TRACE_SNAPSHOTS || section->type == TRACE_SNAPSHOT_SITES;
    bool empty = ends || section->type == TRACE_COUNTERS || section->type == TRACE_TIMELINE ||
                 section->type == TRACE_MARKS;
    memcpy(to, section, empty ? sizeof *section : section->size);
    if (ends)
        ((struct trace_section *)to)->type = TRACE_VOID;
}

/* The parent goes on writing meanwhile: sections only ever come behind image.end, which is ours. */
bool file_detach(void)
{
    char *copy = sys_reserve(image.size);
    if (!copy)
        return false;
    memcpy(copy, file_header, sizeof *file_header);
    for (uint64_t offset = sizeof *file_header; offset < image.end;) {
        const struct trace_section *section = file_at(offset);
        copy_section(copy + offset, section);
        offset += section->size;
    }
    if (sys_failed(sys_move(copy, image.size, file_header))) {
        sys_munmap(copy, image.size);
        return false;
    }
    image.attached = image.full = image.closed = false;
    image.ready = image.size;
    file_header->used = image.end;
    return true;
}
