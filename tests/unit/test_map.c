// SPDX-License-Identifier: MIT
/*
 * The map that is read without a lock: against a plain table; with readers while it is written, grows, drops.
 */
#include "shim_support.h"
#include "../../shim/base/arena.h"
#include "../../shim/base/map.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static uint32_t hash_of(uint64_t key, uint64_t value)
{
    (void)value;
    return map_mix(key);
}

static struct map map = {.hash = hash_of};

static const struct map_slot *find_in(const struct map *in, uint64_t key)
{
    return map_find(in, key, map_mix(key));
}

static bool put_in(struct map *in, uint64_t key, uint64_t value)
{
    return map_put(in, key, map_mix(key), value);
}

static void begin(size_t slots)
{
    assert_true(map_start(&map, slots));
}

static size_t slots_of_map(void)
{
    return atomic_load(&map.table)->mask + 1;
}

static void assert_there(uint64_t key, uint64_t value)
{
    const struct map_slot *slot = find_in(&map, key);
    assert_non_null(slot);
    assert_int_equal(map_value(slot), value);
}

static uint64_t numbers;

static uint64_t choose(uint64_t n)
{
    return shim_random(&numbers) % n;
}

/* --- one at a time ------------------------------------------------------------------------------------- */

static void test_what_was_put_is_found(void **state)
{
    static const uint64_t keys[] = {2, 3, 0x7fffffffffff, (uint64_t)1 << 63, UINT64_MAX - 1, UINT64_MAX};
    (void)state;
    begin(16);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_null(find_in(&map, keys[i]));
        assert_true(put_in(&map, keys[i], i));
        assert_there(keys[i], i);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_there(keys[i], i);
    assert_null(find_in(&map, 4));
}

static void test_a_key_has_its_latest_value(void **state)
{
    static const uint64_t values[] = {1, 0, UINT64_MAX, 1};
    (void)state;
    begin(16);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_true(put_in(&map, 100, values[i]));
        assert_there(100, values[i]);
    }
    for (int i = 0; i < 1000; i++)
        assert_true(put_in(&map, 100, 5));
    assert_int_equal(slots_of_map(), 16);
}

/* Keys whose home is the same, or the table's last slot. */
static void test_keys_of_one_home_are_told_apart(void **state)
{
    enum { KEYS = 7 };
    uint64_t keys[KEYS], key = 2;
    (void)state;
    for (size_t home = 0; home < 16; home += 15) {
        begin(16);
        for (int i = 0; i < KEYS; key++)
            if ((map_mix(key) & (15)) == home)
                keys[i++] = key;
        for (int i = 0; i < KEYS; i++)
            assert_true(put_in(&map, keys[i], keys[i] + 1));
        assert_int_equal(slots_of_map(), 16);
        map_drop(&map, keys[2], keys[2] + 1);
        for (int i = 0; i < KEYS; i++) {
            if (i == 2)
                assert_null(find_in(&map, keys[i]));
            else
                assert_there(keys[i], keys[i] + 1);
        }
        assert_true(put_in(&map, keys[5], 5));         /* it is there already, further on */
        assert_there(keys[5], 5);
        map_drop(&map, keys[5], keys[5] + 1);
        assert_null(find_in(&map, keys[5]));
    }
}

/* Three quarters of the slots are used before it grows. */
static void test_it_grows(void **state)
{
    enum { MANY = 100000 };
    (void)state;
    begin(16);
    for (uint64_t i = 0; i < MANY; i++) {
        assert_true(put_in(&map, 1000 + 8 * i, i));
        assert_true(3 * slots_of_map() >= 4 * i);
        assert_true(3 * slots_of_map() <= 8 * i + 48);
    }
    for (uint64_t i = 0; i < MANY; i++) {
        assert_there(1000 + 8 * i, i);
        assert_null(find_in(&map, 1001 + 8 * i));
    }
}

/* --- dropping ------------------------------------------------------------------------------------------ */

