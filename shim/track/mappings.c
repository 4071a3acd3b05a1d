// SPDX-License-Identifier: MIT
#include "mappings.h"
#include "../base/arena.h"
#include "../base/life.h"
#include "../unwind/frames.h"

struct mapping {
    uint64_t bytes;             /* that are left, in all of its pieces; 0: it is spare */
    uint32_t site;
    enum mapping_kind kind;
    struct mapping *next_spare, *next;  /* all that ever were */
};

struct piece {
    uintptr_t start, end;
    struct mapping *of;
    struct piece *low, *high;   /* low: the next spare one, too */
    uint32_t priority;          /* none below has a higher one */
};

static struct piece *root, *spare_pieces;
static struct mapping *all, *spare_mappings;
static uint32_t forgotten;

uint32_t mappings_frame(enum mapping_kind kind)
{
    static const char *const names[MAPPING_KINDS] = {"[mmap]", "[mmap file]"};
    static uint32_t frames[MAPPING_KINDS];
    if (!frames[kind])
        frames[kind] = frames_number_named(names[kind]);
    return frames[kind];
}

struct range range_of(const void *start, size_t size)
{
    uintptr_t from = (uintptr_t)start, most = ((uintptr_t)1 << 47) - PAGE_SIZE;
    if (from % PAGE_SIZE || from > most || size > most - from)
        return (struct range){from, from};
    return (struct range){from, from + ((size + PAGE_SIZE - 1) & -PAGE_SIZE)};
}

/* --- memory ------------------------------------------------------------------------------------------- */

static uint32_t next_priority(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

static struct piece *make_piece(struct range range, struct mapping *of)
{
    struct piece *piece = spare_pieces ? spare_pieces : arena_alloc(sizeof *piece);
    if (!piece)
        return NULL;
    if (piece == spare_pieces)
        spare_pieces = piece->low;
    *piece = (struct piece){.start = range.start, .end = range.end, .of = of, .priority = next_priority()};
    return piece;
}

static void give_piece(struct piece *piece)
{
    piece->low = spare_pieces;
    spare_pieces = piece;
}

static struct mapping *make_mapping(void)
{
    struct mapping *mapping = spare_mappings;
    if (mapping) {
        spare_mappings = mapping->next_spare;
        return mapping;
    }
    mapping = arena_alloc(sizeof *mapping);
    if (mapping) {
        mapping->next = all;
        all = mapping;
    }
    return mapping;
}

static void give_mapping(struct mapping *mapping)
{
    mapping->bytes = 0;
    mapping->next_spare = spare_mappings;
    spare_mappings = mapping;
}

/* --- the treap ---------------------------------------------------------------------------------------- */

/* Those that start below an address, and the others. */
static void split(struct piece *from, uintptr_t at, struct piece **below, struct piece **others)
{
    while (from) {
        if (from->start < at) {
            *below = from;
            below = &from->high;
            from = from->high;
        } else {
            *others = from;
            others = &from->low;
            from = from->low;
        }
    }
    *below = *others = NULL;
}

/* All of `below` start below all others. */
static struct piece *join(struct piece *below, struct piece *others)
{
    struct piece *both, **to = &both;
    while (below && others) {
        if (below->priority > others->priority) {
            *to = below;
            to = &below->high;
            below = below->high;
        } else {
            *to = others;
            to = &others->low;
            others = others->low;
        }
    }
    *to = below ? below : others;
    return both;
}

static void add(struct piece *piece)
{
    struct piece *below, *others;
    split(root, piece->start, &below, &others);
    piece->low = piece->high = NULL;
    root = join(join(below, piece), others);
}

static struct piece *pop(struct piece **from)
{
    struct piece *piece = *from;
    if (piece)
        *from = join(piece->low, piece->high);
    return piece;
}

/* The one that starts last below an address; null: there is none. */
static struct piece *last_below(uintptr_t at)
{
    struct piece *found = NULL;
    for (struct piece *piece = root; piece;) {
        if (piece->start < at)
            found = piece;
        piece = piece->start < at ? piece->high : piece->low;
    }
    return found;
}

/* No piece shall reach over this address. */
static void cut(uintptr_t at)
{
    struct piece *piece = last_below(at);
    if (!piece || piece->end <= at)
        return;
    struct piece *rest = make_piece((struct range){at, piece->end}, piece->of);
    if (!rest) {
        life_missed();
        return;
    }
    piece->end = at;
    add(rest);
}

/* --- the books ---------------------------------------------------------------------------------------- */

static const void *put(struct range range, uint32_t site, enum mapping_kind kind)
{
    struct mapping *mapping = make_mapping();
    struct piece *piece = mapping ? make_piece(range, mapping) : NULL;
    if (mapping && !piece)
        give_mapping(mapping);
    if (!piece)
        return NULL;
    mapping->bytes = range.end - range.start;
    mapping->site = site;
    mapping->kind = kind;
    add(piece);
    return mapping;
}

const void *mappings_put(struct range range, uint32_t site, enum mapping_kind kind)
{
    tables_take();
    const void *standing = put(range, site, kind);
    tables_drop();
    return standing;
}

struct taken mappings_take(struct range range)
{
    struct taken taken = {0};
    struct piece *below, *others, *above;
    if (range.start == range.end)
        return taken;
    tables_take();
    cut(range.start);
    cut(range.end);
    split(root, range.start, &below, &others);
    split(others, range.end, &taken.pieces, &above);
    root = join(below, above);
    taken.forgotten = forgotten;
    tables_drop();
    return taken;
}

void mappings_put_back(struct taken *taken)
{
    if (!taken->pieces)
        return;
    tables_take();
    for (struct piece *piece; (piece = pop(&taken->pieces)) != NULL;)
        add(piece);
    tables_drop();
}

bool mappings_is_whole(const struct taken *taken)
{
    const struct piece *piece = taken->pieces;
    return piece && !piece->low && !piece->high && piece->end - piece->start == piece->of->bytes;
}

enum mapping_kind mappings_kind(const void *address)
{
    tables_take();
    const struct piece *piece = last_below((uintptr_t)address + 1);
    enum mapping_kind kind = piece && piece->end > (uintptr_t)address ? piece->of->kind : MAPPING_ANONYMOUS;
    tables_drop();
    return kind;
}

/* What was taken before all was forgotten is of no mapping any more. */
static bool lose(struct taken *taken, struct mapping_loss *loss)
{
    struct piece *piece = pop(&taken->pieces);
    if (!piece || taken->forgotten != forgotten)
        return false;
    struct mapping *mapping = piece->of;
    *loss = (struct mapping_loss){.bytes = piece->end - piece->start, .site = mapping->site, .standing = mapping};
    mapping->bytes -= loss->bytes;
    loss->last = !mapping->bytes;
    if (loss->last)
        give_mapping(mapping);
    give_piece(piece);
    return true;
}

bool mappings_lose(struct taken *taken, struct mapping_loss *loss)
{
    if (!taken->pieces)
        return false;
    tables_take();
    bool lost = lose(taken, loss);
    tables_drop();
    return lost;
}

void mappings_visit(void (*visit)(const void *standing, struct block_entry entry, void *context), void *context)
{
    for (const struct mapping *m = all; m; m = m->next)
        if (m->bytes)
            visit(m, (struct block_entry){.size = m->bytes, .site = m->site}, context);
}

void mappings_forget(void)
{
    for (struct piece *piece; (piece = pop(&root)) != NULL;)
        give_piece(piece);
    for (struct mapping *m = all; m; m = m->next)
        if (m->bytes)
            give_mapping(m);
    forgotten++;
}
