// SPDX-License-Identifier: MIT
/*
 * The stacks that a thread keeps: when one is found again, how far a changed one holds, and which give way.
 * The stacks are made here, of words that lie on the thread's own stack or off it.
 */
#include "shim_support.h"
#include "../../shim/base/arena.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static struct thread *self;
static struct stacks *stacks;
static struct thread fresh;     /* of each test */

static uint64_t numbers;

static uint32_t choose(uint32_t n)
{
    return (uint32_t)(shim_random(&numbers) % n);
}

static int start_all(void **state)
{
    (void)state;
    self = shim_enter();
    return life_state() == LIFE_ON ? 0 : -1;
}

static int begin(void **state)
{
    (void)state;
    fresh = (struct thread){0};
    stacks = stacks_of(&fresh);
    assert_non_null(stacks);
    numbers = 1;
    return 0;
}

/* --- stacks made here ---------------------------------------------------------------------------------- */

enum { FRAMES = 60, PER_FRAME = 8 };

/*
 * Frame i, from the outermost, has its rsp at words[top(i)]; the inner ones lie lower.  Between its rsp and
 * the next frame's are PER_FRAME words: the return address by which the inner frame leads to it is the one
 * below its rsp; an rbp that was saved is in the slot that the frame says.
 */
struct made {
    uintptr_t words[FRAMES * PER_FRAME + 2 * PER_FRAME];
    uintptr_t end;              /* 0, where the stack may end */
    uint32_t count;
    struct kept_frame frames[FRAMES];
};

static uint32_t top(const struct made *made, uint32_t i)
{
    return (made->count - i) * PER_FRAME;
}

/* Frames of which some saved rbp, some leave it alone, some need it; each time in other code. */
static void make(struct made *made, uint32_t count)
{
    static uintptr_t code = 1 << 20;
    code += 1 << 12;
    memset(made, 0, sizeof *made);
    made->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t *sp = &made->words[top(made, i)];
        struct kept_frame *frame = &made->frames[i];
        *frame = (struct kept_frame){
            .at = {code + 16ul * i, (uintptr_t)sp, 0x77000 + 8ul * i},
            .frame = i + 1,
            .bp_slot = choose(2) ? 0 : (int16_t)(-2 - (int)choose(4)),
            .uses_bp = choose(3) == 0,
        };
        frame->bp_kept = !frame->bp_slot;
        sp[-1] = frame->at.lookup + 1;
        if (frame->bp_slot)
            sp[frame->bp_slot] = frame->at.bp;
    }
    for (uint32_t i = count; i-- > 1;)                  /* an rbp that was left alone is the inner one's */
        if (made->frames[i - 1].bp_kept)
            made->frames[i - 1].at.bp = made->frames[i].at.bp;
}

static struct frame_state innermost(const struct made *made)
{
    return made->frames[made->count - 1].at;
}

/* Doubled until it does. */
static void assert_room(uint32_t room, uint32_t frames)
{
    assert_true(room >= frames);
    while (room > STACK_FRAMES_FIRST && room % 2 == 0)
        room /= 2;
    assert_int_equal(room, STACK_FRAMES_FIRST);
}

static struct stack_memo *keep(struct made *made, struct stack_memo *model, uint32_t base)
{
    struct stack_memo *memo = stacks_place(stacks, model, base, made->count);
    assert_non_null(memo);
    assert_room(memo->capacity, made->count);
    memcpy(memo->frames + base, made->frames + base, (made->count - base) * sizeof *memo->frames);
    memo->count = made->count;
    if (!base) {
        memo->cut = false;
        memo->end_word = 0;
    }
    stacks_keep(stacks, memo, base, false);
    return memo;
}

/* Does a rule outside need this frame's rbp? */
static bool matters(const struct made *made, uint32_t i)
{
    while (!made->frames[i].uses_bp)
        if (i == 0 || !made->frames[--i].bp_kept)
            return false;
    return true;
}

