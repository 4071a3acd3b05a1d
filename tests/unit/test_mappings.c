// SPDX-License-Identifier: MIT
/*
 * The books of mappings, against an array that has each page's owner.
 */
#include "shim_support.h"
#include "../../shim/track/mappings.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAGES = 200, STEPS = 2 * 1000 * 1000, MANY = 100 * 1000 };

static void no_stacks(struct thread *self)
{
    (void)self;
}

static struct thread *begin(void)
{
    shim_steps.start = no_stacks;
    return shim_enter();
}

static struct range pages(uint32_t first, uint32_t count)
{
    uintptr_t base = (uintptr_t)1 << 30;
    return (struct range){base + first * PAGE_SIZE, base + (first + count) * PAGE_SIZE};
}

/* --- at random ------------------------------------------------------------------------------------------ */

/* By page, who owns it, 0: nobody; by owner, how many pages are left, and how many are about to go. */
static uint32_t owner[PAGES], left[STEPS + 1], going[STEPS + 1];
static uint64_t state;

static uint32_t below(uint32_t n)
{
    return (uint32_t)(shim_random(&state) % n);
}

static void lose_all(struct taken *taken)
{
    struct mapping_loss loss;
    while (mappings_lose(taken, &loss)) {
        uint32_t lost = (uint32_t)(loss.bytes / PAGE_SIZE);
        assert_in_range(lost, 1, going[loss.site]);
        going[loss.site] -= lost;
        left[loss.site] -= lost;
        assert_int_equal(loss.last, left[loss.site] == 0);
    }
}

struct part {
    uint32_t first, count;
    struct taken taken;
};

/* Two pieces of one mapping may lie side by side: then it is whole, and not known to be. */
static struct part take(uint32_t first, uint32_t count)
{
    struct part part = {first, count, mappings_take(pages(first, count))};
    uint32_t id = 0, found = 0;
    for (uint32_t i = first; i < first + count; i++) {
        id = owner[i] ? owner[i] : id;
        found += owner[i] != 0;
    }
    assert_int_equal(part.taken.pieces != NULL, found != 0);
    if (mappings_is_whole(&part.taken))
        assert_int_equal(found, left[id]);
    return part;
}

static void end(struct part *part, bool unmapped)
{
    uint32_t *from = &owner[part->first];
    if (!unmapped) {
        mappings_put_back(&part->taken);
        return;
    }
    for (uint32_t i = 0; i < part->count; i++)
        going[from[i]] += from[i] != 0;
    lose_all(&part->taken);
    for (uint32_t i = 0; i < part->count; i++) {
        assert_int_equal(going[from[i]], 0);
        from[i] = 0;
    }
}

static void map(uint32_t first, uint32_t count, uint32_t id)
{
    assert_non_null(mappings_put(pages(first, count), id, MAPPING_FILE));
    for (uint32_t i = first; i < first + count; i++)
        owner[i] = id;
    left[id] = count;
}

/* Another may be at it beside, elsewhere: what one has taken the other does not see. */
static void take_two(uint32_t id)
{
    uint32_t middle = 1 + below(PAGES - 1), first = below(middle), other = middle + below(PAGES - middle);
    struct part a = take(first, 1 + below(middle - first)), b = take(other, 1 + below(PAGES - other));
    bool unmapped = below(4);
    end(&a, unmapped);
    end(&b, below(4));
    if (unmapped && below(2))
        map(a.first, a.count, id);
}

static void add_up(const void *standing, struct block_entry entry, void *sums)
{
    uint64_t *sum = sums;
    assert_non_null(standing);
    sum[0]++;
    sum[1] += entry.size;
    assert_int_equal(entry.size, left[entry.site] * PAGE_SIZE);
}

static void assert_visit_sees_all(void)
{
    uint64_t found[2] = {0}, blocks = 0, bytes = 0;
    mappings_visit(add_up, found);
    for (uint32_t i = 0; i < PAGES; i++)
        bytes += owner[i] ? PAGE_SIZE : 0;
    for (uint32_t id = 1; id <= STEPS; id++)
        blocks += left[id] != 0;
    assert_int_equal(found[0], blocks);
    assert_int_equal(found[1], bytes);
}

static void run_at_random(void)
{
    begin();
    state = 7;
    for (uint32_t id = 1; id <= STEPS; id++) {
        take_two(id);
        if (id % (STEPS / 20) == 0)
            assert_visit_sees_all();
    }
    struct part all = take(0, PAGES);
    assert_non_null(all.taken.pieces);
    end(&all, true);
    assert_visit_sees_all();
}

static void test_is_the_array(void **unused)
{
    (void)unused;
    shim_in_child(run_at_random);
}

/* --- one by one ------------------------------------------------------------------------------------------ */

static void lose_one(struct taken *taken, uint32_t site, uint32_t count, bool last)
{
    struct mapping_loss loss;
    assert_true(mappings_lose(taken, &loss));
    assert_int_equal(loss.site, site);
    assert_int_equal(loss.bytes, count * PAGE_SIZE);
    assert_int_equal(loss.last, last);
}

