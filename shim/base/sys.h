// SPDX-License-Identifier: MIT
/*
 * Raw system calls.
 *
 * The hooks run inside other people's malloc: a libc wrapper would change errno, may be a
 * cancellation point, and may itself be interposed.  These do none of that; a result in
 * [-4095, -1] is -errno.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include "point.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE_SIZE ((uintptr_t)4096)

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* On declarations of variables that hooks read: they are reached without a table of addresses. */
#define hidden __attribute__((visibility("hidden")))

/* Of functions that read words of others' frames, where AddressSanitizer has its red zones. */
#define reads_frames __attribute__((no_sanitize_address))

#ifndef __x86_64__
#error "libtrace.so knows x86-64 only"
#endif

static inline long sys6(long number, long a, long b, long c, long d, long e, long f)
{
    long result = POINT_CALL(number, a, b, c);
    if (result)
        return result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long sys3(long number, long a, long b, long c)
{
    return sys6(number, a, b, c, 0, 0, 0);
}

static inline bool sys_failed(long result)
{
    return (unsigned long)result > -4096UL;
}

/* Null when it failed. */
static inline void *sys_mmap(void *at, size_t size, int prot, int flags, int fd, uint64_t offset)
{
    long p = sys6(SYS_mmap, (long)at, (long)size, prot, flags, fd, (long)offset);
    return sys_failed(p) ? NULL : (void *)p;
}

/* Private zeroed memory that costs nothing until it is touched; null when there is none. */
static inline void *sys_reserve(size_t size)
{
    return sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static inline long sys_munmap(void *p, size_t size)
{
    return sys3(SYS_munmap, (long)p, (long)size, 0);
}

/* Puts the mapping at `from` over what is mapped at `to`. */
static inline long sys_move(void *from, size_t size, void *to)
{
    return sys6(SYS_mremap, (long)from, (long)size, (long)size, MREMAP_MAYMOVE | MREMAP_FIXED, (long)to, 0);
}

static inline long sys_madvise(void *p, size_t size, int advice)
{
    return sys3(SYS_madvise, (long)p, (long)size, advice);
}

static inline long sys_open(const char *path, int flags, int mode)
{
    return sys6(SYS_openat, AT_FDCWD, (long)path, flags, mode, 0, 0);
}

static inline long sys_close(int fd)
{
    return sys3(SYS_close, fd, 0, 0);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
    return sys3(SYS_read, fd, (long)buffer, (long)size);
}

static inline long sys_write(int fd, const void *buffer, size_t size)
{
    return sys3(SYS_write, fd, (long)buffer, (long)size);
}

static inline long sys_pwrite(int fd, const void *buffer, size_t size, uint64_t offset)
{
    return sys6(SYS_pwrite64, fd, (long)buffer, (long)size, (long)offset, 0, 0);
}

static inline long sys_readlink(const char *path, char *buffer, size_t size)
{
    return sys6(SYS_readlinkat, AT_FDCWD, (long)path, (long)buffer, (long)size, 0, 0);
}

static inline long sys_stat(const char *path, struct stat *result)
{
    return sys6(SYS_newfstatat, AT_FDCWD, (long)path, (long)result, 0, 0, 0);
}

static inline uint64_t sys_limit(int resource)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    sys6(SYS_prlimit64, 0, resource, 0, (long)&limit, 0, 0);
    return limit.rlim_cur;
}

/* Of what can be mapped: all, or what is private.  What the recorder reserves counts, touched or not. */
static inline uint64_t sys_memory_limit(void)
{
    uint64_t all = sys_limit(RLIMIT_AS), private = sys_limit(RLIMIT_DATA);
    return all < private ? all : private;
}

static inline int sys_getpid(void)
{
    return (int)sys3(SYS_getpid, 0, 0, 0);
}

static inline int sys_gettid(void)
{
    return (int)sys3(SYS_gettid, 0, 0, 0);
}

static inline long sys_futex(void *word, int operation, uint32_t value, const struct timespec *timeout)
{
    return sys6(SYS_futex, (long)word, operation | FUTEX_PRIVATE_FLAG, value, (long)timeout, 0, 0);
}

/* Whether the word at an address can be read.  Of the calls that tell, it is the one that a program under a filter
   is likeliest to be allowed, since malloc makes it: to requeue nobody, if the word has a certain value. */
static inline bool sys_readable(uintptr_t address)
{
    return sys6(SYS_futex, (long)address, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0, (long)address, 0) != -EFAULT;
}

static inline long sys_membarrier(int command)
{
    return sys3(SYS_membarrier, command, 0, 0);
}

/* Null, or what tells the time without entering the kernel, where a filter may be. */
extern int (*sys_clock)(clockid_t clock, struct timespec *time) hidden;

/* Looks for it; calls dlopen. */
void sys_clock_start(void);

static inline uint64_t sys_clock_ns(clockid_t clock)
{
    struct timespec t = {0};
    if (likely(sys_clock != NULL))
        sys_clock(clock, &t);
    else
        sys3(SYS_clock_gettime, clock, (long)&t, 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