/* The number of the frame that a word leads to; count: it leads to none, or does not matter. */
static uint32_t owner(const struct made *made, uint32_t word)
{
    for (uint32_t i = 0; i + 1 < made->count; i++) {
        int32_t slot = (int32_t)word - (int32_t)top(made, i);
        if (slot == -1 || (slot && slot == made->frames[i].bp_slot && matters(made, i)))
            return i;
    }
    return made->count;
}

/* --- finding ------------------------------------------------------------------------------------------- */

static void test_a_kept_stack_is_found(void **state)
{
    struct made made;
    (void)state;
    for (uint32_t count = 1; count <= FRAMES; count++) {
        make(&made, count);
        struct stack_memo *memo = keep(&made, NULL, 0);
        assert_ptr_equal(stacks->latest, memo);
        assert_int_equal(memo->count, count);
        assert_false(memo->used);
        assert_int_equal(memo->site, 0);
        assert_ptr_equal(stacks_find(stacks, innermost(&made)), memo);
        assert_true(memo->used);
    }
}

static bool same_set(struct frame_state a, struct frame_state b)
{
    return stack_set(a.lookup, a.sp) == stack_set(b.lookup, b.sp);
}

static void test_another_innermost_frame_is_another_stack(void **state)
{
    struct made made;
    (void)state;
    for (int round = 0; round < 50; round++) {
        make(&made, 2 + choose(10));
        struct stack_memo *memo = keep(&made, NULL, 0);
        struct frame_state at = innermost(&made), other = at;
        do
            other.lookup++;
        while (!same_set(other, at));
        assert_null(stacks_find(stacks, other));
        other = at;
        do
            other.sp += 8;
        while (!same_set(other, at));
        assert_null(stacks_find(stacks, other));
        other = at;
        other.bp++;
        assert_ptr_equal(stacks_find(stacks, other), matters(&made, made.count - 1) ? NULL : memo);
        stacks->latest = NULL;
        assert_ptr_equal(stacks_find(stacks, at), memo);
        assert_ptr_equal(stacks->latest, memo);
    }
}

/* Any word of it may be another: those by which the stack goes on count, the others do not. */
static void test_a_changed_word_is_noticed_if_it_counts(void **state)
{
    struct made made;
    uint32_t noticed = 0, ignored = 0;
    (void)state;
    for (uint32_t count = 1; count <= 30; count++) {
        make(&made, count);
        struct stack_memo *memo = keep(&made, NULL, 0);
        for (uint32_t i = 0; i < top(&made, 0) + 2; i++) {
            bool counts = owner(&made, i) < count;
            made.words[i] ^= 0x100;
            assert_ptr_equal(stacks_find(stacks, innermost(&made)), counts ? NULL : memo);
            made.words[i] ^= 0x100;
            noticed += counts;
            ignored += !counts;
        }
        assert_ptr_equal(stacks_find(stacks, innermost(&made)), memo);
    }
    assert_true(noticed > 500 && ignored > 500);
}

/* Which frames are as they were, when a word has changed or several have. */
static void test_a_changed_stack_holds_as_far_as_its_change(void **state)
{
    struct made made;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        make(&made, 1 + choose(30));
        struct stack_memo *memo = keep(&made, NULL, 0);
        uint32_t from = choose(made.count), good = 0;
        for (uint32_t n = choose(4); n--;) {
            uint32_t word = choose(top(&made, 0) + 2), i = owner(&made, word);
            made.words[word]++;
            if (i < from && i + 1 > good)               /* frame i is no longer known */
                good = i + 1;
        }
        bool whole = false;
        assert_int_equal(stacks_unchanged(self, stacks, memo, from, &whole), good);
        assert_int_equal(whole, good == 0);
    }
}

/* --- the end ------------------------------------------------------------------------------------------- */

static struct stack_memo *keep_with_end(struct made *made, uintptr_t *word)
{
    struct stack_memo *memo = stacks_place(stacks, NULL, 0, made->count);
    memcpy(memo->frames, made->frames, made->count * sizeof *memo->frames);
    memo->count = made->count;
    memo->cut = false;
    memo->end_word = (uintptr_t)word;
    stacks_keep(stacks, memo, 0, false);
    return memo;
}

