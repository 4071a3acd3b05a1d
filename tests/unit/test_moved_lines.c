// SPDX-License-Identifier: MIT
/* Lines of a function in two versions of a program: which are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/moved_lines.h"

#define MOST 8
#define NO   (-1)

/* Callees by letter, so that a case can be read: {10, "a"}. */
struct line {
    int number;
    const char *callees; /* null: not known; the line after the last has the number 0 */
};

static size_t make(struct calling_line *lines, const struct line *from)
{
    size_t count = 0;
    for (; count < MOST && from[count].number; count++) {
        const char *callee = from[count].callees;
        lines[count] = (struct calling_line){from[count].number, callee ? 0 : UINT64_MAX};
        for (; callee && *callee; callee++)
            lines[count].callees |= UINT64_C(1) << (*callee - 'a');
    }
    return count;
}

static void moves(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct line old[MOST], new[MOST];
        int expected[MOST]; /* new line of each old one */
    } cases[] = {
        {"nothing", {{0}}, {{5}}, {0}},
        {"gone", {{5}}, {{0}}, {NO}},
        {"the same", {{10}, {20}}, {{10}, {20}}, {10, 20}},
        {"the same, whatever they call", {{10, "a"}}, {{10, "b"}}, {10}},
        {"the function moved", {{10}, {20}}, {{1010}, {1020}}, {1010, 1020}},
        {"a line was added between", {{10}, {20}}, {{10}, {21}}, {10, 21}},
        {"a call was added at the front", {{10}, {20}}, {{5}, {11}, {21}}, {11, 21}},
        {"a call was added between", {{10}, {20}}, {{11}, {15}, {21}}, {11, 21}},
        {"a call was added at the end", {{10}, {20}}, {{10}, {20}, {30}}, {10, 20}},
        {"a call was taken away", {{10}, {15}, {20}}, {{10}, {19}}, {10, NO, 19}},
        {"another call in a line near by", {{10, "a"}}, {{11, "b"}}, {NO}},
        {"callees tell which it is", {{10, "a"}, {20, "b"}}, {{12, "b"}, {13, "a"}, {25, "b"}}, {13, 25}},
        {"one callee of several is enough", {{10, "ab"}}, {{12, "bc"}}, {12}},
        {"they do not cross", {{10, "a"}, {20, "b"}}, {{11, "b"}, {21, "a"}}, {NO, 11}},
        {"not over so many lines", {{10}, {20}}, {{10}, {200}}, {10, NO}},
        {"rather added than taken away", {{10}, {12}}, {{10}, {11}, {13}}, {10, 13}},
        {"of two as good the nearer", {{10}}, {{8}, {11}}, {11}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calling_line old[MOST], new[MOST];
        size_t old_count = make(old, cases[i].old), new_count = make(new, cases[i].new), match[MOST];
        moved_lines_match(old, old_count, new, new_count, match);
        for (size_t j = 0; j < old_count; j++) {
            int found = match[j] == MOVED_NOWHERE ? NO : new[match[j]].line;
            if (found != cases[i].expected[j])
                fail_msg("%s: line %d became %d, not %d", cases[i].name, old[j].line, found,
                         cases[i].expected[j]);
        }
    }
}

/* A long function, in the middle of which lines were added. */
static void long_function(void **state)
{
    (void)state;
    enum { COUNT = 120 };
    static struct calling_line old[COUNT], new[COUNT];
    static size_t match[COUNT];
    for (int i = 0; i < COUNT; i++) {
        old[i] = (struct calling_line){10 + 3 * i, UINT64_MAX};
        new[i] = (struct calling_line){12 + 3 * i + (i < COUNT / 2 ? 0 : 7), UINT64_MAX};
    }
    moved_lines_match(old, COUNT, new, COUNT, match);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(match[i], i);
}

/* Of very many lines those stay that have their number. */
static void many(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static struct calling_line old[COUNT], new[COUNT];
    static size_t match[COUNT];
    for (int i = 0; i < COUNT; i++) {
        old[i] = (struct calling_line){2 * i + 1, UINT64_MAX};
        new[i] = (struct calling_line){3 * i + 1, UINT64_MAX};
    }
    moved_lines_match(old, COUNT, new, COUNT, match);
    for (int i = 0; i < COUNT; i++) {
        size_t expected = 2 * i % 3 == 0 ? (size_t)i * 2 / 3 : MOVED_NOWHERE;
        assert_int_equal(match[i], expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves),
        cmocka_unit_test(long_function),
        cmocka_unit_test(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
