// SPDX-License-Identifier: MIT
/* The lines of this very program: the same as libdw's, whose reader is another. */
#include <dwarf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/dwarf_lines.h"

static struct dwarf_lines lines;

static void assert_same_name(const char *name, const char *expected)
{
    assert_int_equal(!name, !expected);
    if (name)
        assert_string_equal(name, expected);
}

static size_t compare_lines(Dwarf_Die *unit)
{
    Dwarf_Lines *table;
    size_t count, compared = 0;
    assert_int_equal(dwarf_getsrclines(unit, &table, &count), 0);
    for (size_t i = 0; i + 1 < count; i++) {
        Dwarf_Line *row = dwarf_onesrcline(table, i);
        Dwarf_Addr address, next;
        bool end;
        int line, expected;
        dwarf_lineaddr(row, &address);
        dwarf_lineaddr(dwarf_onesrcline(table, i + 1), &next);
        dwarf_lineendsequence(row, &end);
        dwarf_lineno(row, &expected);
        if (end || next == address || !expected)
            continue;
        compared++;
        assert_same_name(dwarf_lines_find(&lines, unit, address, &line), dwarf_linesrc(row, NULL, NULL));
        assert_int_equal(line, expected);
        assert_non_null(dwarf_lines_find(&lines, unit, next - 1, &line));
        assert_int_equal(line, expected);
    }
    return compared;
}

static void compare_files(Dwarf_Die *unit)
{
    Dwarf_Files *files;
    size_t count;
    assert_int_equal(dwarf_getsrcfiles(unit, &files, &count), 0);
    for (size_t i = 1; i < count; i++)
        assert_same_name(dwarf_lines_file(&lines, unit, unit, i), dwarf_filesrc(files, i, NULL, NULL));
    assert_null(dwarf_lines_file(&lines, unit, unit, count));
}

static void as_libdw_says(void **state)
{
    (void)state;
    int fd = open("/proc/self/exe", O_RDONLY);
    Dwarf *dwarf = dwarf_begin(fd, DWARF_C_READ);
    Dwarf_CU *cu = NULL;
    Dwarf_Die unit;
    size_t compared = 0;
    assert_non_null(dwarf);
    dwarf_lines_open(&lines, 1 << 20);
    while (dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &unit, NULL) == 0) {
        compared += compare_lines(&unit);
        compare_files(&unit);
        dwarf_lines_rest(&lines);
    }
    assert_true(compared > 1000);
    dwarf_end(dwarf);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_libdw_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