/* A return address of 0 ends it, on the thread's own stack. */
static void test_an_end_that_is_none_any_longer_is_noticed(void **state)
{
    struct made made;
    uintptr_t end = 0;
    (void)state;
    reach_begin(&stacks->reach, (uintptr_t)&made);
    reach_begin(&stacks->reach, (uintptr_t)&end);
    for (uint32_t count = 1; count < 12; count++) {
        make(&made, count);
        struct stack_memo *memo = keep_with_end(&made, &end);
        assert_ptr_equal(stacks_find(stacks, innermost(&made)), memo);
        end = 5;
        assert_null(stacks_find(stacks, innermost(&made)));
        assert_null(stacks_find_odd(self, stacks, innermost(&made)));
        bool whole = true;
        assert_int_equal(stacks_unchanged(self, stacks, memo, count - 1, &whole), 0);
        assert_false(whole);                            /* all frames, but not the end */
        end = 0;
        stacks_unchanged(self, stacks, memo, count - 1, &whole);
        assert_true(whole);
    }
}

static uintptr_t *new_page(void)
{
    uintptr_t *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    return page;
}

/* The same word on a page that may go. */
static void test_an_end_elsewhere_is_looked_at_if_it_can_be(void **state)
{
    struct made made;
    uintptr_t *page = new_page();
    (void)state;
    make(&made, 5);
    reach_begin(&stacks->reach, (uintptr_t)&made);
    struct stack_memo *memo = keep_with_end(&made, &page[9]);
    assert_null(stacks_find(stacks, innermost(&made)));         /* that looks at no odd ones */
    assert_ptr_equal(stacks_find_odd(self, stacks, innermost(&made)), memo);
    page[9] = 1;
    assert_null(stacks_find_odd(self, stacks, innermost(&made)));
    page[9] = 0;
    munmap(page, PAGE_SIZE);
    reach_begin(&stacks->reach, (uintptr_t)&made);
    assert_null(stacks_find_odd(self, stacks, innermost(&made)));
    bool whole = true;
    assert_int_equal(stacks_unchanged(self, stacks, memo, 4, &whole), 0);
    assert_false(whole);
}

/* --- odd frames ---------------------------------------------------------------------------------------- */

/* The frames from `first` to `last` lie on a page of their own. */
static uintptr_t *move_to_page(struct made *made, uint32_t first, uint32_t last)
{
    uintptr_t *page = new_page();
    for (uint32_t i = first; i <= last; i++) {
        uintptr_t *sp = &page[top(made, i)];
        memcpy(sp - PER_FRAME, &made->words[top(made, i) - PER_FRAME], PER_FRAME * sizeof *sp);
        made->frames[i].at.sp = (uintptr_t)sp;
        made->frames[i].odd = ODD_PLACE;
    }
    return page;
}

static void test_frames_elsewhere_are_looked_at_if_they_can_be(void **state)
{
    struct made made;
    uint32_t noticed = 0;
    (void)state;
    for (int round = 0; round < 40; round++) {
        make(&made, 12);
        uintptr_t *page = move_to_page(&made, 4, 6);
        struct stack_memo *memo = keep(&made, NULL, 0);
        reach_begin(&stacks->reach, (uintptr_t)&made);
        assert_null(stacks_find(stacks, innermost(&made)));
        assert_ptr_equal(stacks_find_odd(self, stacks, innermost(&made)), memo);
        for (uint32_t i = top(&made, 6) - PER_FRAME; i < top(&made, 4); i++) {
            uint32_t frame = owner(&made, i);
            bool whole, counts = frame < made.count;
            page[i] ^= 0x100;
            assert_ptr_equal(stacks_find_odd(self, stacks, innermost(&made)), counts ? NULL : memo);
            assert_int_equal(stacks_unchanged(self, stacks, memo, 11, &whole), counts ? frame + 1 : 0);
            assert_int_equal(whole, !counts);
            page[i] ^= 0x100;
            noticed += counts;
        }
        made.words[top(&made, 2) - 1]++;                /* one that is not odd, behind them */
        bool whole;
        assert_int_equal(stacks_unchanged(self, stacks, memo, 11, &whole), 3);
        made.words[top(&made, 2) - 1]--;
        munmap(page, PAGE_SIZE);
        reach_begin(&stacks->reach, (uintptr_t)&made);
        assert_null(stacks_find_odd(self, stacks, innermost(&made)));
        assert_int_equal(stacks_unchanged(self, stacks, memo, 11, &whole), 7);
    }
    assert_true(noticed > 150);
}

