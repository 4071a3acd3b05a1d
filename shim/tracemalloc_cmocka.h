// SPDX-License-Identifier: MIT
/*
 * cmocka tests that look at the heap: header-only, beside <tracemalloc.h> and after <cmocka.h>.
 *
 *     static void parses(void **state)
 *     {
 *         tracemalloc_test_setup(state);
 *         struct document *document = document_parse("<a/>");
 *         assert_peak_below(64 * 1024);
 *         document_free(document);
 *         assert_no_leaks();
 *         assert_allocations(3);
 *     }
 *
 * The test runs as ever; under the recorder (`tracemalloc run ./test`) its heap is looked at.  Without it, the first
 * assertion prints why and skips the rest of the test, which then does not count as passed: they best come last.
 *
 * tracemalloc_test_setup can be called at the beginning of a test, in a setup function, or be one, for all that sets up
 * nothing else:
 *
 *     cmocka_unit_test_setup_teardown(parses, tracemalloc_test_setup, tracemalloc_test_teardown)
 *
 * What came before does not count: what a group's setup allocated, say.  All figures are those of the process since
 * then, with those of other threads as far as <tracemalloc.h> says; a block from before that a test frees makes up for
 * one that it leaks.  A stream's first output allocates its buffer: it should have come before (to stdout cmocka has
 * written by then).  Do not give these two to a whole group: cmocka ignores it if a group's teardown fails.
 *
 * The setup resets the peak of the trace (tracemalloc_reset_peak): in reports it is that of the last test.
 */
#ifndef TRACEMALLOC_CMOCKA_H
#define TRACEMALLOC_CMOCKA_H

#include "tracemalloc.h"

/* What there was when the test began; one for the program. */
struct tracemalloc_test {
    int begun, peak_is_known;
    size_t current, peak, allocations, blocks;
};
__attribute__((weak)) struct tracemalloc_test tracemalloc_test;

#define TRACEMALLOC_TEST_FUNCTION __attribute__((unused)) static

/* Begins to look.  A setup function, or called by one or by a test; returns 0. */
TRACEMALLOC_TEST_FUNCTION int tracemalloc_test_setup(void **state)
{
    struct tracemalloc_test *test = &tracemalloc_test;
    (void)state;
    test->begun = 1;
    test->peak_is_known = tracemalloc_reset_peak() == 0;
    tracemalloc_get_traced_memory(&test->current, NULL);
    tracemalloc_get_traced_counts(&test->allocations, &test->blocks);
    return 0;
}

/* How much more there is now; 0 if there is less. */
TRACEMALLOC_TEST_FUNCTION struct tracemalloc_test tracemalloc_test_grown(void)
{
    struct tracemalloc_test now = tracemalloc_test;
    const struct tracemalloc_test *then = &tracemalloc_test;
    tracemalloc_get_traced_memory(&now.current, &now.peak);
    tracemalloc_get_traced_counts(&now.allocations, &now.blocks);
    now.current = now.current > then->current ? now.current - then->current : 0;
    now.peak = now.peak > then->current ? now.peak - then->current : 0;
    now.blocks = now.blocks > then->blocks ? now.blocks - then->blocks : 0;
    now.allocations = now.allocations > then->allocations ? now.allocations - then->allocations : 0;
    return now;
}

/* Skips the test if nothing is recorded, and lets it fail if it has not begun to look. */
TRACEMALLOC_TEST_FUNCTION void tracemalloc_test_check(const char *name, const char *file, int line)
{
    if (!tracemalloc_is_tracing()) {
        print_message("%s:%d: %s: the heap is not recorded; `tracemalloc run` does that\n", file, line, name);
        _skip(file, line);
    } else if (!tracemalloc_test.begun) {
        print_error("ERROR: %s: there was no tracemalloc_test_setup\n", name);
        _fail(file, line);
    }
}

/* Prints what leaked, if anything did: then 0. */
TRACEMALLOC_TEST_FUNCTION int tracemalloc_test_is_clean(void)
{
    struct tracemalloc_test grown = tracemalloc_test_grown();
    if (!grown.blocks && !grown.current)
        return 1;
    print_error("ERROR: since the test began live blocks are %zu more, bytes %zu\n", grown.blocks, grown.current);
    return 0;
}

/* All that was allocated has been freed. */
#define assert_no_leaks() tracemalloc_test_leaks(__FILE__, __LINE__)
TRACEMALLOC_TEST_FUNCTION void tracemalloc_test_leaks(const char *file, int line)
{
    tracemalloc_test_check("assert_no_leaks", file, line);
    if (!tracemalloc_test_is_clean())
        _fail(file, line);
}

/* At no moment so far were so many bytes more live, or even more than that, than when the test began. */
#define assert_peak_below(bytes) tracemalloc_test_peak(bytes, __FILE__, __LINE__)
TRACEMALLOC_TEST_FUNCTION void tracemalloc_test_peak(size_t bytes, const char *file, int line)
{
    tracemalloc_test_check("assert_peak_below", file, line);
    size_t peak = tracemalloc_test_grown().peak;
    if (peak < bytes)
        return;
    if (tracemalloc_test.peak_is_known)
        print_error("ERROR: since the test began the peak is %zu bytes more, not below %zu\n", peak, bytes);
    else
        print_error("ERROR: the peak could not be reset when the test began: it is not known\n");
    _fail(file, line);
}

/* There were so many allocations, no less and no more; a realloc of a block is one. */
#define assert_allocations(count) tracemalloc_test_allocations(count, __FILE__, __LINE__)
TRACEMALLOC_TEST_FUNCTION void tracemalloc_test_allocations(size_t count, const char *file, int line)
{
    tracemalloc_test_check("assert_allocations", file, line);
    size_t allocations = tracemalloc_test_grown().allocations;
    if (allocations == count)
        return;
    print_error("ERROR: since the test began allocations are %zu, not %zu\n", allocations, count);
    _fail(file, line);
}

/* A teardown function: fails if anything leaked.  Where nothing is recorded it passes. */
TRACEMALLOC_TEST_FUNCTION int tracemalloc_test_teardown(void **state)
{
    (void)state;
    return !tracemalloc_is_tracing() || !tracemalloc_test.begun || tracemalloc_test_is_clean() ? 0 : -1;
}

#endif
