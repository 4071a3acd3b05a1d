// SPDX-License-Identifier: MIT
/*
 * Phases against a reference that has each open phase's own sums; and who gets counters for the common way.
 */
#include "shim_support.h"
#include "../../shim/track/counters.h"
#include "../../shim/track/phases.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 20000 };

static struct phase_figures reference[PHASES_MAX];
static uint32_t open_count;

static void no_stacks(struct thread *self)
{
    (void)self;
}

static struct thread *begin(void)
{
    shim_steps.start = no_stacks;
    struct thread *self = shim_enter();
    assert_true(counters_join(self));
    return self;
}

static void event(struct thread *self, int births, uint64_t born, int deaths, uint64_t died)
{
    phases_event(self, births, born, deaths, died);
    for (uint32_t i = 0; i < open_count; i++) {
        struct phase_figures *phase = &reference[i];
        phase->current += (int64_t)born - (int64_t)died;
        phase->allocated += born;
        phase->allocations += (uint64_t)births;
        phase->frees += (uint64_t)deaths;
        if (phase->current > phase->peak)
            phase->peak = phase->current;
    }
}

static void any_event(struct thread *self, uint64_t *state)
{
    uint64_t size = shim_random(state) % 10000, other = shim_random(state) % 10000;
    switch (shim_random(state) % 5) {
    case 0:
    case 1:
        event(self, 1, size, 0, 0);
        break;
    case 2:
    case 3:
        event(self, 0, 0, 1, size);
        break;
    default:
        event(self, 1, size, 1, other);
    }
}

static const char *name_of(uint32_t number)
{
    static char name[32];
    sprintf(name, "phase %u", number);
    return name;
}

static void assert_same(const struct phase_figures *found, const struct phase_figures *right)
{
    assert_int_equal(found->current, right->current);
    assert_int_equal(found->peak, right->peak);
    assert_int_equal(found->allocated, right->allocated);
    assert_int_equal(found->allocations, right->allocations);
    assert_int_equal(found->frees, right->frees);
}

static void close_one(struct thread *self, uint64_t *state)
{
    struct phase_figures found;
    uint32_t number = shim_random(state) % 4 ? open_count - 1 : (uint32_t)(shim_random(state) % open_count);
    bool named = number != open_count - 1 || shim_random(state) % 2;
    assert_int_equal(phases_end(self, named ? name_of(number) : NULL, &found), 0);
    assert_same(&found, &reference[number]);
    open_count = number;
}

static void run_reference(void)
{
    struct thread *self = begin();
    uint64_t state = 3;
    for (int i = 0; i < STEPS; i++) {
        uint64_t what = shim_random(&state) % 20;
        if (what == 0 && open_count < PHASES_MAX) {
            assert_int_equal(phases_begin(self, name_of(open_count)), 0);
            reference[open_count++] = (struct phase_figures){0};
        } else if (what == 1 && open_count) {
            close_one(self, &state);
        } else {
            any_event(self, &state);
        }
        assert_int_equal(self->phase_count, open_count);
        assert_int_equal(self->counters == NULL, open_count != 0);
    }
}

static void test_equals_the_reference(void **state)
{
    (void)state;
    shim_in_child(run_reference);
}

static void run_limits(void)
{
    struct thread *self = begin();
    struct phase_figures found;
    char name[100], other[100];
    assert_int_equal(phases_end(self, NULL, &found), -ENOENT);
    assert_int_equal(phases_end(self, "none", &found), -ENOENT);
    memset(name, 'n', sizeof name);
    name[99] = 0;
    memcpy(other, name, sizeof name);
    other[80] = 'o';
    for (int i = 0; i < PHASES_MAX; i++)
        assert_int_equal(phases_begin(self, i ? NULL : name), 0);
    assert_int_equal(phases_begin(self, NULL), -ENOSPC);
    assert_int_equal(phases_end(self, "another", &found), -ENOENT);
    assert_int_equal(self->phase_count, PHASES_MAX);
    assert_int_equal(phases_end(self, other, &found), 0);      /* as far as names are kept */
    assert_int_equal(self->phase_count, 0);
    assert_non_null(self->counters);
}

static void test_there_is_a_limit_and_names_are_cut(void **state)
{
    (void)state;
    shim_in_child(run_limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_reference),
        cmocka_unit_test(test_there_is_a_limit_and_names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
