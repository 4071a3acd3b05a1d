// SPDX-License-Identifier: MIT
#include "domains.h"
#include "../base/hash.h"
#include "../base/life.h"
#include "../base/message.h"
#include "../unwind/frames.h"

struct tracked {
    struct tracked_key {
        uint64_t address, domain;
    } key;
    uint64_t size;
    uint32_t site;
    struct tracked *next;       /* among the spare */
    UT_hash_handle hh;
};

static struct tracked *known, *spare;

static uint32_t make_frame(uint32_t domain)
{
    char name[32];
    message_format(name, sizeof name, "[domain %lu]", (unsigned long)domain);
    return frames_number_named(name);
}

/* Most programs have few. */
uint32_t domains_frame(uint32_t domain)
{
    static struct {
        uint32_t domain, frame;
    } latest[16];
    uint32_t i = domain % (sizeof latest / sizeof *latest);
    if (!latest[i].frame || latest[i].domain != domain) {
        latest[i].frame = make_frame(domain);
        latest[i].domain = domain;
    }
    return latest[i].frame;
}

static struct tracked *find(const struct tracked_key *key)
{
    struct tracked *tracked;
    HASH_FIND(hh, known, key, sizeof *key, tracked);
    return tracked;
}

static void give_back(struct tracked *tracked)
{
    tracked->next = spare;
    spare = tracked;
}

static struct tracked *make(const struct tracked_key *key)
{
    struct tracked *tracked = spare ? spare : arena_alloc(sizeof *tracked);
    if (!tracked)
        return NULL;
    if (tracked == spare)
        spare = tracked->next;
    *tracked = (struct tracked){.key = *key};
    HASH_ADD(hh, known, key, sizeof *key, tracked);
    if (tracked->hh.tbl)
        return tracked;
    give_back(tracked);
    return NULL;
}

const void *domains_put(uint32_t domain, const void *block, struct block_entry entry, struct block_entry *old)
{
    struct tracked_key key = {(uintptr_t)block, domain};
    tables_take();
    struct tracked *tracked = find(&key);
    if (!tracked)
        tracked = make(&key);
    if (tracked) {
        *old = (struct block_entry){.size = tracked->size, .site = tracked->site};
        tracked->size = entry.size;
        tracked->site = entry.site;
    }
    tables_drop();
    return tracked;
}

struct block_entry domains_take(uint32_t domain, const void *block, const void **standing)
{
    struct tracked_key key = {(uintptr_t)block, domain};
    struct block_entry entry = {0};
    tables_take();
    struct tracked *tracked = find(&key);
    if (tracked) {
        entry = (struct block_entry){.size = tracked->size, .site = tracked->site};
        HASH_DEL(known, tracked);
        give_back(tracked);
    }
    *standing = tracked;
    tables_drop();
    return entry;
}

void domains_visit(void (*visit)(const void *block, struct block_entry entry, void *context), void *context)
{
    for (const struct tracked *t = known; t; t = t->hh.next)
        visit((const void *)(uintptr_t)t->key.address,
              (struct block_entry){.size = t->size, .site = t->site}, context);
}

void domains_forget(void)
{
    while (known) {
        struct tracked *tracked = known;
        HASH_DEL(known, tracked);
        give_back(tracked);
    }
}
