// SPDX-License-Identifier: MIT
#include "frames.h"
#include "../base/hash.h"
#include "../base/life.h"
#include "../base/records.h"
#include <string.h>

enum { PER_SECTION = 512, FRAMES_MAX = 1 << 24 };

static struct records frames = {
    .type = TRACE_FRAMES, .size = sizeof(struct trace_frame), .per_section = PER_SECTION, .max = FRAMES_MAX,
};

struct known_frame {
    struct frame_key {
        uint64_t offset;
        uint32_t module, flags;
    } key;
    uint32_t number;
    UT_hash_handle hh;
};

static struct known_frame *known_frames;

bool frames_start(void)
{
    return records_start(&frames, 1, &file_header->frame_count);
}

uint32_t frames_number(uintptr_t lookup)
{
    return frames_number_in(modules_place(lookup & ~LOOKUP_EXACT), lookup & LOOKUP_EXACT ? TRACE_FRAME_EXACT : 0);
}

uint32_t frames_number_in(struct code_place place, uint32_t flags)
{
    struct frame_key key = {place.offset, place.module, flags};
    struct known_frame *known;
    HASH_FIND(hh, known_frames, &key, sizeof key, known);
    if (known)
        return known->number;
    struct trace_frame *frame = records_room(&frames);
    if (!frame || !(known = arena_alloc(sizeof *known)))
        return 0;
    *known = (struct known_frame){.key = key, .number = frames.count};
    HASH_ADD(hh, known_frames, key, sizeof key, known);
    if (!known->hh.tbl)
        return 0;
    *frame = (struct trace_frame){place.module, key.flags, place.offset};
    return records_done(&frames, &file_header->frame_count);
}

uint32_t frames_number_named(const char *name)
{
    uint32_t module = modules_named(name);
    return module ? frames_number_in((struct code_place){module, 0}, 0) : 0;
}

struct code_place frames_place(uint32_t number)
{
    const struct trace_frame *frame = record_at(&frames, number);
    return (struct code_place){frame->module, frame->offset};
}

void frames_child(void)
{
    file_header->frame_count = frames.count;
}

/* --- what has no rule -----------------------------------------------------------------------------------
 *
 * Generated code, and places where a signal struck.  Each thread that meets them has a small cache.
 */

enum { CACHE_BITS = 6 };

struct frame_cache {
    struct {
        uintptr_t lookup;
        uint32_t number;
    } slots[1 << CACHE_BITS];
};

uint32_t frames_number_of(struct thread *self, uintptr_t lookup)
{
    uint32_t number;
    size_t i = lookup * 0x9e3779b97f4a7c15u >> (64 - CACHE_BITS);
    if (!self->frames)
        self->frames = arena_alloc(sizeof *self->frames);
    if (self->frames && self->frames->slots[i].lookup == lookup && self->frames->slots[i].number)
        return self->frames->slots[i].number;
    tables_take();
    number = frames_number(lookup);
    tables_drop();
    if (self->frames && number) {
        self->frames->slots[i].lookup = lookup;
        self->frames->slots[i].number = number;
    }
    return number;
}

void frames_forget(struct thread *self)
{
    if (self->frames)
        memset(self->frames, 0, sizeof *self->frames);
}
