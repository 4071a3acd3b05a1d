// SPDX-License-Identifier: MIT
/* Who listens is told of the innermost work, and of its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/progress.h"

static const struct progress *shown;
static uint64_t done, whole;
static int ends, shows;
static char said[64];

static void show(const struct progress *progress)
{
    shown = progress;
    shows++;
    ends += !progress;
    done = progress ? progress->done : 0;
    whole = progress ? progress->whole : 0;
}

static void say(const char *sentence)
{
    strncpy(said, sentence, sizeof(said) - 1);
}

static const struct progress_listener listener = {show, say};

static int listen(void **state)
{
    (void)state;
    shown = NULL;
    ends = shows = 0;
    progress_listen(&listener);
    return 0;
}

static void the_innermost(void **state)
{
    (void)state;
    struct progress outer, inner;
    progress_at(1, 2);
    assert_int_equal(shows, 0); /* no work is under way */
    progress_begin(&outer, "outer");
    progress_at(3, 10);
    assert_ptr_equal(shown, &outer);
    assert_int_equal(done, 3);
    assert_int_equal(whole, 10);
    progress_begin(&inner, "inner");
    assert_ptr_equal(shown, &inner);
    assert_int_equal(whole, 0);
    progress_at(1, 2);
    progress_end(&inner);
    assert_int_equal(ends, 0);
    progress_tick();
    assert_ptr_equal(shown, &outer);
    assert_int_equal(done, 3);
    progress_end(&outer);
    assert_int_equal(ends, 1);
    progress_tick();
    assert_null(shown);
}

static void sentences(void **state)
{
    (void)state;
    progress_say("asking %s %d times", "nobody", 3);
    assert_string_equal(said, "asking nobody 3 times");
}

static void nobody_listens(void **state)
{
    (void)state;
    struct progress work;
    progress_listen(NULL);
    progress_begin(&work, "work");
    progress_at(1, 2);
    progress_say("unheard");
    progress_end(&work);
    assert_int_equal(shows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_innermost, listen),
        cmocka_unit_test_setup(sentences, listen),
        cmocka_unit_test_setup(nobody_listens, listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