static void test_the_range_is_dropped_and_nothing_else(void **state)
{
    (void)state;
    begin(64);
    for (uint64_t key = 10; key < 30; key++)
        assert_true(put_in(&map, key, key));
    map_drop(&map, 15, 20);
    map_drop(&map, 25, 25);
    map_drop(&map, 27, 26);
    for (uint64_t key = 10; key < 30; key++) {
        if (key >= 15 && key < 20)
            assert_null(find_in(&map, key));
        else
            assert_there(key, key);
    }
    map_drop(&map, 0, UINT64_MAX);
    for (uint64_t key = 2; key < 40; key++)
        assert_null(find_in(&map, key));
}

static void test_dropped_keys_come_back(void **state)
{
    (void)state;
    begin(64);
    for (uint64_t round = 0; round < 100; round++) {
        for (uint64_t key = 100; key < 130; key++) {
            assert_null(find_in(&map, key));
            assert_true(put_in(&map, key, key + round));
        }
        for (uint64_t key = 100; key < 130; key++)
            assert_there(key, key + round);
        map_drop(&map, 100, 130);
    }
    assert_int_equal(slots_of_map(), 64);               /* in the slots that were theirs */
}

/* What was dropped takes no room in the next table. */
static void test_dropped_keys_do_not_grow_with_it(void **state)
{
    (void)state;
    begin(16);
    for (uint64_t key = 2; key < 10; key++)
        assert_true(put_in(&map, key, key));
    map_drop(&map, 2, 8);
    size_t live = 2;
    for (uint64_t key = 1000; slots_of_map() == 16; key++, live++)
        assert_true(put_in(&map, key, key));
    assert_int_equal(atomic_load(&map.table)->used, live);
    for (uint64_t key = 2; key < 8; key++)
        assert_null(find_in(&map, key));
    assert_there(8, 8);
    assert_there(9, 9);
    assert_there(1000, 1000);
}

/* Modules that come and go, each at another place, and never more than one of them there. */
static void test_what_comes_and_goes_does_not_pile_up(void **state)
{
    enum { LIVE = 500, ROUNDS = 500 };
    (void)state;
    begin(2048);
    numbers = 1;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t code = 0x7f0000000000 + choose(1 << 20) * 4096;
        for (uint64_t i = 0; i < LIVE; i++)
            assert_true(put_in(&map, code + 37 * i, round));
        for (uint64_t i = 0; i < LIVE; i++)
            assert_there(code + 37 * i, round);
        map_drop(&map, code, code + 37 * LIVE);
    }
    assert_in_range(slots_of_map(), 2048, 16 * LIVE);
}

/* --- against a plain table ----------------------------------------------------------------------------- */

enum { UNIVERSE = 3000 };

static struct {
    bool there[UNIVERSE];
    uint64_t values[UNIVERSE];
} plain;

/* Far apart, as the code of several modules. */
static uint64_t key_of(uint64_t i)
{
    return 2 + i * 5 + i / 1000 * 0x7f0000000000;
}

static void change(void)
{
    uint64_t i = choose(UNIVERSE), n = choose(20) ? choose(30) : choose(UNIVERSE);
    if (choose(40)) {
        uint64_t value = shim_random(&numbers);
        assert_true(put_in(&map, key_of(i), value));
        plain.there[i] = true;
        plain.values[i] = value;
    } else {
        map_drop(&map, key_of(i), i + n < UNIVERSE ? key_of(i + n) : UINT64_MAX);
        for (uint64_t k = i; k < i + n && k < UNIVERSE; k++)
            plain.there[k] = false;
    }
}

static void compare(void)
{
    for (uint64_t i = 0; i < UNIVERSE; i++) {
        if (plain.there[i])
            assert_there(key_of(i), plain.values[i]);
        else
            assert_null(find_in(&map, key_of(i)));
        assert_null(find_in(&map, key_of(i) + 1));
    }
}

static void test_it_is_what_a_plain_table_would_be(void **state)
{
    (void)state;
    for (numbers = 1; numbers < 10;) {
        uint64_t seed = numbers;
        begin(16);
        memset(&plain, 0, sizeof plain);
        for (int i = 0; i < 20000; i++) {
            change();
            if (i % 1000 == 0)
                compare();
        }
        compare();
        numbers = seed + 1;
    }
}

