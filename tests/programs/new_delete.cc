// SPDX-License-Identifier: MIT
// new_delete N [plain]: N objects by each operator new; one of each stays.  Throws and catches on the way.
// plain: is refused nothing, for valgrind cannot throw.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

struct alignas(64) Wide {
    char bytes[64];
};

static void *volatile sink;

__attribute__((noinline)) void scenario(int n)
{
    for (int i = 0; i < n; i++) {
        int *one = new int(i);
        char *many = new char[100];
        Wide *wide = new Wide;
        long *quiet = new (std::nothrow) long(i);
        sink = one, sink = many, sink = wide, sink = quiet;
        if (i) {
            delete one;
            delete[] many;
            delete wide;
            delete quiet;
        }
    }
    __asm__ volatile("");
}

__attribute__((noinline)) static int throws(int n, bool plain)
{
    int caught = 0;
    for (int i = 0; i < n; i++) {
        try {
            throw std::runtime_error(std::string(100, 'x'));
        } catch (const std::exception &e) {
            caught++;
        }
    }
    try {
        if (!plain)
            sink = ::operator new((size_t)-1 / 2);
    } catch (const std::bad_alloc &) {
        caught++;
    }
    return caught;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? std::atoi(argv[1]) : 1000;
    scenario(n);
    std::printf("%d\n", throws(n, argc > 2));
    return 0;
}
