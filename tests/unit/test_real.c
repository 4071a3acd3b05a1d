// SPDX-License-Identifier: MIT
/*
 * The real functions, and the blocks for callers that come before them.
 */
#include "shim_support.h"
#include "../../shim/edge/real.h"
#include <errno.h>
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- bootstrap ----------------------------------------------------------------------------------------- */

static void allocate_all_sizes(void)
{
    static const size_t alignments[] = {1, 8, 16, 32, 64, 256, 4096};
    for (size_t size = 0; size < 200; size++) {
        size_t alignment = alignments[size % 7];
        unsigned char *p = bootstrap_alloc(size, alignment);
        if (alignment == 4096 && !p)
            continue;                   /* used up */
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % (alignment < 16 ? 16 : alignment), 0);
        assert_true(bootstrap_owns(p));
        assert_int_equal(bootstrap_size(p), size);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
        assert_int_equal(bootstrap_size(p), size);
    }
}

static void test_bootstrap_blocks_are_aligned_zeroed_and_know_their_size(void **state)
{
    (void)state;
    shim_in_child(allocate_all_sizes);
}

static void use_up(void)
{
    static char *blocks[4000];
    int count = 0;
    assert_null(bootstrap_alloc(SIZE_MAX, 16));
    assert_null(bootstrap_alloc(SIZE_MAX - 8, 16));
    assert_null(bootstrap_alloc(1 << 20, 16));
    assert_null(bootstrap_alloc(16, 8192));
    while (count < 4000 && (blocks[count] = bootstrap_alloc(109, 16)))
        memset(blocks[count], count, 109), count++;
    assert_in_range(count, 1500, 3000);
    for (int i = 0; i < count; i++) {
        assert_int_equal(bootstrap_size(blocks[i]), 109);
        for (int n = 0; n < 109; n++)
            assert_int_equal(blocks[i][n], (char)i);
    }
    assert_null(bootstrap_alloc(109, 16));
}

static void test_bootstrap_ends_in_null(void **state)
{
    (void)state;
    shim_in_child(use_up);
}

static void test_others_blocks_are_not_owned(void **state)
{
    (void)state;
    int local;
    void *heap = malloc(10);
    assert_false(bootstrap_owns(NULL));
    assert_false(bootstrap_owns(&local));
    assert_false(bootstrap_owns(heap));
    assert_false(bootstrap_owns((void *)(uintptr_t)use_up));
    free(heap);
}

static void *allocate_in_thread(void *mark)
{
    char *blocks[100];
    for (int i = 0; i < 100; i++) {
        blocks[i] = bootstrap_alloc(50, 16);
        memset(blocks[i], (int)(intptr_t)mark, 50);
    }
    for (int i = 0; i < 100; i++)
        for (int n = 0; n < 50; n++)
            assert_int_equal(blocks[i][n], (intptr_t)mark);
    return NULL;
}

static void allocate_in_threads(void)
{
    pthread_t threads[8];
    for (intptr_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_in_thread, (void *)i), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

static void test_threads_get_blocks_of_their_own(void **state)
{
    (void)state;
    shim_in_child(allocate_in_threads);
}

/* --- the real ones ------------------------------------------------------------------------------------- */

static void test_the_real_functions_are_found_once(void **state)
{
    (void)state;
    assert_null((void *)(uintptr_t)real.malloc);
    assert_true(real_start());
    assert_null(dlerror());             /* of what this libc does not have */
    assert_ptr_equal((void *)(uintptr_t)real.malloc, dlsym(RTLD_NEXT, "malloc"));
    assert_ptr_equal((void *)(uintptr_t)real.memalign, dlsym(RTLD_NEXT, "memalign"));
    assert_ptr_equal((void *)(uintptr_t)real.free_sized, dlsym(RTLD_NEXT, "free_sized"));
    char *p = real.malloc(10);
    p = real.realloc(p, 1000);
    real.free(p);
    p = real.calloc(10, 10);
    assert_int_equal(p[99], 0);
    real.free(p);
    assert_false(real_start());         /* somebody is at it, or was */
}

static void test_modules_are_told_apart(void **state)
{
    (void)state;
    void *puts_function = dlsym(RTLD_DEFAULT, "puts"), *qsort_function = dlsym(RTLD_DEFAULT, "getline");
    assert_true(real_same_module(puts_function, qsort_function));
    assert_false(real_same_module(puts_function, (void *)(uintptr_t)use_up));
}

static void test_blocks_of_glibc_lie_32_bytes_apart(void **state)
{
    (void)state;
    unsigned granule = real_granule();
#ifdef __SANITIZE_ADDRESS__
    assert_int_equal(granule, 8);       /* another allocator */
#else
    assert_int_equal(granule, 32);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bootstrap_blocks_are_aligned_zeroed_and_know_their_size),
        cmocka_unit_test(test_bootstrap_ends_in_null),
        cmocka_unit_test(test_others_blocks_are_not_owned),
        cmocka_unit_test(test_threads_get_blocks_of_their_own),
        cmocka_unit_test(test_the_real_functions_are_found_once),
        cmocka_unit_test(test_modules_are_told_apart),
        cmocka_unit_test(test_blocks_of_glibc_lie_32_bytes_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
