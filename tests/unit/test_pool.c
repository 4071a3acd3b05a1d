// SPDX-License-Identifier: MIT
/* Strings that are kept once, as long as there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/pool.h"

static void once(void **state)
{
    (void)state;
    struct pool pool;
    char string[] = "name";
    pool_start(&pool, 100);
    const char *kept = pool_keep(&pool, string, 4);
    string[0] = 'g';
    assert_string_equal(kept, "name");
    assert_string_equal(pool_keep(&pool, string, 4), "game");
    assert_ptr_equal(pool_keep(&pool, "names", 4), kept);
    assert_string_equal(pool_keep(&pool, "names", 5), "names");
    assert_string_equal(pool_keep(&pool, "names", 0), "");
    pool_free(&pool);
}

static void no_more_room(void **state)
{
    (void)state;
    struct pool pool;
    pool_start(&pool, 10);
    const char *kept = pool_keep(&pool, "name", 4);
    assert_non_null(kept);
    assert_null(pool_keep(&pool, "names", 5));
    assert_ptr_equal(pool_keep(&pool, "name", 4), kept);
    assert_non_null(pool_keep(&pool, "game", 4));
    assert_null(pool_keep(&pool, "", 0));
    pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(once), cmocka_unit_test(no_more_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