static void lose_none(struct taken *taken)
{
    struct mapping_loss loss;
    assert_false(mappings_lose(taken, &loss));
}

static void run_parts(void)
{
    begin();
    mappings_put(pages(0, 10), 1, MAPPING_FILE);
    mappings_put(pages(10, 5), 2, MAPPING_ANONYMOUS);
    assert_int_equal(mappings_kind((const void *)(pages(10, 1).start - 1)), MAPPING_FILE);
    assert_int_equal(mappings_kind((const void *)pages(10, 1).start), MAPPING_ANONYMOUS);
    struct taken middle = mappings_take(pages(4, 2));
    assert_false(mappings_is_whole(&middle));
    lose_one(&middle, 1, 2, false);
    lose_none(&middle);
    assert_int_equal(mappings_kind((const void *)pages(4, 1).start), MAPPING_ANONYMOUS);
    struct taken nothing = mappings_take(pages(4, 2)), second = mappings_take(pages(10, 5));
    lose_none(&nothing);
    assert_true(mappings_is_whole(&second));
    mappings_put_back(&second);
    struct taken rest = mappings_take(pages(0, 100));
    assert_false(mappings_is_whole(&rest));
    uint64_t bytes = 0, deaths = 0;
    for (struct mapping_loss loss; mappings_lose(&rest, &loss);) {
        bytes += loss.bytes;
        deaths += loss.last;
    }
    assert_int_equal(bytes, 13 * PAGE_SIZE);
    assert_int_equal(deaths, 2);
}

static void test_parts(void **unused)
{
    (void)unused;
    shim_in_child(run_parts);
}

/* Who has taken something out must not find it among what comes after. */
static void run_forgotten(void)
{
    begin();
    mappings_put(pages(0, 10), 1, MAPPING_ANONYMOUS);
    mappings_put(pages(20, 10), 1, MAPPING_ANONYMOUS);
    struct taken taken = mappings_take(pages(0, 10));
    mappings_forget();
    mappings_put(pages(0, 10), 2, MAPPING_ANONYMOUS);
    mappings_put(pages(20, 10), 3, MAPPING_ANONYMOUS);
    lose_none(&taken);
    struct taken all = mappings_take(pages(0, 25));
    uint64_t sum = 0;
    for (struct mapping_loss loss; mappings_lose(&all, &loss);)
        sum += loss.site * loss.bytes / PAGE_SIZE;
    assert_int_equal(sum, 2 * 10 + 3 * 5);
    mappings_forget();
    all = mappings_take(pages(0, 100));
    lose_none(&all);
}

static void test_forgotten(void **unused)
{
    (void)unused;
    shim_in_child(run_forgotten);
}

/* In order, as a program would map them, and cut to ribbons. */
static void run_many(void)
{
    begin();
    for (uint32_t i = 0; i < MANY; i++)
        mappings_put(pages(4 * i, 3), 1 + i, MAPPING_ANONYMOUS);
    for (uint32_t i = MANY; i-- > 0;) {
        struct taken taken = mappings_take(pages(4 * i + 1, 1));
        lose_one(&taken, 1 + i, 1, false);
    }
    struct taken all = mappings_take(pages(0, 4 * MANY));
    uint32_t pieces = 0, deaths = 0;
    for (struct mapping_loss loss; mappings_lose(&all, &loss); pieces++)
        deaths += loss.last;
    assert_int_equal(pieces, 2 * MANY);
    assert_int_equal(deaths, MANY);
}

static void test_many(void **unused)
{
    (void)unused;
    shim_in_child(run_many);
}

static void assert_range(uintptr_t start, size_t size, uint64_t bytes)
{
    struct range range = range_of((const void *)start, size);
    assert_int_equal(range.start, start);
    assert_int_equal(range.end - range.start, bytes);
}

static void test_ranges(void **unused)
{
    (void)unused;
    uintptr_t top = (uintptr_t)1 << 47;
    assert_range(PAGE_SIZE, 0, 0);
    assert_range(PAGE_SIZE, 1, PAGE_SIZE);
    assert_range(PAGE_SIZE, PAGE_SIZE, PAGE_SIZE);
    assert_range(PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE);
    assert_range(PAGE_SIZE + 1, PAGE_SIZE, 0);
    assert_range(PAGE_SIZE, SIZE_MAX, 0);
    assert_range(0, top - PAGE_SIZE, top - PAGE_SIZE);
    assert_range(top - 2 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE);
    assert_range(top - PAGE_SIZE, 1, 0);
    assert_range(-PAGE_SIZE, PAGE_SIZE, 0);
}

static void run_frames(void)
{
    begin();
    uint32_t modules = file_header->module_count;
    uint32_t anonymous = mappings_frame(MAPPING_ANONYMOUS), of_file = mappings_frame(MAPPING_FILE);
    assert_true(anonymous && of_file && anonymous != of_file);
    assert_int_equal(mappings_frame(MAPPING_FILE), of_file);
    assert_int_equal(file_header->module_count, modules + 2);
}

static void test_a_kind_has_one_frame(void **unused)
{
    (void)unused;
    shim_in_child(run_frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_a_kind_has_one_frame),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_forgotten),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_is_the_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
