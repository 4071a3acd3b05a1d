// SPDX-License-Identifier: MIT
/* A small picture: what is filled, where the line runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "output/chart.h"

#define NONE CHART_UNKNOWN

static struct chart_cell cells[64];

static void assert_row(const struct chart_cell *row, int columns, const char *text)
{
    char drawn[64] = "";
    for (int i = 0; i < columns; i++)
        strcat(drawn, row[i].text);
    assert_string_equal(drawn, text);
}

static void area(void **state)
{
    (void)state;
    const uint64_t values[] = {NONE, 0, 1, 100, 50, 25, 13, 12},
                   none[] = {NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE};
    assert_int_equal(chart_values(4, true), 8);
    chart_draw(cells, 2, 4, values, none, 100, true);
    assert_row(cells, 4, " \u28b8  ");
    assert_row(cells + 4, 4, " \u28f8\u28e7\u28c0");
    assert_int_equal(cells[0].part, CHART_NOTHING);
    assert_int_equal(cells[5].part, CHART_AREA);
}

/* It is joined where it jumps. */
static void line(void **state)
{
    (void)state;
    const uint64_t zero[] = {0, 0, 0, 0}, values[] = {1, 1, 100, NONE};
    chart_draw(cells, 2, 2, zero, values, 100, true);
    assert_row(cells, 2, " \u2847");
    assert_row(cells + 2, 2, "\u28c0\u2807");
    assert_int_equal(cells[2].part, CHART_LINE);
}

static void plain(void **state)
{
    (void)state;
    const uint64_t values[] = {100, 50, 20, 0}, over[] = {NONE, 100, 100, NONE};
    assert_int_equal(chart_values(4, false), 4);
    chart_draw(cells, 2, 4, values, over, 100, false);
    assert_row(cells, 4, ":-- ");
    assert_row(cells + 4, 4, "::. ");
    assert_int_equal(cells[1].part, CHART_LINE);
}

/* Values beyond what the picture has room for, of the whole range. */
static void extremes(void **state)
{
    (void)state;
    const uint64_t values[] = {UINT64_MAX - 1, 1}, none[] = {NONE, NONE};
    chart_draw(cells, 1, 1, values, none, 1, true);
    assert_row(cells, 1, "\u28ff");
    chart_draw(cells, 1, 1, values, none, 0, true);
    assert_row(cells, 1, " ");
    chart_draw(cells, 1, 1, values, none, UINT64_MAX - 1, true);
    assert_row(cells, 1, "\u28c7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(area), cmocka_unit_test(line),
                                       cmocka_unit_test(plain), cmocka_unit_test(extremes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
