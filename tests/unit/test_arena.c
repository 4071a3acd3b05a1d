// SPDX-License-Identifier: MIT
#include "shim_support.h"
#include "../../shim/base/arena.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static const size_t sizes[] = {1, 8, 15, 16, 17, 63, 64, 65, 100, 1000, 4096,
                               32767, 32768, 32769, 100000, 1 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void assert_zeroed(const unsigned char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(p[i], 0);
}

static void test_pieces_are_zeroed_and_aligned(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < SIZES; i++) {
            void *p = arena_alloc(sizes[i]);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % (sizes[i] >= 64 ? 64 : 16), 0);
            assert_zeroed(p, sizes[i]);
            memset(p, 0xff, sizes[i]);
        }
    }
}

enum { PIECES = 5000 };

static void test_pieces_do_not_overlap(void **state)
{
    (void)state;
    static struct {
        unsigned char *at;
        size_t size;
    } pieces[PIECES];
    uint64_t numbers = 1;
    for (int i = 0; i < PIECES; i++) {
        pieces[i].size = 1 + shim_random(&numbers) % (i % 50 ? 300 : 60000);
        pieces[i].at = arena_alloc(pieces[i].size);
        assert_non_null(pieces[i].at);
        memset(pieces[i].at, i, pieces[i].size);
    }
    for (int i = 0; i < PIECES; i++)
        for (size_t n = 0; n < pieces[i].size; n++)
            assert_int_equal(pieces[i].at[n], (unsigned char)i);
}

static void test_bytes_are_counted(void **state)
{
    (void)state;
    uint64_t before = arena_bytes();
    void *small = arena_alloc(10), *large = arena_alloc(100000);
    assert_int_equal(arena_bytes() - before, 16 + 102400);
    arena_free(large, 100000);
    assert_int_equal(arena_bytes() - before, 16);
    arena_free(small, 10);              /* never comes back */
    assert_int_equal(arena_bytes() - before, 16);
}

static void test_large_pieces_come_back(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {    /* 200 GiB */
        char *p = arena_alloc(100 << 20);
        assert_non_null(p);
        p[0] = 1;
        arena_free(p, 100 << 20);
        assert_int_equal(sys_madvise(p, PAGE_SIZE, MADV_NORMAL), -ENOMEM);
    }
}

static void test_reserving_costs_nothing(void **state)
{
    (void)state;
    uint64_t before = arena_bytes();
    char *p = arena_reserve(1ul << 36);
    assert_non_null(p);
    p[1ul << 35] = 1;
    assert_int_equal(p[(1ul << 35) + 1], 0);
    assert_int_equal(arena_bytes(), before);
    sys_munmap(p, 1ul << 36);
}

static void exhaust(void)
{
    struct rlimit limit = {1, 1};
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    bool refused = false;
    for (int i = 0; i < 40000 && !refused; i++)
        refused = arena_alloc(1000) == NULL;
    assert_true(refused);
    assert_null(arena_alloc(1 << 20));
    assert_null(arena_alloc(1000));
}

static void test_no_memory_is_null(void **state)
{
    (void)state;
    shim_in_child(exhaust);
}

static void *allocate_often(void *mark)
{
    unsigned char *pieces[2000];
    for (int i = 0; i < 2000; i++) {
        pieces[i] = arena_alloc(40);
        memset(pieces[i], (int)(intptr_t)mark, 40);
    }
    for (int i = 0; i < 2000; i++)
        for (int n = 0; n < 40; n++)
            assert_int_equal(pieces[i][n], (intptr_t)mark);
    return NULL;
}

static void allocate_in_threads(void)
{
    pthread_t threads[8];
    for (intptr_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_often, (void *)(i + 1)), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(arena_bytes(), 8 * 2000 * 48);
}

static void test_threads_get_pieces_of_their_own(void **state)
{
    (void)state;
    shim_in_child(allocate_in_threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_get_pieces_of_their_own),
        cmocka_unit_test(test_pieces_are_zeroed_and_aligned),
        cmocka_unit_test(test_pieces_do_not_overlap),
        cmocka_unit_test(test_bytes_are_counted),
        cmocka_unit_test(test_large_pieces_come_back),
        cmocka_unit_test(test_reserving_costs_nothing),
        cmocka_unit_test(test_no_memory_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