static void test_several_odd_ones_of_the_same_innermost_frame_are_found(void **state)
{
    struct made made;
    struct stack_memo *memos[4];
    (void)state;
    make(&made, 6);
    uintptr_t *page = move_to_page(&made, 2, 3), *word = &page[top(&made, 2) - 1];
    for (uint32_t i = 0; i < 4; i++) {
        made.frames[2].at.lookup = 0x5000 + i;
        memos[i] = keep(&made, NULL, 0);
    }
    reach_begin(&stacks->reach, (uintptr_t)&made);
    for (uint32_t i = 0; i < 4; i++) {
        *word = 0x5001 + i;
        stacks->latest = NULL;
        assert_ptr_equal(stacks_find_odd(self, stacks, innermost(&made)), memos[i]);
        assert_ptr_equal(stacks->latest, memos[i]);
        assert_true(memos[i]->used);
    }
    munmap(page, PAGE_SIZE);
}

/* A realigned frame: its caller's rsp is the word below rbp, where its caller's rbp is. */
extern const char stacks_realigned[];
__asm__(".pushsection .text\n.p2align 4\nnop\nstacks_realigned:\n.cfi_startproc\n"
        ".cfi_escape 0x0f, 3, 0x76, 0x78, 0x06\n.cfi_escape 0x10, 6, 2, 0x76, 0\nnop\nnop\n.cfi_endproc\n"
        "nop\n.popsection");

/* Frame 1 of three is a realigned one, inside of it one that hands rbp on. */
struct realigned {
    struct made made;
    uintptr_t words[64];        /* where its words are: further out */
};

static void make_realigned(struct realigned *r)
{
    struct made *made = &r->made;
    make(made, 3);
    memset(r->words, 0, sizeof r->words);
    uintptr_t bp = (uintptr_t)&r->words[20];
    r->words[19] = (uintptr_t)&r->words[40];
    r->words[20] = 0x5678;
    r->words[39] = r->words[40] = 0x1235;
    made->frames[0] = (struct kept_frame){.at = {0x1234, r->words[19], 0x5678}, .odd = ODD_STEP};
    made->frames[1] = (struct kept_frame){
        .at = {(uintptr_t)stacks_realigned, made->frames[1].at.sp, bp}, .bp_kept = true, .uses_bp = true,
    };
    made->frames[2].at.bp = bp;
    made->frames[2].uses_bp = false;
    made->words[top(made, 1) - 1] = (uintptr_t)stacks_realigned + 1;
}

static void test_an_unusual_step_is_taken_again(void **state)
{
    struct realigned r;
    bool whole;
    (void)state;
    for (uint32_t outer_bp = 0; outer_bp < 2; outer_bp++) {
        make_realigned(&r);
        r.made.frames[0].uses_bp = outer_bp;
        struct frame_state at = innermost(&r.made);
        struct stack_memo *memo = keep(&r.made, NULL, 0);
        reach_begin(&stacks->reach, (uintptr_t)&r);
        assert_null(stacks_find(stacks, at));
        assert_ptr_equal(stacks_find_odd(self, stacks, at), memo);
        r.words[39]++;                                  /* the return address */
        assert_int_equal(stacks_unchanged(self, stacks, memo, 2, &whole), 1);
        r.words[39]--;
        r.words[19] += 8;                               /* rsp */
        assert_int_equal(stacks_unchanged(self, stacks, memo, 2, &whole), 1);
        r.words[19] = 7;                                /* no step leads anywhere */
        assert_int_equal(stacks_unchanged(self, stacks, memo, 2, &whole), 1);
        r.words[19] = (uintptr_t)&r.words[40];
        r.words[20]++;                                  /* rbp, which may not matter */
        assert_int_equal(stacks_unchanged(self, stacks, memo, 2, &whole), outer_bp);
        if (!outer_bp)
            assert_int_equal(memo->frames[0].at.bp, 0x5679);    /* but is known */
        r.words[20]--;
        assert_int_equal(stacks_unchanged(self, stacks, memo, 2, &whole), 0);
        assert_true(whole);
        at.bp += 8;                                     /* on which the step depends */
        assert_null(stacks_find_odd(self, stacks, at));
    }
}

