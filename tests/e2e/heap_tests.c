// SPDX-License-Identifier: MIT
/*
 * heap_tests passing|failing|unprepared: cmocka tests by <tracemalloc_cmocka.h>.  Of the first group all pass; of the
 * second none does; the third has no setup.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tracemalloc_cmocka.h>

/* --- that pass ----------------------------------------------------------------------------------------- */

static void *of_group;

static int group_setup(void **state)
{
    *state = of_group = malloc(100000);
    return of_group ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    free(of_group);
    return 0;
}

static void nothing_is_allocated(void **state)
{
    tracemalloc_test_setup(state);
    assert_no_leaks();
    assert_allocations(0);
    assert_peak_below(1);
}

static void everything_is_freed(void **state)
{
    tracemalloc_test_setup(state);
    free(malloc(100));
    free(malloc(50));
    assert_no_leaks();
    assert_allocations(2);
    assert_peak_below(101);
}

static void much_is_allocated(void **state)
{
    tracemalloc_test_setup(state);
    free(malloc(5000000));
    assert_peak_below(5000001);
}

/* The peak of the test before does not count. */
static void little_is_allocated(void **state)
{
    (void)state;
    free(malloc(10));
    assert_peak_below(11);
}

static void realloc_is_an_allocation(void **state)
{
    tracemalloc_test_setup(state);
    void *block = realloc(malloc(100), 200);
    free(block);
    assert_no_leaks();
    assert_allocations(2);
}

/* Twice in one test, and what the first part keeps does not count. */
static void setup_begins_anew(void **state)
{
    tracemalloc_test_setup(state);
    void *kept = malloc(100);
    tracemalloc_test_setup(state);
    free(malloc(7));
    assert_no_leaks();
    assert_allocations(1);
    assert_peak_below(8);
    free(kept);
}

static int own_setup(void **state)
{
    *state = malloc(300);
    return tracemalloc_test_setup(state);
}

static int own_teardown(void **state)
{
    int result = tracemalloc_test_teardown(state);
    free(*state);
    return result;
}

static void state_is_the_setups_own(void **state)
{
    memset(*state, 1, 300);
    assert_no_leaks();
    assert_allocations(0);
}

static void *allocate(void *argument)
{
    for (volatile int i = 0; i < 1000; i++)
        free(malloc(10));
    return argument;
}

static void run_thread(void)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, allocate, NULL), 0);
    pthread_join(thread, NULL);
}

/* The first thread's tables are kept for the next. */
static void threads_count(void **state)
{
    run_thread();
    tracemalloc_test_setup(state);
    run_thread();
    assert_no_leaks();
    assert_allocations(1000);
}

/* --- that fail ----------------------------------------------------------------------------------------- */

static void *lost[8];

static void a_block_leaks(void **state)
{
    (void)state;
    lost[0] = malloc(24);
    assert_no_leaks();
}

static void a_block_of_no_bytes_leaks(void **state)
{
    (void)state;
    lost[1] = malloc(0);
    assert_no_leaks();
}

static void the_peak_is_as_much(void **state)
{
    (void)state;
    free(malloc(100));
    assert_peak_below(100);
}

static void one_allocation_too_many(void **state)
{
    (void)state;
    free(malloc(1));
    free(malloc(1));
    assert_allocations(1);
}

static void one_allocation_too_few(void **state)
{
    (void)state;
    free(malloc(1));
    assert_allocations(2);
}

static void the_teardown_sees_a_leak(void **state)
{
    (void)state;
    lost[2] = malloc(48);
}

/* ------------------------------------------------------------------------------------------------------- */

static void no_setup(void **state)
{
    (void)state;
    assert_no_leaks();
}

#define PREPARED(test) cmocka_unit_test_setup(test, tracemalloc_test_setup)

int main(int argc, char **argv)
{
    const struct CMUnitTest passing[] = {
        cmocka_unit_test(nothing_is_allocated),
        cmocka_unit_test(everything_is_freed),
        cmocka_unit_test(much_is_allocated),
        cmocka_unit_test_setup_teardown(little_is_allocated, tracemalloc_test_setup,
                                        tracemalloc_test_teardown),
        cmocka_unit_test(realloc_is_an_allocation),
        cmocka_unit_test(setup_begins_anew),
        cmocka_unit_test_setup_teardown(state_is_the_setups_own, own_setup, own_teardown),
        cmocka_unit_test(threads_count),
    };
    const struct CMUnitTest failing[] = {
        PREPARED(a_block_leaks),
        PREPARED(a_block_of_no_bytes_leaks),
        PREPARED(the_peak_is_as_much),
        PREPARED(one_allocation_too_many),
        PREPARED(one_allocation_too_few),
        cmocka_unit_test_setup_teardown(the_teardown_sees_a_leak, tracemalloc_test_setup,
                                        tracemalloc_test_teardown),
    };
    const struct CMUnitTest unprepared[] = {cmocka_unit_test(no_setup)};
    const char *which = argc > 1 ? argv[1] : "passing";
    if (strcmp(which, "failing") == 0)
        return cmocka_run_group_tests(failing, group_setup, group_teardown);
    if (strcmp(which, "unprepared") == 0)
        return cmocka_run_group_tests(unprepared, NULL, NULL);
    return cmocka_run_group_tests(passing, group_setup, group_teardown);
}
