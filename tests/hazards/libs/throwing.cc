// SPDX-License-Identifier: MIT
/*
 * Loaded by C programs: C++ that throws.
 */
#include <stdexcept>
#include <string>

namespace {
struct Counts {
    int *count;
    ~Counts() { ++*count; }
};

__attribute__((noinline)) void fails(int depth, int *count)
{
    Counts one{count};
    if (depth)
        fails(depth - 1, count);
    else
        throw std::runtime_error(std::string(50, 'x'));
    __asm__ volatile("");
}
}

/* Throws through so many frames, again and again; how many destructors ran. */
extern "C" int throw_and_catch(int times, int depth)
{
    int destroyed = 0;
    for (int i = 0; i < times; i++) {
        try {
            fails(depth, &destroyed);
        } catch (const std::exception &e) {
            destroyed += std::string(e.what()).size() != 50;
        }
    }
    return destroyed;
}
