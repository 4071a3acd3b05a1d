// SPDX-License-Identifier: MIT
/*
 * replay FILE...: a fuzzer's function over given inputs; and, of a file named whole*, over what is left of it
 * when it is cut at any byte, and with any one bit flipped.
 */
#define _GNU_SOURCE 1 /* basename */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fuzz.h"

#define MOST_MEMORY (UINT64_C(64) << 20)
#define LARGEST     (1 << 20)

/* Whatever a small input claims, what is taken for it is small.  Under a sanitizer nothing can be said. */
static void limit_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
    unsigned long long size, resident;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%llu %llu", &size, &resident) != 2)
        fuzz_check("no /proc/self/statm");
    fclose(file);
    rlim_t limit = (size - resident) * (rlim_t)sysconf(_SC_PAGESIZE) + MOST_MEMORY;
    if (setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) != 0)
        fuzz_check("no limit of memory");
#endif
}

static void cut_anywhere(const uint8_t *data, size_t size)
{
    for (size_t cut = 0; cut < size; cut++)
        LLVMFuzzerTestOneInput(data, cut);
}

static void flip_every_bit(uint8_t *data, size_t size)
{
    for (size_t bit = 0; bit < 8 * size; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        LLVMFuzzerTestOneInput(data, size);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void replay(const char *path)
{
    static uint8_t data[LARGEST];
    const char *name = basename(path);
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(data, 1, sizeof(data), file) : 0;
    if (!file || !feof(file))
        fuzz_check("an input that cannot be read, or is too large");
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    printf("ok - %s\n", name);
    if (strncmp(name, "whole", 5) != 0)
        return;
    cut_anywhere(data, size);
    printf("ok - %s: cut at every byte\n", name);
    flip_every_bit(data, size);
    printf("ok - %s: every bit flipped\n", name);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    limit_memory();
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    return 0;
}