/* By the chain of frames, where other code may be the next time. */
static void test_a_step_that_cannot_be_relied_on_is_not(void **state)
{
    struct realigned r;
    uintptr_t *page = new_page();
    bool whole;
    (void)state;
    make_realigned(&r);
    r.words[20] = 0x5678;
    r.words[21] = (uintptr_t)stacks_realigned + 1;
    r.made.frames[0].at = (struct frame_state){(uintptr_t)stacks_realigned, (uintptr_t)&r.words[22], 0x5678};
    r.made.frames[1].at.lookup = (uintptr_t)page;
    r.made.words[top(&r.made, 1) - 1] = (uintptr_t)page + 1;
    struct stack_memo *memo = keep(&r.made, NULL, 0);
    reach_begin(&stacks->reach, (uintptr_t)&r);
    assert_int_equal(stacks_unchanged(self, stacks, memo, 2, &whole), 1);
    munmap(page, PAGE_SIZE);
}

/* --- several ------------------------------------------------------------------------------------------- */

/* Stacks of the same innermost frame, called from elsewhere: the latest four are found. */
static void test_four_of_the_same_innermost_frame_are_found(void **state)
{
    struct made made;
    struct stack_memo *memos[9];
    (void)state;
    make(&made, 6);
    uintptr_t *word = &made.words[top(&made, 1) - 1];
    for (uint32_t i = 0; i < 9; i++) {
        made.frames[1].at.lookup = 0x5000 + i;
        *word = 0x5001 + i;
        memos[i] = keep(&made, NULL, 0);
        for (uint32_t n = 0; n <= i; n++) {
            *word = 0x5001 + n;
            assert_ptr_equal(stacks_find(stacks, innermost(&made)), n + 4 > i ? memos[n] : NULL);
        }
        *word = 0;
        assert_null(stacks_find(stacks, innermost(&made)));
    }
}

static struct made many[2 * STACKS];

/* Each has a set of its own. */
static void make_many(void)
{
    for (uint32_t i = 0; i < 2 * STACKS; i++) {
        make(&many[i], 3);
        struct frame_state *at = &many[i].frames[2].at;
        while (stack_set(at->lookup, at->sp) != i)
            at->lookup++;
    }
}

static bool is_found(uint32_t i)
{
    return stacks_find(stacks, innermost(&many[i])) != NULL;
}

static void test_a_stack_that_is_found_stays(void **state)
{
    (void)state;
    make_many();
    keep(&many[0], NULL, 0);
    for (uint32_t i = 1; i < 2 * STACKS; i++) {
        assert_true(is_found(0));
        keep(&many[i], NULL, 0);
    }
    assert_true(is_found(0));
    uint32_t found = 0;
    for (uint32_t i = 0; i < 2 * STACKS; i++)
        found += is_found(i);
    assert_int_equal(found, STACKS);
}

static void test_as_many_as_there_is_room_for_are_kept(void **state)
{
    uint32_t numbers_seen = 0;
    (void)state;
    make_many();
    for (uint32_t i = 0; i < STACKS; i++) {
        struct stack_memo *memo = keep(&many[i], NULL, 0);
        assert_in_range(memo->number, 1, STACKS);
        assert_ptr_equal(stacks->memos[memo->number], memo);
        assert_false(numbers_seen & 1u << memo->number);
        numbers_seen |= 1u << memo->number;
        memo->known = 3;
    }
    struct stack_memo *memo = keep(&many[STACKS], NULL, 0);
    assert_int_equal(memo->known, 0);
    assert_true(numbers_seen & 1u << memo->number);
    assert_false(is_found(0));                          /* nobody has looked for it */
}

