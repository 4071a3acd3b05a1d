// SPDX-License-Identifier: MIT
/*
 * jumps_nowhere: calls where there is no code, at 0, in a page that is not mapped, and in one that is no
 * code; the handler allocates, and returns to the caller.
 */
#include "new_sites.h"
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static int handled;

static void handle(int signal, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)signal, (void)info;
    counted_free(counted_malloc(20), 20);
    new_site_malloc(30);
    registers[REG_RIP] = *(greg_t *)registers[REG_RSP];
    registers[REG_RSP] += 8;
    handled++;
}

__attribute__((noinline)) static void jump(char *where, int depth)
{
    if (depth)
        jump(where, depth - 1);
    else
        ((void (*)(void))(void *)where)();
    __asm__ volatile("");
}

int main(void)
{
    static char alternate[64 * 1024];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    char *gone = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *places[] = {NULL, gone + 100, data + 100, (char *)-4096L};
    munmap(gone, 4096);
    sigaltstack(&stack, NULL);
    for (int i = 0; i < 800; i++) {
        action.sa_flags = SA_SIGINFO | (i & 4 ? SA_ONSTACK : 0);
        sigaction(SIGSEGV, &action, NULL);
        jump(places[i % 4], i % 20);
    }
    printf("%d handled\n", handled);
    counted_print();
    return 0;
}
