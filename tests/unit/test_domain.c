// SPDX-License-Identifier: MIT
/* Domains: as users name them, and as modules of a trace do, which may bear any name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/scope.h"
#include "trace_writer.h"

static void assert_domain(struct domain found, enum domain_kind kind, uint32_t number)
{
    assert_int_equal(found.kind, kind);
    if (kind == DOMAIN_OWN)
        assert_int_equal(found.number, number);
}

static void assert_named(const char *text, enum domain_kind kind, uint32_t number)
{
    struct domain domain;
    assert_true(domain_read(&domain, text));
    assert_domain(domain, kind, number);
}

static void names_of_users(void **state)
{
    (void)state;
    static const char *const none[] = {"",
                                       "Heap",
                                       "heap ",
                                       "[mmap]",
                                       "mmap file",
                                       "-1",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "1x",
                                       "0x1",
                                       "4294967296",
                                       "99999999999999999999999",
                                       "domain 1"};
    struct domain domain;
    assert_named("heap", DOMAIN_HEAP, 0);
    assert_named("mmap", DOMAIN_MMAP, 0);
    assert_named("file", DOMAIN_FILE, 0);
    assert_named("0", DOMAIN_OWN, 0);
    assert_named("4294967295", DOMAIN_OWN, UINT32_MAX);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(domain_read(&domain, none[i]));
}

static void names_of_modules(void **state)
{
    (void)state;
    static const char *const none[] = {
        NULL,         "",          "/lib/[mmap]", "[",           "[mmap",       "[mmap]x",
        "[mmap file", "[domain 1", "[domain ]",   "[domain 1]]", "[domain -1]", "[domain 4294967296]",
        "[domain x]", "[heap]"};
    assert_domain(domain_of_module("[mmap]"), DOMAIN_MMAP, 0);
    assert_domain(domain_of_module("[mmap file]"), DOMAIN_FILE, 0);
    assert_domain(domain_of_module("[domain 0]"), DOMAIN_OWN, 0);
    assert_domain(domain_of_module("[domain 4294967295]"), DOMAIN_OWN, UINT32_MAX);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_domain(domain_of_module(none[i]), DOMAIN_HEAP, 0);
}

static void names_as_shown(void **state)
{
    (void)state;
    char name[DOMAIN_NAME_SIZE];
    domain_name((struct domain){DOMAIN_FILE, 0}, name);
    assert_string_equal(name, "file");
    domain_name((struct domain){DOMAIN_OWN, UINT32_MAX}, name);
    assert_string_equal(name, "domain 4294967295");
}

static void some(void **state)
{
    (void)state;
    struct domains domains = {0};
    assert_false(domains_have(&domains, (struct domain){DOMAIN_HEAP, 0}));
    for (uint32_t i = 0; i < 100; i += 2)
        domains_add(&domains, (struct domain){DOMAIN_OWN, i});
    assert_true(domains_have(&domains, (struct domain){DOMAIN_OWN, 98}));
    assert_false(domains_have(&domains, (struct domain){DOMAIN_OWN, 99}));
    assert_false(domains_have(&domains, (struct domain){DOMAIN_MMAP, 0}));
    domains_free(&domains);
    assert_int_equal(domains.count, 0);
}

/* --- of sites -------------------------------------------------------------------------------------------- */

/* Only the outermost frame says it; two modules of one name are one domain. */
static const char *const stacks[][3] = {
    {"/a", "/b"},                   /* heap: 1 block */
    {"[mmap]", "/a"},               /* 10 */
    {"[mmap file]", "/a", "/b"},    /* 100 */
    {"/a", "[mmap]"},               /* heap: 1000 */
    {"[domain 3]", "[mmap]", "/b"}, /* 10000 */
    {"[domain 3]", "/a"},           /* 100000 */
};
enum { SITES = sizeof(stacks) / sizeof(stacks[0]) };

static struct trace trace;
static struct symbols *symbols;

static void read_written(struct trace_writer *writer)
{
    char path[] = "/tmp/test_domain.XXXXXX";
    struct failure why;
    int fd = mkstemp(path);
    writer_save(writer, path);
    bool fine = trace_read(&trace, path, &why);
    close(fd);
    unlink(path);
    assert_true(fine);
}

static int setup(void **state)
{
    (void)state;
    static struct trace_writer writer;
    writer_start(&writer);
    uint32_t blocks = 1;
    for (size_t i = 0; i < SITES; i++, blocks *= 10) {
        uint32_t node = i % 2 ? TRACE_NODE_ROOT : TRACE_NODE_TRUNCATED;
        for (size_t j = 0; j < 3 && stacks[i][j]; j++)
            node = writer_node(&writer, node, writer_frame(&writer, writer_module(&writer, stacks[i][j]), j));
        struct trace_counter *counter = writer_counter(&writer, 0, writer_site(&writer, node));
        counter->allocations = counter->allocated_bytes = blocks;
    }
    uint32_t site = writer_site(&writer, TRACE_NODE_OVERFLOW);
    writer_counter(&writer, 0, site)->allocations = blocks;
    read_written(&writer);
    symbols = symbols_open(&trace);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    symbols_close(symbols);
    trace_free(&trace);
    return 0;
}

static uint64_t selected(const char *first, const char *second, const char *hidden)
{
    struct view view = {0};
    struct scope scope;
    struct domain domain;
    struct failure why;
    if (first && domain_read(&domain, first))
        domains_add(&view.domains, domain);
    if (second && domain_read(&domain, second))
        domains_add(&view.domains, domain);
    if (hidden)
        assert_true(patterns_add(&view.hide, hidden, PATTERN_ANY, &why));
    scope_open(&scope, &view, &trace, symbols);
    uint64_t blocks = scope_select(&scope).figures.allocations;
    scope_close(&scope);
    view_free(&view);
    return blocks;
}

static void selections(void **state)
{
    (void)state;
    assert_int_equal(selected(NULL, NULL, NULL), 1111111);
    assert_int_equal(selected("heap", NULL, NULL), 1001001);
    assert_int_equal(selected("mmap", NULL, NULL), 10);
    assert_int_equal(selected("mmap", "file", NULL), 110);
    assert_int_equal(selected("3", NULL, NULL), 110000);
    assert_int_equal(selected("4", NULL, NULL), 0);
    assert_int_equal(selected("3", "heap", "*"), 1111001); /* what is hidden says it still */
}

static void groups(void **state)
{
    (void)state;
    static const char *const names[] = {"heap", "mmap", "file", "heap", "domain 3", "domain 3", "heap"};
    struct view view = {.by = BY_DOMAIN};
    struct scope scope;
    scope_open(&scope, &view, &trace, symbols);
    for (int round = 0; round < 2; round++) {
        uint32_t numbers[SITES + 2];
        for (uint32_t i = 1; i <= SITES + 1; i++) {
            assert_string_equal(scope_domain(&scope, i)->name, names[i - 1]);
            numbers[i] = scope_group(&scope, scope_grouped(&scope, i, BY_DOMAIN));
            assert_string_equal(groups_frame(&scope.groups, numbers[i])->module, names[i - 1]);
        }
        assert_int_equal(scope.groups.count, 5);
        assert_int_equal(numbers[1], numbers[4]);
        assert_int_equal(numbers[5], numbers[6]);
        scope_regroup(&scope);
    }
    scope_close(&scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_users),
        cmocka_unit_test(names_of_modules),
        cmocka_unit_test(names_as_shown),
        cmocka_unit_test(some),
        cmocka_unit_test_setup_teardown(selections, setup, teardown),
        cmocka_unit_test_setup_teardown(groups, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
