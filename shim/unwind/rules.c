// SPDX-License-Identifier: MIT
#include "rules.h"
#include "learn.h"
#include "modules.h"
#include "../base/arena.h"
#include "../base/life.h"
#include <string.h>

/*
 * Open addressing, linear probing.  A reader takes the key with acquire and then the rule: the writer
 * stored the rule first.  A dropped slot is used again: a reader that still looks for the old address
 * would stand in code that was unmapped.  A table that was outgrown stays mapped (in all less than the
 * present one), so a reader may be late.
 */
struct slot {
    _Atomic uintptr_t key;      /* lookup address, 0 = free, DROPPED */
    _Atomic uint64_t rule;      /* struct packed_rule */
};

struct table {
    size_t mask, used;
    struct slot slots[];
};

enum { FIRST_SLOTS = 2048, WIDE_MAX = 1 << 16, WIDE_CHUNK = 256 };
#define DROPPED ((uintptr_t)1)

static struct table *_Atomic table;
static struct rule *wide[WIDE_MAX / WIDE_CHUNK];
static int32_t wide_count;

static size_t home(uintptr_t key, const struct table *t)
{
    return (key * 0x9e3779b97f4a7c15u >> 32) & t->mask;
}

static struct table *table_make(size_t slots)
{
    struct table *t = arena_alloc(sizeof *t + slots * sizeof(struct slot));
    if (t)
        t->mask = slots - 1;
    return t;
}

bool rules_start(void)
{
    atomic_store(&table, table_make(FIRST_SLOTS));
    return atomic_load(&table) != NULL;
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

static bool fits_short(const struct rule *rule)
{
    bool bp_fits = rule->bp == RULE_BP_SAME ||
                   (rule->bp == RULE_BP_AT_CFA && rule->bp_offset && rule->bp_offset % 8 == 0 &&
                    rule->bp_offset / 8 == (int16_t)(rule->bp_offset / 8));
    return bp_fits && !rule->cfa_deref && !rule->ra_from_rsp && rule->ra_offset == -8 && !rule->signal_frame;
}

static struct packed_rule pack(const struct rule *rule)
{
    static const uint8_t simple[] = {
        [RULE_END] = STEP_END, [RULE_NO_CFI] = STEP_NO_CFI, [RULE_UNSUPPORTED] = STEP_UNSUPPORTED,
    };
    if (rule->kind != RULE_STEP)
        return (struct packed_rule){.step = simple[rule->kind]};
    if (fits_short(rule))
        return (struct packed_rule){
            .step = rule->cfa_from_rbp ? STEP_RBP : STEP_RSP,
            .offset = rule->cfa_offset,
            .bp_slot = rule->bp == RULE_BP_SAME ? 0 : (int16_t)(rule->bp_offset / 8),
        };
    int32_t number = wide_add(rule);
    return (struct packed_rule){.step = number < 0 ? STEP_UNSUPPORTED : STEP_WIDE, .offset = number};
}

/* --- the table --------------------------------------------------------------------------------------- */

static void insert(struct table *t, uintptr_t key, uint64_t rule)
{
    size_t i = home(key, t);
    while (atomic_load_explicit(&t->slots[i].key, memory_order_relaxed) > DROPPED)
        i = (i + 1) & t->mask;
    t->used += atomic_load_explicit(&t->slots[i].key, memory_order_relaxed) == 0;
    atomic_store_explicit(&t->slots[i].rule, rule, memory_order_relaxed);
    atomic_store_explicit(&t->slots[i].key, key, memory_order_release);
}

static struct table *grown(struct table *old)
{
    struct table *t = table_make(2 * (old->mask + 1));
    for (size_t i = 0; t && i <= old->mask; i++) {
        uintptr_t key = atomic_load_explicit(&old->slots[i].key, memory_order_relaxed);
        if (key > DROPPED)
            insert(t, key, atomic_load_explicit(&old->slots[i].rule, memory_order_relaxed));
    }
    return t;
}

static void remember(uintptr_t lookup, struct packed_rule rule)
{
    struct table *t = atomic_load_explicit(&table, memory_order_relaxed);
    uint64_t word;
    if (t->used * 2 > t->mask) {
        t = grown(t);
        if (!t)
            return;
        atomic_store_explicit(&table, t, memory_order_release);
    }
    memcpy(&word, &rule, sizeof word);
    insert(t, lookup, word);
}

static bool look_up(uintptr_t lookup, struct packed_rule *rule)
{
    struct table *t = atomic_load_explicit(&table, memory_order_acquire);
    for (size_t i = home(lookup, t);; i = (i + 1) & t->mask) {
        uintptr_t key = atomic_load_explicit(&t->slots[i].key, memory_order_acquire);
        if (likely(key == lookup)) {
            uint64_t word = atomic_load_explicit(&t->slots[i].rule, memory_order_relaxed);
            memcpy(rule, &word, sizeof word);
            return true;
        }
        if (!key)
            return false;
    }
}

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

static struct packed_rule learn(struct thread *self, uintptr_t lookup)
{
    struct packed_rule packed;
    lock_take(&world.learning);
    if (!look_up(lookup, &packed)) {
        life_table_begin();
        self->own_calls = true;
        struct rule rule = rule_of(lookup);
        packed = pack(&rule);
        if (packed.step != STEP_NO_CFI && modules_note(lookup))
            remember(lookup, packed);
        self->own_calls = false;
        life_table_end();
    }
    lock_drop(&world.learning);
    return packed;
}

struct packed_rule rules_find(struct thread *self, uintptr_t lookup)
{
    struct packed_rule rule;
    if (likely(look_up(lookup, &rule)))
        return rule;
    return learn(self, lookup);
}

void rules_drop(uintptr_t start, uintptr_t end)
{
    lock_take(&world.learning);
    struct table *t = atomic_load(&table);
    for (size_t i = 0; i <= t->mask; i++) {
        uintptr_t key = atomic_load_explicit(&t->slots[i].key, memory_order_relaxed);
        if (key >= start && key < end)
            atomic_store_explicit(&t->slots[i].key, DROPPED, memory_order_relaxed);
    }
    lock_drop(&world.learning);
}
