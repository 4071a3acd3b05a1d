// SPDX-License-Identifier: MIT
#include "image.h"
#include "../base/sys.h"
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

/* Whether the kernel mapped it: then its program headers are those that it told of. */
static bool is_kernels(const ElfW(Phdr) *segment, uintptr_t bias)
{
    return segment && segment->p_type == PT_PHDR && bias + segment->p_vaddr == (uintptr_t)segment;
}

/* The kernel may leave pages between the program's segments; the loader maps what it loads in one piece. */
static void widen_to_program(struct dl_find_object *found)
{
    const ElfW(Phdr) *segment = (const void *)getauxval(AT_PHDR);
    uintptr_t bias = found->dlfo_link_map->l_addr;
    for (unsigned long i = getauxval(AT_PHNUM); is_kernels(segment, bias) && i-- > 0;) {
        uintptr_t start = bias + segment[i].p_vaddr, end = start + segment[i].p_memsz;
        if (segment[i].p_type == PT_LOAD && start < (uintptr_t)found->dlfo_map_start)
            found->dlfo_map_start = (void *)(start & -PAGE_SIZE);
        if (segment[i].p_type == PT_LOAD && end > (uintptr_t)found->dlfo_map_end)
            found->dlfo_map_end = (void *)end;
    }
}

bool image_object(uintptr_t address, struct dl_find_object *found)
{
    if (_dl_find_object((void *)address, found) != 0)
        return false;
    if (!*found->dlfo_link_map->l_name)
        widen_to_program(found);
    return true;
}

bool image_find(uintptr_t address, struct image *image)
{
    struct dl_find_object found;
    if (!image_object(address, &found))
        return false;
    image->start = (uintptr_t)found.dlfo_map_start;
    image->end = (uintptr_t)found.dlfo_map_end;
    image->eh_frame_hdr = (uintptr_t)found.dlfo_eh_frame;
    return true;
}

/* --- what can be read -------------------------------------------------------------------------------- */

enum { PROVEN = 64 };

static uintptr_t proven[PROVEN];        /* pages, each at a place of its own; 0 = none */

static bool page_is_readable(uintptr_t page)
{
    return sys_readable(page);
}

static inline bool page_is_proven(uintptr_t page)
{
    uintptr_t *place = &proven[page / PAGE_SIZE % PROVEN];
    if (likely(*place == page))
        return page != 0;
    if (!page_is_readable(page))
        return false;
    *place = page;
    return true;
}

bool image_readable(const struct image *image, uintptr_t address, size_t size)
{
    if (address < image->start || address > image->end || size > image->end - address)
        return false;
    for (uintptr_t page = address & -PAGE_SIZE; page < address + size; page += PAGE_SIZE)
        if (!page_is_proven(page))
            return false;
    return true;
}

__attribute__((no_sanitize_address)) bool
image_word(const struct image *image, uintptr_t address, uint64_t *value)
{
    if (address + 8 <= image->start || address >= image->end || !page_is_proven(address & -PAGE_SIZE))
        return false;
    *value = *(const uint64_t *)address;
    return true;
}

void image_forget(void)
{
    memset(proven, 0, sizeof proven);
}

/* --- the sorted table -------------------------------------------------------------------------------- */

enum { HDR_VERSION = 1, ENC_UDATA4 = 0x03, ENC_SDATA4 = 0x0b, ENC_DATAREL_SDATA4 = 0x3b };

static inline bool image_u32(const struct image *image, uintptr_t address, uint32_t *value)
{
    uint64_t word;
    if (address % 4 || !image_word(image, address & -8ul, &word))
        return false;
    *value = (uint32_t)(word >> address % 8 * 8);
    return true;
}

static bool header_is_known(uint32_t header)
{
    uint32_t frame_encoding = header >> 8 & 0x0f;
    return (header & 0xff) == HDR_VERSION && (header >> 16 & 0xff) == ENC_UDATA4 &&
           header >> 24 == ENC_DATAREL_SDATA4 &&
           (frame_encoding == ENC_UDATA4 || frame_encoding == ENC_SDATA4);
}

uintptr_t image_entry(const struct image *image, uintptr_t address)
{
    uintptr_t header = image->eh_frame_hdr, entries = header + 12;
    int64_t relative = (int64_t)(address - header);
    uint32_t first, count, start;
    if (!image_u32(image, header, &first) || !header_is_known(first) || !image_u32(image, header + 8, &count) ||
        relative != (int32_t)relative)
        return 0;
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (!image_u32(image, entries + 8 * (uintptr_t)middle, &start))
            return 0;
        if (relative < (int32_t)start)
            high = middle;
        else
            low = middle + 1;
    }
    return low ? entries + 8 * (uintptr_t)(low - 1) : 0;
}
