// SPDX-License-Identifier: MIT
/* Figures and names for a person: units, escapes, short names. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/demangle.h"
#include "output/names.h"
#include "output/units.h"
#include "output/utf8.h"

static void bytes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1, "1 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {4096, "4.0 KiB"},
        {1048524, "1023.9 KiB"},
        {1048525, "1.0 MiB"},
        {98461286, "93.9 MiB"},
        {UINT64_C(5) << 40, "5.0 TiB"},
        {UINT64_MAX, "16.0 EiB"},
    };
    char text[UNITS_SIZE];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(units_bytes(cases[i].bytes, text), cases[i].text);
}

static void counts(void **state)
{
    (void)state;
    char text[UNITS_SIZE];
    assert_string_equal(units_count(0, text), "0");
    assert_string_equal(units_count(999, text), "999");
    assert_string_equal(units_count(1000, text), "1,000");
    assert_string_equal(units_count(3382386, text), "3,382,386");
    assert_string_equal(units_count(UINT64_MAX, text), "18,446,744,073,709,551,615");
    assert_string_equal(units_share(1, 3, text), "33.3 %");
    assert_string_equal(units_share(0, 0, text), "-");
}

static void durations(void **state)
{
    (void)state;
    char text[UNITS_SIZE];
    assert_string_equal(units_duration(0, text), "0 ms");
    assert_string_equal(units_duration(15400000, text), "15 ms");
    assert_string_equal(units_duration(999900000, text), "1.00 s");
    assert_string_equal(units_duration(UINT64_C(1250000000), text), "1.25 s");
    assert_string_equal(units_duration(UINT64_C(200000000000), text), "3 min 20 s");
    assert_string_equal(units_duration(UINT64_C(18720000000000), text), "5 h 12 min");
}

static void assert_escaped(const char *name, bool wide, const char *expected)
{
    char *escaped = utf8_escape(name, wide);
    assert_string_equal(escaped, expected);
    free(escaped);
}

static void escapes(void **state)
{
    (void)state;
    assert_escaped("plain name", true, "plain name");
    assert_escaped("a\033[31mb\nc\td\x7f", true, "a\\x1b[31mb\\nc\\td\\x7f");
    assert_escaped("\xc2\x9b"
                   "31m",
                   true, "\\u009b31m"); /* C1: an escape in one character */
    assert_escaped("\xe2\x80\xae"
                   "evil",
                   true, "\\u202eevil"); /* right to left from here */
    assert_escaped("\xe2\x81\xa6x\xe2\x80\x8b", true, "\\u2066x\\u200b");
    assert_escaped("caf\xc3\xa9", true, "caf\xc3\xa9");
    assert_escaped("caf\xc3\xa9", false, "caf\\u00e9");
    assert_escaped("\xf3\xa0\x81\x81", true, "\\U000e0041");
    assert_escaped("bad\xff\xc3(", true, "bad\xef\xbf\xbd\xef\xbf\xbd(");
    assert_escaped("bad\xff", false, "bad\\ufffd");
}

/* Sequences that look like UTF-8 and are none: each invalid part is one replacement. */
static void decoding(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t character;
        size_t size;
    } cases[] = {
        {"a", 'a', 1},
        {"\xc3\xa9", 0xe9, 2},
        {"\xe2\x82\xac", 0x20ac, 3},
        {"\xf0\x9f\x98\x80", 0x1f600, 4},
        {"\xc0\x80", UTF8_REPLACEMENT, 1},         /* overlong */
        {"\xe0\x80\x80", UTF8_REPLACEMENT, 1},     /* overlong */
        {"\xed\xa0\x80", UTF8_REPLACEMENT, 1},     /* surrogate */
        {"\xf4\x90\x80\x80", UTF8_REPLACEMENT, 1}, /* too large */
        {"\xe2\x82", UTF8_REPLACEMENT, 2},         /* ends early */
        {"\xf0\x9f\x98", UTF8_REPLACEMENT, 3},
        {"\x80", UTF8_REPLACEMENT, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size;
        assert_int_equal(utf8_decode(cases[i].text, &size), cases[i].character);
        assert_int_equal(size, cases[i].size);
    }
    for (uint32_t character = 0x80; character < 0x110000; character += 37) {
        char encoded[5];
        size_t size = utf8_encode(character, encoded), decoded;
        if (character < 0xd800 || character > 0xdfff)
            assert_int_equal(utf8_decode(encoded, &decoded), character);
        else
            continue;
        assert_int_equal(decoded, size);
    }
}

static void assert_clipped(const char *text, size_t columns, bool wide, bool tail, const char *expected)
{
    char *clipped = utf8_clip(text, columns, wide, tail);
    assert_string_equal(clipped, expected);
    free(clipped);
}

