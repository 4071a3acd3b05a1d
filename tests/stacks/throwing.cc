// SPDX-License-Identifier: MIT
/*
 * throwing [COMPARISONS]: exceptions: allocations in handlers, in destructors that unwinding runs, while
 * other exceptions are on their way, through libc's frames, and by operator new.
 */
#include "compare.h"
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

static uint64_t leave_at;

#define NOINLINE __attribute__((noinline))

/* Compares a block of operator new, by the way of another exception if that comes handy. */
NOINLINE static void news()
{
    char *block = new char[1 + choose(100)];
    compare_block(block, (const void *)news, 2);
    delete[] block;
    struct alignas(64) Wide {
        char bytes[64];
    } *wide = new Wide;
    compare_block(wide, (const void *)news, 2);
    delete wide;
}

struct Compares {
    volatile char bytes[40];
    explicit Compares(int n)
    {
        bytes[n % 40] = 1;
    }
    NOINLINE ~Compares()
    {
        compare_here();
    }
};

/* Throws and catches while it is itself run by an exception. */
struct ThrowsInside {
    NOINLINE ~ThrowsInside()
    {
        try {
            if (choose(2))
                throw std::runtime_error(std::string(50, 'x'));
            compare_here();
        } catch (const std::exception &) {
            compare_here();
            news();
        }
    }
};

static void goes_on(int depth);

NOINLINE static void plain(int depth)
{
    Compares one(depth);
    goes_on(depth);
    NOT_A_TAIL_CALL;
}

NOINLINE static void inside(int depth)
{
    ThrowsInside one;
    std::vector<char> two(10 + choose(50));
    goes_on(depth);
    NOT_A_TAIL_CALL;
}

NOINLINE static void variable(int depth)
{
    volatile char *bytes = (volatile char *)__builtin_alloca(16 + choose(300));
    Compares one(depth);
    bytes[0] = 1;
    goes_on(depth);
    NOT_A_TAIL_CALL;
}

NOINLINE static void catches(int depth)
{
    try {
        goes_on(depth);
    } catch (int n) {
        compare_here();
        if (n % 3 == 0)
            throw;
        news();
    } catch (const std::exception &) {
        compare_here();
    }
    compare_here();
}

NOINLINE static void translates(int depth)
{
    try {
        Compares one(depth);
        goes_on(depth);
    } catch (...) {
        compare_here();
        throw std::logic_error("another");
    }
}

NOINLINE static void function_object(int depth)
{
    std::string kept(40, 'k');
    std::function<void()> function = [depth, kept] { goes_on(depth + (kept.size() > 100)); };
    function();
    NOT_A_TAIL_CALL;
}

struct Base {
    virtual ~Base() = default;
    virtual void call(int depth) = 0;
};
struct Other {
    virtual ~Other() = default;
    virtual void call_other(int depth) = 0;
};

/* Called through the second base: by a thunk. */
struct Both : Base, Other {
    NOINLINE void call(int depth) override
    {
        Compares one(depth);
        goes_on(depth);
    }
    NOINLINE void call_other(int depth) override
    {
        goes_on(depth);
        NOT_A_TAIL_CALL;
    }
};

NOINLINE static void virtual_call(int depth)
{
    auto both = std::make_unique<Both>();
    Other *other = both.get();
    Base *base = both.get();
    if (choose(2))
        other->call_other(depth);
    else
        base->call(depth);
    NOT_A_TAIL_CALL;
}

static thread_local int sort_depth;

static int compares(const void *a, const void *b)
{
    goes_on(sort_depth);
    return *(const int *)a - *(const int *)b;
}

/* Exceptions pass through qsort's frames. */
NOINLINE static void sorts(int depth)
{
    int numbers[3] = {2, 3, 1}, outer = sort_depth;
    Compares one(depth);
    sort_depth = depth;
    try {
        std::qsort(numbers, 3, sizeof *numbers, compares);
    } catch (...) {
        sort_depth = outer;
        throw;
    }
    sort_depth = outer;
}

NOINLINE static void goes_on(int depth)
{
    static void (*const shapes[])(int) = {plain,      inside,          variable,     catches, catches,
                                          translates, function_object, virtual_call, sorts};
    if (choose(3) == 0)
        compare_here();
    if (depth <= 0 || compare_count() >= leave_at) {
        if (choose(2))
            throw(int) choose(100);
        news();
        return;
    }
    for (uint32_t n = 1 + choose(2); n; n--)
        shapes[choose(sizeof shapes / sizeof *shapes)](depth - 1);
}

int main(int argc, char **argv)
{
    uint64_t comparisons = argument(argc, argv, 1, 10000);
    while (compare_count() < comparisons) {
        leave_at = compare_count() + 200;
        try {
            goes_on((int)choose(20));
        } catch (...) {
            compare_here();
        }
    }
    return compare_report();
}
