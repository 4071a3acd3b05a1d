// SPDX-License-Identifier: MIT
/* Memory beyond an allowance is refused, until it is lifted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "model/allowance.h"

#define MIB ((size_t)1 << 20)

static bool can_get(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED)
        munmap(memory, size);
    return memory != MAP_FAILED;
}

static void so_much_and_no_more(void **state)
{
    (void)state;
    struct rlimit before, after;
    getrlimit(RLIMIT_DATA, &before);
    allowance_set(100 * MIB);
    assert_true(can_get(90 * MIB));
    assert_false(can_get(110 * MIB));
    allowance_set(200 * MIB);
    assert_true(can_get(110 * MIB));
    assert_false(can_get(210 * MIB));
    allowance_lift();
    assert_true(can_get(210 * MIB));
    getrlimit(RLIMIT_DATA, &after);
    assert_memory_equal(&before, &after, sizeof(before));
}

static void a_limit_that_there_is_stays(void **state)
{
    (void)state;
    struct rlimit before, changed, after;
    getrlimit(RLIMIT_DATA, &before);
    changed = (struct rlimit){UINT64_C(1) << 40, before.rlim_max};
    setrlimit(RLIMIT_DATA, &changed);
    allowance_set(UINT64_C(1) << 41);
    getrlimit(RLIMIT_DATA, &after);
    assert_memory_equal(&after, &changed, sizeof(after));
    allowance_lift();
    getrlimit(RLIMIT_DATA, &after);
    assert_memory_equal(&after, &changed, sizeof(after));
    setrlimit(RLIMIT_DATA, &before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(so_much_and_no_more),
                                       cmocka_unit_test(a_limit_that_there_is_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
