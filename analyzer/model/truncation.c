// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* MAP_ANONYMOUS */
#include "model/truncation.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static uintptr_t page_size;
static volatile sig_atomic_t happened;

/* Returns to the access that failed, which then finds a page of zeroes, or fails for good. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    void *page = (void *)((uintptr_t)info->si_addr & -page_size);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    happened = 1;
    if (info->si_code == BUS_ADRERR && mmap(page, page_size, PROT_READ | PROT_WRITE, flags, -1, 0) == page)
        return;
    signal(number, SIG_DFL);
    raise(number);
}

void truncation_survive(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigaction(SIGBUS, &action, NULL);
}

bool truncation_happened(void)
{
    return happened;
}