/* If all were found, all marks are cleared and one goes; but not the model. */
static void test_one_goes_if_all_were_found(void **state)
{
    (void)state;
    make_many();
    for (uint32_t i = 0; i < STACKS; i++)
        keep(&many[i], NULL, 0)->used = true;
    struct stack_memo *model = stacks->memos[1];
    struct stack_memo *memo = stacks_place(stacks, model, 0, 3);
    assert_ptr_not_equal(memo, model);
    assert_int_equal(memo->count, 0);
    for (uint32_t i = 1; i <= STACKS; i++)
        assert_false(stacks->memos[i]->used);
}

/* --- giving way ---------------------------------------------------------------------------------------- */

/* The model gives its place three times of four, unless it was found. */
static void test_what_was_never_found_gives_its_place(void **state)
{
    struct made made;
    uint32_t in_place = 0;
    (void)state;
    make(&made, 5);
    struct stack_memo *model = keep(&made, NULL, 0);
    for (int i = 0; i < 40; i++) {
        made.frames[4].at.lookup += 16;
        model->site = 7;
        model->of_site = &made;
        struct stack_memo *memo = keep(&made, model, 3);
        in_place += memo == model;
        assert_int_equal(memo->site, 0);
        assert_null(memo->of_site);
        assert_ptr_equal(stacks_find(stacks, innermost(&made)), memo);
        memo->used = false;
        model = memo;
    }
    assert_int_equal(in_place, 30);
    for (int i = 0; i < 20; i++) {
        model->used = true;
        made.frames[4].at.lookup += 16;
        struct stack_memo *memo = keep(&made, model, 3);
        assert_ptr_not_equal(memo, model);
        model = memo;
    }
}

/* A model of fewer frames, as the layers above leave it. */
static struct stack_memo *make_model(const struct made *made, uint32_t count)
{
    struct stack_memo *model = stacks_place(stacks, NULL, 0, count);
    memcpy(model->frames, made->frames, count * sizeof *model->frames);
    for (uint32_t i = 0; i < count; i++)
        model->frames[i].node = 1000 + i;
    model->count = count;
    model->cut = choose(2);
    model->end_word = choose(2) ? (uintptr_t)&made->end : 0;
    stacks_keep(stacks, model, 0, false);
    model->used = choose(2);
    model->known = choose(count + 1);
    return model;
}

/* Those outside of `base` are the model's, with their checks and what the layer above has put there. */
static void test_outer_frames_are_taken_over(void **state)
{
    struct made made;
    uint32_t in_place = 0;
    (void)state;
    reach_begin(&stacks->reach, (uintptr_t)&made);
    for (int round = 0; round < 1000; round++) {
        make(&made, 2 + choose(FRAMES - 2));
        uint32_t before = 1 + choose(made.count - 1), base = choose(before);
        struct stack_memo *model = make_model(&made, before);
        uint32_t number = model->number, known = model->known < base ? model->known : base;
        uintptr_t end_word = model->end_word;
        bool cut = model->cut;
        struct stack_memo *memo = stacks_place(stacks, model, base, made.count);
        in_place += memo->number == number;
        assert_room(memo->capacity, made.count);
        assert_int_equal(memo->cut, cut);
        assert_int_equal(memo->end_word, end_word);
        if (memo->number != number)
            assert_int_equal(memo->known, known);
        for (uint32_t i = 0; i < base; i++)
            assert_int_equal(memo->frames[i].node, 1000 + i);
        for (uint32_t i = base; i < made.count; i++)
            memo->frames[i] = made.frames[i];
        memo->count = made.count;
        stacks_keep(stacks, memo, base, false);
        assert_ptr_equal(stacks_find(stacks, innermost(&made)), memo);
        for (uint32_t n = 0; n < 20; n++) {
            uint32_t word = choose(top(&made, 0) + 2);
            bool counts = owner(&made, word) < made.count;
            made.words[word]++;
            assert_ptr_equal(stacks_find(stacks, innermost(&made)), counts ? NULL : memo);
            made.words[word]--;
        }
        made.end = 1;
        assert_ptr_equal(stacks_find(stacks, innermost(&made)), end_word ? NULL : memo);
    }
    assert_in_range(in_place, 100, 900);
}