/* --- memory -------------------------------------------------------------------------------------------- */

static void forbid_memory(void)
{
    struct rlimit none = {1, 1};
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
}

static void run_out(void)
{
    enum { FULL = 2 + 4096 / 4 * 3 };
    struct map other = {.hash = hash_of};
    begin(4096);
    for (uint64_t key = 2; key < FULL; key++)
        assert_true(put_in(&map, key, key));
    forbid_memory();
    for (int i = 0; i < 3; i++)
        assert_false(put_in(&map, FULL, 1));
    assert_false(map_start(&other, 4096));
    assert_null(find_in(&map, FULL));
    for (uint64_t key = 2; key < FULL; key++)
        assert_there(key, key);
    assert_true(put_in(&map, 100, 1));                 /* that takes no room */
    assert_there(100, 1);
}

static void test_without_memory_nothing_changes(void **state)
{
    (void)state;
    shim_in_child(run_out);
}

/* An outgrown table is given back, but can be read. */
static void count_memory(void)
{
    begin(1 << 15);
    uint64_t before = arena_bytes();
    struct map_table *old = atomic_load(&map.table);
    for (uint64_t key = 2; atomic_load(&map.table) == old; key++)
        assert_true(put_in(&map, key, key));
    assert_int_equal(arena_bytes() - before, (1 << 15) * sizeof(struct map_slot));
    for (size_t i = 0; i <= 0x7fff; i++)
        assert_int_equal(atomic_load(&old->slots[i].key), 0);
    struct map late = {.table = old, .hash = hash_of};
    assert_null(find_in(&late, 2));
    assert_null(find_in(&late, 20000));
}

static void test_an_outgrown_table_is_empty(void **state)
{
    (void)state;
    shim_in_child(count_memory);
}

/* --- readers meanwhile --------------------------------------------------------------------------------- */

enum { FIRST = 2048, KEY = 5000, VALUE = 77 };

static bool late_found;
static uint64_t late_value;     /* of KEY; 0 = there is none */

static void read_late(void)
{
    const struct map_slot *slot = find_in(&map, KEY);
    late_found = slot != NULL;
    late_value = slot ? map_value(slot) : 0;
}

static void grow(void)
{
    assert_true(put_in(&map, 1000000, 1));
    assert_int_equal(slots_of_map(), 2 * FIRST);
}

/* One more makes it grow. */
static void fill(void)
{
    begin(FIRST);
    for (uint64_t key = KEY; key < KEY + FIRST / 4 * 3; key++)
        assert_true(put_in(&map, key, VALUE));
    assert_int_equal(slots_of_map(), FIRST);
}

/* The table goes between any two instructions of a reader: it has the value, or none, be it that it found the
   slot and the value was emptied before it came to that. */
static void test_a_reader_may_be_late_at_each_instruction(void **state)
{
    unsigned at = 0, found = 0, missed = 0;
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip();                             /* which cannot be interrupted anywhere */
#endif
    for (fill(); shim_interrupt(read_late, grow, at); fill(), at++) {
        assert_true(late_value == VALUE || late_value == 0);
        found += late_value == VALUE;
        missed += late_value == 0;
        read_late();
        assert_int_equal(late_value, VALUE);
    }
    assert_int_equal(late_value, VALUE);
    assert_true(found > 3 && missed > 3);
}

/* A value that is changed meanwhile is the old one or the new one. */
static void change_value(void)
{
    assert_true(put_in(&map, KEY, VALUE + 1));
}

static void put_it(void)
{
    assert_true(put_in(&map, KEY, VALUE));
}

static void test_a_reader_sees_a_change_or_not(void **state)
{
    unsigned at = 0, found[2] = {0, 0};
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip();
#endif
    for (fill(); shim_interrupt(read_late, change_value, at); fill(), at++) {
        assert_in_range(late_value, VALUE, VALUE + 1);
        found[late_value - VALUE]++;
    }
    assert_true(found[0] && found[1]);
}