static void clipping(void **state)
{
    (void)state;
    assert_clipped("function", 8, false, false, "function");
    assert_clipped("function", 7, false, false, "func...");
    assert_clipped("a/long/path.c:7", 9, false, true, "...th.c:7");
    assert_clipped("function", 2, false, false, "...");
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    assert_clipped("function", 7, true, false, "functi\u2026");
    assert_clipped("\u65e5\u672c\u8a9e", 5, true, false, "\u65e5\u672c\u2026"); /* two columns each */
}

static void assert_name(const char *name, const char *expected)
{
    char *shorter = names_function(name, false);
    assert_string_equal(shorter, expected);
    free(shorter);
}

static void long_names(void **state)
{
    (void)state;
    assert_name("app::Impl::go(int)", "app::Impl::go(int)");
    assert_name(
        "void std::vector<int, std::allocator<int> >::_M_realloc_insert<int const&>(int*, int const&)",
        "std::vector<...>::_M_realloc_insert<...>");
    assert_name(
        "std::ostream& std::operator<< <std::char_traits<char> >(std::ostream&, char const*, int, int)",
        "std::operator<< <...>");
    assert_name("std::function<void (std::vector<int, std::allocator<int> > const&)>::operator()(int) const",
                "std::function<...>::operator()");
    assert_name("(anonymous namespace)::Store<std::pair<int, int>, std::allocator<char> >::put(int, int)",
                "(anonymous namespace)::Store<...>::put");
    assert_name("std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> "
                ">::append(char const*)",
                "std::string::append");
    assert_name("<alloc::vec::Vec<T> as core::iter::traits::collect::Extend<T>>::extend_one_and_more",
                "<alloc::vec::Vec<T> as core::iter::traits::collect::Extend<T>>::extend_one_and_more");
    assert_name("a::b<((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((", "a::b<...>");
}

static void assert_path(const char *path, const char *cwd, const char *expected)
{
    char *plain = names_path(path, cwd);
    assert_string_equal(plain, expected);
    free(plain);
}

static void paths(void **state)
{
    (void)state;
    assert_path("/home/user/demo/dict.c", "/home/user", "demo/dict.c");
    assert_path("/home/username/x.c", "/home/user", "/home/username/x.c");
    assert_path("/x.c", "/", "/x.c");
    assert_path("./demo//dict.c", NULL, "demo/dict.c");
    assert_path("/usr/bin/../lib/./gcc/../../include/c++/12/vector", NULL, "/usr/include/c++/12/vector");
    assert_path("../x/../y.c", "/home", "../y.c");
    assert_path("/../x.c", NULL, "/../x.c");
    assert_path("", NULL, "");
}

static void assert_demangled(const char *mangled, const char *expected)
{
    char *name = demangle(mangled);
    if (expected)
        assert_string_equal(name, expected);
    else
        assert_null(name);
    free(name);
}

static void demangling(void **state)
{
    (void)state;
    assert_demangled("_ZN3app5StoreIiE3putEi", "app::Store<int>::put(int)");
    assert_demangled("_Znwm", "operator new(unsigned long)");
    assert_demangled("_RNvC6_123foo3bar", "123foo::bar");
    assert_demangled("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write");
    assert_demangled("main", NULL);
    assert_demangled("_Zbroken", NULL);
    assert_demangled("_", NULL);
    assert_demangled("", NULL);
}

/* A few hundred characters that stand for gigabytes, and a stack of pointers as deep as a name can be. */
static void hostile_names(void **state)
{
    (void)state;
    char bomb[1024] = "_Z1fSt4pairIiiE", *deep = malloc(20000);
    for (int i = 0; i < 36; i++) { /* each pair is of two of the one before */
        char digit = (char)(i < 10 ? '0' + i : 'A' + i - 10),
             next[] = {'S', '_', 'I', 'S', digit, '_', 'S', digit, '_', 'E', 0};
        strcat(bomb, next);
    }
    assert_demangled(bomb, NULL);
    for (size_t length = 100; length < 19000; length *= 2) {
        memset(deep, 'P', length);
        memcpy(deep, "_Z1f", 4);
        strcpy(deep + length, "i");
        free(demangle(deep));
        for (size_t i = 4; i + 3 < length; i += 3)
            memcpy(deep + i, "1aI", 3);
        free(demangle(deep));
        memset(deep, 'N', length);
        memcpy(deep, "_R", 2);
        free(demangle(deep));
    }
    free(deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes),         cmocka_unit_test(counts),   cmocka_unit_test(durations),
        cmocka_unit_test(escapes),       cmocka_unit_test(decoding), cmocka_unit_test(clipping),
        cmocka_unit_test(long_names),    cmocka_unit_test(paths),    cmocka_unit_test(demangling),
        cmocka_unit_test(hostile_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