/* --- how long it lasts --------------------------------------------------------------------------------- */

static void test_a_fleeting_stack_is_not_found(void **state)
{
    struct made made;
    (void)state;
    make(&made, 5);
    struct stack_memo *model = keep(&made, NULL, 0), *memo = stacks_place(stacks, model, 0, 5);
    assert_ptr_equal(memo, model);
    memcpy(memo->frames, made.frames, 5 * sizeof *memo->frames);
    memo->count = 5;
    stacks_keep(stacks, memo, 0, true);
    assert_null(stacks->latest);
    assert_null(stacks_find(stacks, innermost(&made)));
    assert_null(stacks_find_odd(self, stacks, innermost(&made)));
    assert_int_equal(memo->count, 5);                   /* but it is a result */
}

/* A memo that has been given away is not the stack that it was, even if nothing is kept in it. */
static void test_a_place_that_was_given_away_is_not_found(void **state)
{
    struct made made;
    (void)state;
    make(&made, 5);
    struct stack_memo *model = keep(&made, NULL, 0);
    assert_ptr_equal(stacks_place(stacks, model, 3, 6), model);
    assert_null(stacks_find(stacks, innermost(&made)));
    assert_int_equal(model->count, 0);
}

static void test_all_are_forgotten_when_told_to(void **state)
{
    struct thread none = {0};
    (void)state;
    stacks_forget(&none);
    assert_null(none.stacks);
    make_many();
    for (uint32_t i = 0; i < STACKS; i++)
        keep(&many[i], NULL, 0)->used = true;
    reach_begin(&stacks->reach, (uintptr_t)&none);
    assert_int_not_equal(stacks->reach.high, 0);
    stacks_forget(&fresh);
    assert_ptr_equal(fresh.stacks, stacks);
    assert_null(stacks->latest);
    assert_int_equal(stacks->reach.high, 0);            /* it may be another thread's from now on */
    for (uint32_t i = 0; i < STACKS; i++) {
        assert_false(is_found(i));
        assert_false(stacks->memos[i + 1]->used);
    }
    struct stack_memo *memo = keep(&many[0], NULL, 0);
    assert_true(is_found(0));
    assert_true(memo->number <= STACKS);
}

/* --- room ---------------------------------------------------------------------------------------------- */

static void test_the_scratch_grows_and_keeps_what_is_in_it(void **state)
{
    uint32_t filled = 0;
    (void)state;
    uint64_t before = arena_bytes();
    for (uint32_t frames = 1; frames < 5000; frames += 1 + frames / 3) {
        assert_true(stacks_room(stacks, frames));
        assert_room(stacks->room, frames);
        for (uint32_t i = 0; i < filled; i++)
            assert_int_equal(stacks->walked[i].node, i + 1);
        for (; filled < frames; filled++)
            stacks->walked[filled].node = filled + 1;
    }
    assert_true(arena_bytes() - before < stacks->room * sizeof(struct kept_frame) * 3 / 2);
    struct kept_frame *walked = stacks->walked;
    assert_true(stacks_room(stacks, 100));
    assert_ptr_equal(stacks->walked, walked);
}

