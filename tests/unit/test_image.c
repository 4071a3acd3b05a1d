// SPDX-License-Identifier: MIT
/*
 * What of an object can be read, and the search in its sorted table.
 */
#include "shim_support.h"
#include "../../shim/unwind/image.h"
#include "../../shim/unwind/modules.h"
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <cmocka.h>

enum { PAGE_BYTES = 4096 };

/* Pages, each readable ('r'), or not ('-'). */
static struct image make_pages(const char *pages)
{
    size_t count = strlen(pages);
    uint8_t *at = mmap(NULL, count * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    for (size_t i = 0; i < count; i++)
        if (pages[i] == 'r')
            assert_int_equal(mprotect(at + i * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    image_forget();
    return (struct image){(uintptr_t)at, (uintptr_t)at + count * PAGE_SIZE, 0};
}

static void drop_pages(const struct image *image)
{
    munmap((void *)image->start, image->end - image->start);
}

/* --- objects ------------------------------------------------------------------------------------------- */

static void test_an_object_is_found_by_any_of_its_addresses(void **state)
{
    struct image image, again;
    struct dl_find_object found;
    (void)state;
    assert_true(image_find((uintptr_t)getenv, &image));
    assert_int_equal(_dl_find_object((void *)(uintptr_t)getenv, &found), 0);
    assert_int_equal(image.start, (uintptr_t)found.dlfo_map_start);
    assert_int_equal(image.end, (uintptr_t)found.dlfo_map_end);
    assert_int_equal(image.eh_frame_hdr, (uintptr_t)found.dlfo_eh_frame);
    assert_true(image_find(image.start, &again) && again.start == image.start);
    assert_true(image_find(image.end - 1, &again) && again.start == image.start);
    assert_true(!image_find(image.end, &again) || again.start != image.start);
}

static void test_what_is_in_no_object_is_not_found(void **state)
{
    struct image image = {1, 2, 3};
    int local;
    (void)state;
    assert_false(image_find(0, &image));
    assert_false(image_find((uintptr_t)&local, &image));
    assert_false(image_find(UINTPTR_MAX, &image));
    assert_int_equal(image.start, 1);
}

/* --- what can be read ---------------------------------------------------------------------------------- */

static void test_bytes_are_readable_within_the_object(void **state)
{
    struct image whole = make_pages("rrr"), image = {whole.start + 1000, whole.start + 9000, 0};
    (void)state;
    assert_true(image_readable(&image, image.start, 1));
    assert_true(image_readable(&image, image.start, 8000));
    assert_true(image_readable(&image, image.end - 1, 1));
    assert_true(image_readable(&image, image.end, 0));
    assert_false(image_readable(&image, image.start - 1, 1));
    assert_false(image_readable(&image, image.start - 1, 100));
    assert_false(image_readable(&image, image.start, 8001));
    assert_false(image_readable(&image, image.end - 1, 2));
    assert_false(image_readable(&image, image.end, 1));
    assert_false(image_readable(&image, image.end + 1, 0));
    assert_false(image_readable(&image, image.start + 1, SIZE_MAX));
    assert_false(image_readable(&image, image.start + 1, SIZE_MAX - image.start));
    assert_false(image_readable(&image, 0, 8));
    assert_false(image_readable(&image, UINTPTR_MAX, 1));
    drop_pages(&whole);
}

static void test_pages_between_are_looked_at(void **state)
{
    struct image image = make_pages("r-rr-rrr");
    uintptr_t pages = image.start;
    (void)state;
    assert_true(image_readable(&image, pages, PAGE_SIZE));
    assert_false(image_readable(&image, pages, PAGE_SIZE + 1));
    assert_false(image_readable(&image, pages + PAGE_SIZE - 1, 2));
    assert_false(image_readable(&image, pages + PAGE_SIZE, 1));
    assert_false(image_readable(&image, pages + 2 * PAGE_SIZE - 1, 1));
    assert_false(image_readable(&image, pages + 2 * PAGE_SIZE - 1, 2));
    assert_true(image_readable(&image, pages + 2 * PAGE_SIZE, 2 * PAGE_SIZE));
    assert_true(image_readable(&image, pages + 3 * PAGE_SIZE - 4, 8));
    assert_false(image_readable(&image, pages + 2 * PAGE_SIZE, 3 * PAGE_SIZE));
    assert_false(image_readable(&image, pages + 2 * PAGE_SIZE, 6 * PAGE_SIZE));     /* only one between */
    assert_true(image_readable(&image, pages + 5 * PAGE_SIZE, 3 * PAGE_SIZE));
    drop_pages(&image);
}

/* More pages than are remembered, in turns: whatever takes the place of what. */
static void test_many_pages_do_not_stand_for_each_other(void **state)
{
    enum { PAGES = 300 };
    char pages[PAGES + 1] = {0};
    uint64_t numbers = 1;
    (void)state;
    for (int i = 0; i < PAGES; i++)
        pages[i] = shim_random(&numbers) % 2 ? 'r' : '-';
    struct image image = make_pages(pages);
    for (int i = 0; i < 20000; i++) {
        uintptr_t page = shim_random(&numbers) % PAGES, offset = shim_random(&numbers) % PAGE_SIZE;
        if (image_readable(&image, image.start + page * PAGE_SIZE + offset, 1) != (pages[page] == 'r'))
            fail_msg("page %lu", page);
    }
    drop_pages(&image);
}

/* The object goes, and so does what was known of it. */
static void test_what_was_readable_is_asked_again_when_told_to(void **state)
{
    struct image image = make_pages("rr");
    uint64_t word;
    (void)state;
    assert_true(image_readable(&image, image.start, 2 * PAGE_SIZE));
    assert_true(image_word(&image, image.start, &word));
    assert_int_equal(mprotect((void *)image.start, PAGE_SIZE, PROT_NONE), 0);
    image_forget();
    assert_false(image_readable(&image, image.start, 1));
    assert_false(image_word(&image, image.start, &word));
    assert_true(image_readable(&image, image.start + PAGE_SIZE, 1));
    assert_int_equal(mprotect((void *)image.start, PAGE_SIZE, PROT_READ), 0);
    assert_true(image_readable(&image, image.start, 1));        /* only what can be read is remembered */
    drop_pages(&image);
}

/* A probe costs as much as a rule. */
static void test_what_was_readable_is_not_asked_again_before(void **state)
{
    enum { PAGES = 64 };
    char pages[PAGES + 1] = {0};
    memset(pages, 'r', PAGES);
    struct image image = make_pages(pages);
    (void)state;
    assert_true(image_readable(&image, image.start, PAGES * PAGE_SIZE));
    assert_int_equal(mprotect((void *)image.start, PAGES * PAGE_SIZE, PROT_NONE), 0);
    assert_true(image_readable(&image, image.start, PAGES * PAGE_SIZE));
    image_forget();
    assert_false(image_readable(&image, image.start + (PAGES - 1) * PAGE_SIZE, 1));
    drop_pages(&image);
}

static void test_page_0_is_never_known(void **state)
{
    struct image all = {0, UINTPTR_MAX, 0};
    uint64_t word;
    (void)state;
    image_forget();
    assert_false(image_readable(&all, 0, 1));
    assert_false(image_word(&all, 0, &word));
    assert_false(image_word(&all, 8, &word));
}

static void test_words(void **state)
{
    struct image image = make_pages("-rr-");
    uintptr_t pages = image.start;
    uint64_t word = 0, last = pages + 3 * PAGE_SIZE - 8;
    (void)state;
    memset((void *)(pages + PAGE_SIZE), 0x11, 2 * PAGE_SIZE);
    *(uint64_t *)last = 0x123456789abcdef0;
    assert_true(image_word(&image, last, &word));
    assert_int_equal(word, 0x123456789abcdef0);
    assert_true(image_word(&image, pages + PAGE_SIZE, &word));
    assert_int_equal(word, 0x1111111111111111);
    word = 7;
    assert_false(image_word(&image, pages + PAGE_SIZE - 8, &word));
    assert_false(image_word(&image, last + 8, &word));
    assert_false(image_word(&image, pages - 8, &word));
    assert_false(image_word(&image, image.end, &word));
    assert_false(image_word(&image, 0, &word));
    assert_false(image_word(&image, (uintptr_t)1 << 63, &word));
    assert_false(image_word(&image, UINTPTR_MAX - 7, &word));
    assert_int_equal(word, 7);
    drop_pages(&image);
}

/* A word of which the object has a part only. */
static void test_words_at_the_edges(void **state)
{
    struct image whole = make_pages("rr"), image = {whole.start + 1004, whole.start + 5004, 0};
    uint64_t word;
    (void)state;
    assert_true(image_word(&image, whole.start + 1000, &word));
    assert_true(image_word(&image, whole.start + 5000, &word));
    assert_false(image_word(&image, whole.start + 992, &word));
    assert_false(image_word(&image, whole.start + 5008, &word));
    image.start = whole.start + 1000;
    image.end = whole.start + 5000;
    assert_true(image_word(&image, whole.start + 1000, &word));
    assert_false(image_word(&image, whole.start + 992, &word));
    assert_false(image_word(&image, whole.start + 5000, &word));
    drop_pages(&whole);
}

static void test_errno_is_not_changed(void **state)
{
    struct image image = make_pages("r-");
    (void)state;
    errno = 12345;
    image_readable(&image, image.start, 2 * PAGE_SIZE);
    assert_int_equal(errno, 12345);
    drop_pages(&image);
}

/* --- the sorted table ---------------------------------------------------------------------------------- */

enum { USUAL_HEADER = 0x3b031b01 };

/* A table in the first of the given pages: entry i begins at starts[i], relative to the header. */
static struct image make_table(const char *pages, uint32_t header, uint32_t count, const int32_t *starts)
{
    struct image image = make_pages(pages);
    int32_t *at = (int32_t *)image.start;
    at[0] = (int32_t)header;
    at[2] = (int32_t)count;
    for (uint32_t i = 0; starts && i < count; i++) {
        at[3 + 2 * i] = starts[i];
        at[4 + 2 * i] = (int32_t)i;
    }
    image.eh_frame_hdr = image.start;
    return image;
}

/* The number of the entry that was found; -1: none. */
static int entry_of(const struct image *image, int64_t address)
{
    uintptr_t entry = image_entry(image, image->eh_frame_hdr + (uintptr_t)address);
    if (!entry)
        return -1;
    assert_int_equal((entry - image->eh_frame_hdr - 12) % 8, 0);
    return (int)((entry - image->eh_frame_hdr - 12) / 8);
}

/* The last entry that does not begin behind the address. */
static int entry_plainly(const int32_t *starts, int count, int64_t address)
{
    int found = -1;
    for (int i = 0; i < count && starts[i] <= address; i++)
        found = i;
    return found;
}

static void test_the_entry_is_the_last_that_begins_before(void **state)
{
    enum { MOST = 200 };
    uint64_t numbers = 1;
    (void)state;
    for (uint32_t count = 1; count <= MOST; count += 1 + count / 7) {
        int32_t starts[MOST], start = -(int32_t)(shim_random(&numbers) % 3000);
        for (uint32_t i = 0; i < count; i++)
            starts[i] = start += (int32_t)(shim_random(&numbers) % 40);
        struct image image = make_table("r", USUAL_HEADER, count, starts);
        for (int64_t address = starts[0] - 10; address < start + 10; address++)
            assert_int_equal(entry_of(&image, address), entry_plainly(starts, (int)count, address));
        assert_int_equal(entry_of(&image, INT32_MAX), count - 1);
        assert_int_equal(entry_of(&image, INT32_MIN), -1);
        drop_pages(&image);
    }
}

static void test_addresses_further_away_than_can_be_said(void **state)
{
    static const int32_t starts[] = {INT32_MIN, 0, INT32_MAX};
    struct image image = make_table("r", USUAL_HEADER, 3, starts);
    (void)state;
    assert_int_equal(entry_of(&image, INT32_MIN), 0);
    assert_int_equal(entry_of(&image, -1), 0);
    assert_int_equal(entry_of(&image, INT32_MAX - 1), 1);
    assert_int_equal(entry_of(&image, INT32_MAX), 2);
    assert_int_equal(entry_of(&image, (int64_t)INT32_MAX + 1), -1);
    assert_int_equal(entry_of(&image, (int64_t)INT32_MIN - 1), -1);
    assert_int_equal(entry_of(&image, 1ll << 32), -1);
    assert_int_equal(entry_of(&image, INT64_MAX), -1);
    drop_pages(&image);
}

static void test_the_search_ends_where_nothing_can_be_read(void **state)
{
    static const uint32_t counts[] = {0, 1, 510, 511, 512, 1022, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct image image = make_table("r-", USUAL_HEADER, counts[i], NULL);
        uintptr_t entry = image_entry(&image, image.start + 100);
        if (counts[i] == 0 || counts[i] > 511)
            assert_int_equal(entry, 0);
        else
            assert_int_equal(entry, image.start + 12 + 8 * (counts[i] - 1ul));
        drop_pages(&image);
    }
}

/* The object ends before its pages do. */
static void test_the_search_ends_with_the_object(void **state)
{
    static const int32_t starts[] = {0, 1, 2, 3, 4};
    struct image image = make_table("r", USUAL_HEADER, 5, starts), whole = image;
    (void)state;
    image.end = image.start + 12 + 8 * 5;
    assert_int_equal(entry_of(&image, 100), 4);
    image.end = image.start + 12 + 8 * 4 - 4;           /* the last is not the object's */
    assert_int_equal(entry_of(&image, 100), -1);
    image.end = image.start + 8;                        /* neither is the count */
    assert_int_equal(entry_of(&image, 100), -1);
    image.start += 8;
    image.end = whole.end;
    assert_int_equal(entry_of(&image, 100), -1);
    drop_pages(&whole);
}

static void test_only_the_known_form_is_searched(void **state)
{
    static const struct {
        uint32_t header;
        bool known;
    } headers[] = {
        {USUAL_HEADER, true},
        {0x3b030b01, true},             /* where .eh_frame is does not matter, how long that number is does */
        {0x3b030301, true},
        {0x3b03fb01, true},
        {0x3b031b00, false},            /* another version */
        {0x3b031b02, false},
        {0x3b03ff01, false},            /* no pointer to .eh_frame: the table is elsewhere */
        {0x3b031c01, false},            /* one of 8 bytes */
        {0x3b031a01, false},            /* one of 2 bytes */
        {0x3bff1b01, false},            /* no count */
        {0x3b041b01, false},            /* a count of 8 bytes */
        {0x3b0b1b01, false},            /* with a sign */
        {0x3b131b01, false},            /* relative */
        {0xff031b01, false},            /* no table */
        {0x1b031b01, false},            /* a table relative to something else */
        {0x33031b01, false},            /* without a sign */
        {0x3c031b01, false},            /* of 8 bytes */
        {0, false},
        {0xffffffff, false},
    };
    static const int32_t starts[] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct image image = make_table("r", headers[i].header, 1, starts);
        if ((entry_of(&image, 100) == 0) != headers[i].known)
            fail_msg("header %#x", headers[i].header);
        drop_pages(&image);
    }
}

/* Whatever the loader says of its place. */
static void test_the_header_may_be_anywhere(void **state)
{
    static const int64_t nowhere[] = {-PAGE_BYTES, -8, -4, 2 * PAGE_BYTES, 3 * PAGE_BYTES, 1ll << 40};
    static const uint32_t words[] = {USUAL_HEADER, 0, 1, 0, 7};
    struct image image = make_pages("rr-");
    uintptr_t pages = image.start, end = pages + 2 * PAGE_SIZE;
    (void)state;
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        image.eh_frame_hdr = pages + (uintptr_t)nowhere[i];
        assert_int_equal(image_entry(&image, pages + 100), 0);
    }
    image.eh_frame_hdr = 0;
    assert_int_equal(image_entry(&image, pages + 100), 0);
    for (uintptr_t place = pages; place < end; place++) {
        size_t size = end - place < sizeof words ? end - place : sizeof words;
        bool good = place % 4 == 0 && size >= 16;       /* the start of the only entry can be read */
        memset((void *)pages, 0, 2 * PAGE_SIZE);
        memcpy((void *)place, words, size);
        image.eh_frame_hdr = place;
        assert_int_equal(image_entry(&image, place + 100), good ? place + 12 : 0);
    }
    drop_pages(&image);
}

/* 32 GiB of entries that begin where the header does, but for the one in the middle. */
static void test_the_longest_table_is_searched(void **state)
{
    size_t size = 12 + 8ul * UINT32_MAX + PAGE_SIZE;
    uint32_t *header = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    (void)state;
    if (header == MAP_FAILED)
        skip();
    assert_int_equal(mprotect(header, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    header[0] = USUAL_HEADER;
    header[2] = UINT32_MAX;
    uint32_t *middle = header + 3 + 2 * (UINT32_MAX / 2ul);
    void *page = (void *)((uintptr_t)middle & -PAGE_SIZE);
    assert_int_equal(mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    *middle = 1000;
    uintptr_t start = (uintptr_t)header;
    struct image image = {start, start + size, start};
    image_forget();
    assert_int_equal(image_entry(&image, start + 1000), start + 12 + 8 * (UINT32_MAX - 1ul));
    assert_int_equal(image_entry(&image, start + 999), (uintptr_t)middle - 8);
    assert_int_equal(image_entry(&image, start - 1), 0);
    drop_pages(&image);
}

/* Entries that are not sorted, or repeat: any answer is good that is an entry or none. */
static void test_tables_of_noise_are_survived(void **state)
{
    uint64_t numbers = 5;
    (void)state;
    for (int round = 0; round < 300; round++) {
        uint32_t count = 1 + (uint32_t)(shim_random(&numbers) % 600);
        struct image image = make_table("r-", USUAL_HEADER, count, NULL);
        for (uint32_t *at = (uint32_t *)image.start + 3; at < (uint32_t *)(image.start + PAGE_SIZE); at++)
            *at = (uint32_t)(shim_random(&numbers) >> shim_random(&numbers) % 40);
        for (int i = 0; i < 50; i++)
            assert_in_range(entry_of(&image, (int32_t)shim_random(&numbers)) + 1, 0, 512);
        drop_pages(&image);
    }
}

/* --- real objects -------------------------------------------------------------------------------------- */

static int32_t number_at(uintptr_t address)
{
    return *(const int32_t *)address;
}

static void assert_all_found(const void *code)
{
    struct image image;
    assert_true(image_find((uintptr_t)code, &image));
    uintptr_t header = image.eh_frame_hdr;
    uint32_t count = (uint32_t)number_at(header + 8);
    assert_true(count > 1);
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t entry = header + 12 + 8ul * i, start = header + (uintptr_t)(intptr_t)number_at(entry);
        assert_int_equal(image_entry(&image, start), entry);
        if (i)
            assert_int_equal(image_entry(&image, start - 1), entry - 8);
    }
}

static void test_every_function_of_real_objects_is_found(void **state)
{
    const void *vdso = (const void *)getauxval(AT_SYSINFO_EHDR);
    (void)state;
    assert_all_found((const void *)assert_all_found);
    assert_all_found((const void *)getenv);
    if (vdso && modules_cover((uintptr_t)vdso))
        assert_all_found(vdso);
}

/* No part of a loaded object that can be read is refused. */
static void test_all_of_real_objects_is_readable(void **state)
{
    struct image image;
    uint64_t word;
    (void)state;
    assert_true(image_find((uintptr_t)getenv, &image));
    assert_true(image_readable(&image, image.eh_frame_hdr, 12));
    assert_true(image_readable(&image, (uintptr_t)getenv, 16));
    assert_true(image_readable(&image, image.start, (uintptr_t)getenv - image.start));
    assert_true(image_word(&image, image.start, &word));
    assert_memory_equal(&word, (const void *)image.start, sizeof word);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_##name)
    const struct CMUnitTest tests[] = {
        TEST(an_object_is_found_by_any_of_its_addresses),
        TEST(what_is_in_no_object_is_not_found),
        TEST(bytes_are_readable_within_the_object),
        TEST(pages_between_are_looked_at),
        TEST(many_pages_do_not_stand_for_each_other),
        TEST(what_was_readable_is_asked_again_when_told_to),
        TEST(what_was_readable_is_not_asked_again_before),
        TEST(page_0_is_never_known),
        TEST(words),
        TEST(words_at_the_edges),
        TEST(errno_is_not_changed),
        TEST(the_entry_is_the_last_that_begins_before),
        TEST(addresses_further_away_than_can_be_said),
        TEST(the_search_ends_where_nothing_can_be_read),
        TEST(the_search_ends_with_the_object),
        TEST(only_the_known_form_is_searched),
        TEST(the_header_may_be_anywhere),
        TEST(the_longest_table_is_searched),
        TEST(tables_of_noise_are_survived),
        TEST(every_function_of_real_objects_is_found),
        TEST(all_of_real_objects_is_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
