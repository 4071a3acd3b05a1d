// SPDX-License-Identifier: MIT
/*
 * charsets [COMPARISONS]: conversions by modules that libc loads, and unloads when they are not used for a
 * while.  They are interrupted after each instruction, by a handler that allocates.
 */
#define _GNU_SOURCE
#include "compare.h"
#include <iconv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

static uint64_t step_until;

static void after_a_step(int signal, siginfo_t *info, void *context)
{
    enum { TRAP_FLAG = 1 << 8 };
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
    (void)signal, (void)info;
    compare_here();
    *flags = compare_count() < step_until ? *flags | TRAP_FLAG : *flags & ~TRAP_FLAG;
}

/* The conversion itself does not allocate. */
static void convert(iconv_t conversion)
{
    char text[] = "The quick brown fox jumps over the lazy dog. \xc3\xa9\xc3\xa8", result[400];
    char *in = text, *out = result;
    size_t in_size = sizeof text, out_size = sizeof result;
    step_until = compare_count() + 50 + choose(300);
    raise(SIGTRAP);
    iconv(conversion, &in, &in_size, &out, &out_size);
    iconv(conversion, NULL, NULL, &out, &out_size);
    step_until = 0;
    compare_here();
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"IBM037",      "IBM1047",     "KOI8-R", "CP1251", "EUC-JP",
                                        "SHIFT_JIS",   "BIG5",        "GBK",    "UTF-16", "UTF-32",
                                        "ISO-8859-15", "ISO-2022-JP", "EUC-KR", "CP850"};
    enum { NAMES = sizeof names / sizeof *names };
    struct sigaction action = {.sa_sigaction = after_a_step, .sa_flags = SA_SIGINFO};
    uint64_t comparisons = argument(argc, argv, 1, 10000), failed = 0;
    sigaction(SIGTRAP, &action, NULL);
    while (compare_count() < comparisons) {
        iconv_t conversion = iconv_open(names[choose(NAMES)], "UTF-8");
        compare_here();
        if (conversion == (iconv_t)-1) {
            failed++;
            continue;
        }
        convert(conversion);
        iconv_close(conversion);
        compare_here();
    }
    if (failed > comparisons / 2) {
        printf("no character sets are installed\n");
        return 77;
    }
    return compare_report();
}