/* Deep stacks in few places: what is outgrown comes back. */
static void test_deep_stacks_do_not_pile_up(void **state)
{
    enum { DEEP = 4000 };
    uintptr_t room[DEEP + 1] = {0};
    struct kept_frame frames[DEEP];
    uint64_t before = arena_bytes();
    struct stack_memo *memo = NULL;
    (void)state;
    for (uint32_t i = 0; i < DEEP; i++) {               /* a word each: the return addresses alone */
        frames[i] = (struct kept_frame){.at = {i + 1, (uintptr_t)&room[DEEP - i], 0}};
        room[DEEP - i - 1] = i + 2;
        uint32_t base = i ? i - 1 : 0;                  /* the innermost one has no checks yet */
        memo = stacks_place(stacks, memo, base, i + 1);
        memcpy(memo->frames + base, frames + base, (i + 1 - base) * sizeof *frames);
        memo->count = i + 1;
        memo->cut = false;
        memo->end_word = 0;
        stacks_keep(stacks, memo, base, false);
    }
    size_t each = sizeof(struct kept_frame) + 2 * sizeof(struct check);
    assert_true(arena_bytes() - before < STACKS * 2 * DEEP * each);
    assert_ptr_equal(stacks_find(stacks, frames[DEEP - 1].at), memo);
    room[DEEP / 2]++;
    assert_null(stacks_find(stacks, frames[DEEP - 1].at));
    bool whole;
    assert_int_equal(stacks_unchanged(self, stacks, memo, DEEP - 1, &whole), DEEP / 2);
}

static void forbid_memory(void)
{
    struct rlimit none = {1, 1};
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    while (arena_alloc(1024))
        ;
    while (arena_alloc(16))
        ;
}

static void run_out(void)
{
    static struct made made;
    struct thread other = {0};
    make(&made, 20);
    struct stack_memo *memo = keep(&made, NULL, 0);
    assert_true(stacks_room(stacks, 10));
    forbid_memory();
    assert_null(stacks_of(&other));
    assert_ptr_equal(stacks_of(&fresh), stacks);
    assert_true(stacks_room(stacks, 10));
    assert_false(stacks_room(stacks, 100000));
    assert_int_equal(stacks->room, STACK_FRAMES_FIRST);
    assert_ptr_equal(stacks_find(stacks, innermost(&made)), memo);
    assert_null(stacks_place(stacks, NULL, 0, 20));     /* a place more */
    assert_ptr_equal(stacks_find(stacks, innermost(&made)), memo);
    memo->used = false;
    assert_null(stacks_place(stacks, memo, 10, 100));   /* it would have to grow */
    assert_null(stacks_find(stacks, innermost(&made)));
    assert_ptr_equal(keep(&made, memo, 0), memo);
    assert_ptr_equal(stacks_find(stacks, innermost(&made)), memo);
}

static void test_without_memory_nothing_new_is_kept(void **state)
{
    (void)state;
    shim_in_child(run_out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, begin)
    const struct CMUnitTest tests[] = {
        TEST(a_kept_stack_is_found),
        TEST(another_innermost_frame_is_another_stack),
        TEST(a_changed_word_is_noticed_if_it_counts),
        TEST(a_changed_stack_holds_as_far_as_its_change),
        TEST(an_end_that_is_none_any_longer_is_noticed),
        TEST(an_end_elsewhere_is_looked_at_if_it_can_be),
        TEST(frames_elsewhere_are_looked_at_if_they_can_be),
        TEST(several_odd_ones_of_the_same_innermost_frame_are_found),
        TEST(an_unusual_step_is_taken_again),
        TEST(a_step_that_cannot_be_relied_on_is_not),
        TEST(four_of_the_same_innermost_frame_are_found),
        TEST(a_stack_that_is_found_stays),
        TEST(as_many_as_there_is_room_for_are_kept),
        TEST(one_goes_if_all_were_found),
        TEST(what_was_never_found_gives_its_place),
        TEST(outer_frames_are_taken_over),
        TEST(a_fleeting_stack_is_not_found),
        TEST(a_place_that_was_given_away_is_not_found),
        TEST(all_are_forgotten_when_told_to),
        TEST(the_scratch_grows_and_keeps_what_is_in_it),
        TEST(deep_stacks_do_not_pile_up),
        TEST(without_memory_nothing_new_is_kept),
    };
    return cmocka_run_group_tests(tests, start_all, NULL);
}
