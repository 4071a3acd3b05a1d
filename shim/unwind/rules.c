// SPDX-License-Identifier: MIT
#include "rules.h"
#include "frames.h"
#include "learn.h"
#include "../base/arena.h"
#include "../base/life.h"
#include <string.h>

enum { FIRST_SLOTS = 2048, WIDE_MAX = 1 << 16, WIDE_CHUNK = 256 };

static uint32_t hash_of(uint64_t key, uint64_t rule)
{
    (void)rule;
    return map_mix(key);
}

struct map rules_table = {.hash = hash_of};
static struct rule *wide[WIDE_MAX / WIDE_CHUNK];
static int32_t wide_count;

bool rules_start(void)
{
    return map_start(&rules_table, FIRST_SLOTS);
}

bool rules_start_learning(void)
{
    return learn_start();
}

const struct rule *rules_wide(int32_t number)
{
    return &wide[number / WIDE_CHUNK][number % WIDE_CHUNK];
}

/* --- packing ----------------------------------------------------------------------------------------- */

static int32_t wide_add(const struct rule *rule)
{
    for (int32_t i = 0; i < wide_count; i++)
        if (!memcmp(rules_wide(i), rule, sizeof *rule))
            return i;
    if (wide_count == WIDE_MAX)
        return -1;
    struct rule **chunk = &wide[wide_count / WIDE_CHUNK];
    if (!*chunk && !(*chunk = arena_alloc(WIDE_CHUNK * sizeof **chunk)))
        return -1;
    (*chunk)[wide_count % WIDE_CHUNK] = *rule;
    return wide_count++;
}

static bool fits_signed(int64_t number, int bits)
{
    return number >= -(1ll << (bits - 1)) && number < 1ll << (bits - 1);
}

static bool fits_short(const struct rule *rule)
{
    bool bp_fits = rule->bp == RULE_BP_SAME || (rule->bp == RULE_BP_AT_CFA && rule->bp_offset &&
                                                rule->bp_offset % 8 == 0 && fits_signed(rule->bp_offset / 8, 11));
    return bp_fits && !rule->cfa_deref && !rule->ra_from_rsp && rule->ra_offset == -8 && !rule->signal_frame &&
           rule->cfa_offset % 8 == 0 && fits_signed(rule->cfa_offset / 8, 26);
}

static struct known_rule brief(const struct rule *rule)
{
    static const uint8_t simple[] = {
        [RULE_END] = STEP_END, [RULE_NO_CFI] = STEP_NO_CFI, [RULE_UNSUPPORTED] = STEP_UNSUPPORTED,
    };
    if (rule->kind != RULE_STEP)
        return (struct known_rule){.step = simple[rule->kind]};
    if (fits_short(rule))
        return (struct known_rule){
            .step = rule->cfa_from_rbp ? STEP_RBP : STEP_RSP,
            .offset = rule->cfa_offset,
            .bp_slot = rule->bp == RULE_BP_SAME ? 0 : (int16_t)(rule->bp_offset / 8),
        };
    int32_t number = wide_add(rule);
    return (struct known_rule){.step = number < 0 ? STEP_UNSUPPORTED : STEP_WIDE, .offset = 8 * number};
}

static uint64_t pack(struct known_rule rule)
{
    return (uint64_t)(uint32_t)rule.offset / 8 << 38 | (uint64_t)(rule.bp_slot & 0x7ff) << 27 |
           (uint64_t)rule.step << 24 | rule.frame;
}

/* --- the table --------------------------------------------------------------------------------------- */

/*
 * Nobody calls from just before a function's first byte.  A return address that says so was put there to
 * begin a stack (makecontext): the stack ends, whatever rbp may hold.
 */
static struct rule rule_of(uintptr_t lookup)
{
    struct rule rule = learn_rule(lookup);
    if (rule.kind == RULE_NO_CFI && learn_rule(lookup + 1).kind != RULE_NO_CFI)
        rule.kind = RULE_END;
    return rule;
}

static struct known_rule learn_now(uintptr_t lookup)
{
    struct rule rule = rule_of(lookup);
    struct known_rule known = brief(&rule);
    tables_take();
    uint32_t frame = frames_number(lookup);
    if (frame && frames_place(frame).module)
        known.frame = frame;
    tables_drop();
    if (known.frame)
        map_put(&rules_table, rules_key(lookup), map_mix(rules_key(lookup)), pack(known));
    return known;
}

/* Of an address without a module nothing is kept: the next module mapped there would inherit it.  Generated code
   is full of them, and asks without a lock. */
struct known_rule rules_learn(struct thread *self, uintptr_t lookup)
{
    struct known_rule known;
    (void)self;
    if (!modules_cover(lookup))
        return (struct known_rule){.step = STEP_NO_CFI};
    lock_take(&world.learning);
    uint64_t word = map_get(&rules_table, rules_key(lookup), map_mix(rules_key(lookup)));
    if (word) {
        known = rules_unpack(word);
    } else {
        life_table_begin();
        known = learn_now(lookup);
        life_table_end();
    }
    lock_drop(&world.learning);
    return known;
}

void rules_drop(uintptr_t start, uintptr_t end)
{
    lock_take(&world.learning);
    map_drop(&rules_table, rules_key(start), rules_key(end));
    image_forget();
    lock_drop(&world.learning);
}
