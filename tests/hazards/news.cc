// SPDX-License-Identifier: MIT
/*
 * news: 1000 objects by each of some operators new, every tenth of which stays.  Counts as counted.h does.
 */
#include <cstdio>
#include <cstdlib>
#include <new>

static long allocations, bytes, blocks_left, bytes_left;

struct alignas(64) Wide {
    char bytes[64];
};

extern "C" __attribute__((noinline)) void counted_malloc(int i)
{
    char *one = new char;
    char *many = new char[100];
    char *quiet = new (std::nothrow) char[50];
    Wide *wide = new Wide;
    allocations += 4;
    bytes += 1 + 100 + 50 + 64;
    if (i % 10 == 0) {
        blocks_left += 4;
        bytes_left += 1 + 100 + 50 + 64;
        return;
    }
    delete one;
    delete[] many;
    delete[] quiet;
    delete wide;
}

int main()
{
    for (int i = 0; i < 1000; i++)
        counted_malloc(i);
    std::printf("%ld %ld %ld %ld\n", allocations, bytes, blocks_left, bytes_left);
    return 0;
}
