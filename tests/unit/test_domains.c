// SPDX-License-Identifier: MIT
/*
 * Blocks that the program tells of, against an array; domains do not know each other's.
 */
#include "shim_support.h"
#include "../../shim/track/counters.h"
#include "../../shim/track/domains.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DOMAINS = 3, ADDRESSES = 200, STEPS = 20000 };

static struct block_entry right[DOMAINS][ADDRESSES];

static void no_stacks(struct thread *self)
{
    (void)self;
}

static struct thread *begin(void)
{
    shim_steps.start = no_stacks;
    return shim_enter();
}

static const void *address(uint32_t i)
{
    return (const void *)(uintptr_t)(0x1000 + i);      /* as close as can be */
}

static void assert_same_entry(struct block_entry found, struct block_entry wanted)
{
    assert_int_equal(found.site, wanted.site);
    assert_int_equal(found.size, wanted.size);
}

static void put(uint32_t domain, uint32_t i, struct block_entry entry)
{
    struct block_entry old;
    const void *standing = domains_put(domain, address(i), entry, &old);
    assert_non_null(standing);
    assert_ptr_not_equal(standing, address(i));
    assert_same_entry(old, right[domain][i]);
    right[domain][i] = entry;
}

static void take(uint32_t domain, uint32_t i)
{
    const void *standing;
    assert_same_entry(domains_take(domain, address(i), &standing), right[domain][i]);
    assert_int_equal(standing != NULL, right[domain][i].site != 0);
    right[domain][i] = (struct block_entry){0};
}

static void add_up(const void *block, struct block_entry entry, void *sum)
{
    *(uint64_t *)sum += entry.size * 31 + entry.site + (uintptr_t)block;
}

static void assert_visit_sees_all(void)
{
    uint64_t found = 0, wanted = 0;
    domains_visit(add_up, &found);
    for (uint32_t domain = 0; domain < DOMAINS; domain++)
        for (uint32_t i = 0; i < ADDRESSES; i++)
            if (right[domain][i].site)
                add_up(address(i), right[domain][i], &wanted);
    assert_int_equal(found, wanted);
}

static void run_array(void)
{
    begin();
    uint64_t state = 11;
    for (int step = 0; step < STEPS; step++) {
        uint32_t domain = (uint32_t)(shim_random(&state) % DOMAINS), i = (uint32_t)(shim_random(&state) % ADDRESSES);
        if (shim_random(&state) % 2)
            put(domain, i, (struct block_entry){shim_random(&state) >> 8, 1 + (uint32_t)step, false});
        else
            take(domain, i);
        if (step % 1000 == 0)
            assert_visit_sees_all();
    }
    domains_forget();
    memset(right, 0, sizeof right);
    assert_visit_sees_all();
    for (uint32_t i = 0; i < ADDRESSES; i++)
        take(1, i);
    put(1, 5, (struct block_entry){7, 8, false});
    assert_visit_sees_all();
}

static void test_is_the_array(void **state)
{
    (void)state;
    shim_in_child(run_array);
}

static void run_frames(void)
{
    begin();
    uint32_t modules = file_header->module_count, first = domains_frame(1), second = domains_frame(4000000000u);
    assert_true(first && second && first != second);
    assert_int_equal(domains_frame(1), first);
    assert_int_equal(file_header->module_count, modules + 2);
    const struct trace_section *section = shim_section(NULL, TRACE_MODULES);
    const struct trace_module *module = (const struct trace_module *)(section + 1) + modules + 1;
    assert_string_equal(file_at(module->path), "[domain 4000000000]");
}

static void test_a_domain_has_one_frame(void **state)
{
    (void)state;
    shim_in_child(run_frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_the_array),
        cmocka_unit_test(test_a_domain_has_one_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