/* A reader never finds a key before its value. */
static void test_a_writer_is_watched_at_each_instruction(void **state)
{
    unsigned found = 0, missed = 0;
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip();
#endif
    for (unsigned at = 0;; at++) {
        begin(16);
        if (!shim_interrupt(put_it, read_late, at))
            break;
        assert_int_equal(late_value, late_found ? VALUE : 0);
        found += late_found;
        missed += !late_found;
        read_late();
        assert_int_equal(late_value, VALUE);
    }
    assert_true(found && missed);
}

enum { READERS = 3, KEYS = 30000, FLEETING = 1 << 20, SPAN = 64 };

static struct lock writing;
static _Atomic uint64_t published;      /* keys below are there */

static uint64_t value_of(uint64_t key)
{
    return key * 0x9e3779b97f4a7c15u | 1;
}

static uint64_t value_now(uint64_t key)
{
    const struct map_slot *slot = find_in(&map, key);
    return slot ? map_value(slot) : 0;
}

/* What is not found is asked for again under the lock, as the map's users do. */
static void read_one(uint64_t key)
{
    uint64_t known = atomic_load(&published), value = value_now(key);
    if (!value) {
        lock_take(&writing);
        value = value_now(key);
        lock_drop(&writing);
    }
    if (value)
        assert_int_equal(value, value_of(key));
    else
        assert_true(key >= known);
}

static void *read_often(void *seed)
{
    uint64_t own = (uint64_t)(uintptr_t)seed;
    while (atomic_load(&published) < 2 + KEYS) {
        read_one(2 + shim_random(&own) % KEYS);
        read_one(2 + shim_random(&own) % (atomic_load(&published) + 10));
    }
    return NULL;
}

static void put_locked(uint64_t key, uint64_t value)
{
    lock_take(&writing);
    assert_true(put_in(&map, key, value));
    lock_drop(&writing);
}

/* Keys that nobody asks for come and go, and leave their slots to others. */
static void put_and_drop(void)
{
    for (uint64_t key = FLEETING; key < FLEETING + SPAN; key++)
        put_locked(key, 1);
    lock_take(&writing);
    map_drop(&map, FLEETING, FLEETING + SPAN);
    lock_drop(&writing);
}

static void write_all(void)
{
    for (uint64_t key = 2; key < 2 + KEYS; key++) {
        put_locked(key, value_of(key));
        atomic_store(&published, key + 1);
        if (key % 512 == 0)
            put_and_drop();
    }
}

static void read_and_write(void)
{
    for (int round = 0; round < 5; round++) {
        pthread_t readers[READERS];
        begin(16);
        atomic_store(&published, 2);
        for (intptr_t i = 0; i < READERS; i++)
            assert_int_equal(pthread_create(&readers[i], NULL, read_often, (void *)i), 0);
        write_all();
        for (int i = 0; i < READERS; i++)
            pthread_join(readers[i], NULL);
        for (uint64_t key = 2; key < 2 + KEYS; key++)
            assert_there(key, value_of(key));
    }
}

static void test_readers_of_a_map_that_grows_and_drops(void **state)
{
    (void)state;
    shim_in_child(read_and_write);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_##name)
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_found),
        TEST(a_key_has_its_latest_value),
        TEST(keys_of_one_home_are_told_apart),
        TEST(it_grows),
        TEST(the_range_is_dropped_and_nothing_else),
        TEST(dropped_keys_come_back),
        TEST(dropped_keys_do_not_grow_with_it),
        TEST(what_comes_and_goes_does_not_pile_up),
        TEST(it_is_what_a_plain_table_would_be),
        TEST(without_memory_nothing_changes),
        TEST(an_outgrown_table_is_empty),
        TEST(a_reader_may_be_late_at_each_instruction),
        TEST(a_reader_sees_a_change_or_not),
        TEST(a_writer_is_watched_at_each_instruction),
        TEST(readers_of_a_map_that_grows_and_drops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
