// SPDX-License-Identifier: MIT
#include "cfi.h"
#include "../base/sys.h"
#include <string.h>

enum { RBP = 6, RSP = 7, RIP = 16 };    /* DWARF's numbers */

/* --- reading ------------------------------------------------------------------------------------------- */

struct reader {
    const uint8_t *at, *end;
    bool bad;                   /* it would have gone beyond the end, or a number is too large */
};

static const uint8_t *take(struct reader *r, size_t size)
{
    static const uint8_t zeros[8];
    if (unlikely((size_t)(r->end - r->at) < size)) {
        r->bad = true;
        r->at = r->end;
        return zeros;
    }
    r->at += size;
    return r->at - size;
}

static inline uint8_t u8(struct reader *r)
{
    return *take(r, 1);
}

static uint32_t u16(struct reader *r)
{
    uint16_t value;
    memcpy(&value, take(r, sizeof value), sizeof value);
    return value;
}

static uint32_t u32(struct reader *r)
{
    uint32_t value;
    memcpy(&value, take(r, sizeof value), sizeof value);
    return value;
}

/* Numbers of more than 28 bits do not occur in what is read here. */
static inline uint32_t uleb(struct reader *r)
{
    uint32_t value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
        uint8_t byte = u8(r);
        value |= (byte & 0x7fu) << shift;
        if (likely(byte < 0x80))
            return value;
    }
    r->bad = true;
    return 0;
}

static int32_t sleb(struct reader *r)
{
    uint32_t value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
        uint8_t byte = u8(r);
        value |= (byte & 0x7fu) << shift;
        if (byte < 0x80)
            return (int32_t)(value | (byte & 0x40 ? -(1u << (shift + 7)) : 0));
    }
    r->bad = true;
    return 0;
}

static void skip_block(struct reader *r)
{
    take(r, uleb(r));
}

/* The entry (CIE or FDE) at an address, without its length. */
static bool open_entry(const struct image *image, uintptr_t address, struct reader *r)
{
    enum { LONGEST = 1 << 20 };         /* 0xffffffff introduces the 64-bit form, which is not for us either */
    uint32_t length;
    if (!image_readable(image, address, sizeof length))
        return false;
    memcpy(&length, (const void *)address, sizeof length);
    if (!length || length > LONGEST || !image_readable(image, address + sizeof length, length))
        return false;
    *r = (struct reader){.at = (const uint8_t *)address + sizeof length};
    r->end = r->at + length;
    return true;
}

/* --- the CIE: what is common to many functions ------------------------------------------------------------ */

struct common {
    struct reader initial;      /* instructions */
    uint32_t code_align;
    int32_t data_align;
    bool augmented;             /* FDEs have data of their own, with a length */
};

enum { PCREL_SDATA4 = 0x1b };

/* The pointer to a personality routine is passed over. */
static void skip_pointer(struct reader *r, uint8_t encoding)
{
    static const uint8_t sizes[16] = {[0x00] = 8, [0x03] = 4, [0x04] = 8, [0x0b] = 4, [0x0c] = 8};
    if (!sizes[encoding & 0x0f] || (encoding & 0x70) == 0x50)
        r->bad = true;
    take(r, sizes[encoding & 0x0f]);
}

/* "zPLR" in any order; a signal frame ("S") is not of the common shape. */
static void read_augmentation(struct reader *r, const char *letters, size_t count)
{
    uint8_t pointers = 0;
    for (size_t i = 1; i < count && !r->bad; i++) {
        if (letters[i] == 'R')
            pointers = u8(r);
        else if (letters[i] == 'L')
            u8(r);
        else if (letters[i] == 'P')
            skip_pointer(r, u8(r));
        else
            r->bad = true;
    }
    if (pointers != PCREL_SDATA4)
        r->bad = true;
}

static bool read_common(const struct image *image, uintptr_t address, struct common *c)
{
    struct reader r;
    if (!open_entry(image, address, &r) || u32(&r) != 0)
        return false;
    uint8_t version = u8(&r);
    const char *letters = (const char *)r.at;
    size_t count = strnlen(letters, (size_t)(r.end - r.at));
    take(&r, count + 1);
    c->code_align = uleb(&r);
    c->data_align = sleb(&r);
    uint32_t return_column = version == 1 ? u8(&r) : uleb(&r);
    c->augmented = count && letters[0] == 'z';
    if ((version != 1 && version != 3) || !c->augmented || return_column != RIP)
        return false;
    uint32_t length = uleb(&r);
    c->initial = (struct reader){.at = take(&r, length), .end = r.end};
    struct reader data = {.at = c->initial.at, .end = c->initial.at + length};
    c->initial.at += length;
    read_augmentation(&data, letters, count);
    return !r.bad && !data.bad;
}

/* --- the table's rows ----------------------------------------------------------------------------------- */

enum where { SAME, AT_CFA, LOST, OTHERWISE };

struct saved {
    enum where where;
    int32_t offset;             /* from the CFA */
};

struct row {
    uint32_t cfa_register;      /* OTHER_REGISTER: an expression */
    int32_t cfa_offset;
    struct saved rbp, rsp, rip;
};

#define OTHER_REGISTER UINT32_MAX

struct machine {
    const struct common *common;
    struct row row, initial;
    struct row remembered[4];
    unsigned depth;
    uintptr_t at, lookup;
};

static void set(struct row *row, uint32_t reg, enum where where, int32_t offset)
{
    struct saved saved = {where, offset};
    if (reg == RBP)
        row->rbp = saved;
    else if (reg == RIP)
        row->rip = saved;
    else if (reg == RSP)
        row->rsp = saved;
}

static void restore(struct machine *m, uint32_t reg)
{
    if (reg == RBP)
        m->row.rbp = m->initial.rbp;
    else if (reg == RIP)
        m->row.rip = m->initial.rip;
    else if (reg == RSP)
        m->row.rsp = m->initial.rsp;
}

static void define_cfa(struct row *row, uint32_t reg, int32_t offset)
{
    row->cfa_register = reg;
    row->cfa_offset = offset;
}

/* A factored offset; the product of 28 bits and what a data alignment is fits, or it is no offset. */
static int32_t factored(struct reader *r, const struct machine *m, int32_t number)
{
    int64_t product = (int64_t)number * m->common->data_align;
    if (product != (int32_t)product)
        r->bad = true;
    return (int32_t)product;
}

static void remember(struct reader *r, struct machine *m)
{
    if (m->depth == sizeof m->remembered / sizeof *m->remembered)
        r->bad = true;
    else
        m->remembered[m->depth++] = m->row;
}

static void recall(struct reader *r, struct machine *m)
{
    if (m->depth)
        m->row = m->remembered[--m->depth];
    else
        r->bad = true;
}

enum {
    ADVANCE = 0x40, OFFSET = 0x80, RESTORE = 0xc0, HIGH = 0xc0, LOW = 0x3f,
    NOP = 0x00, ADVANCE1 = 0x02, ADVANCE2, ADVANCE4, OFFSET_EXTENDED, RESTORE_EXTENDED, UNDEFINED, SAME_VALUE,
    REGISTER, REMEMBER, RECALL, DEF_CFA, DEF_CFA_REGISTER, DEF_CFA_OFFSET, DEF_CFA_EXPRESSION, EXPRESSION,
    OFFSET_EXTENDED_SF, DEF_CFA_SF, DEF_CFA_OFFSET_SF, VAL_EXPRESSION = 0x16, ARGS_SIZE = 0x2e,
};

/* Registers that are of no interest here are passed over, those that no machine has are not. */
static uint32_t reg(struct reader *r)
{
    uint32_t number = uleb(r);
    if (number > 127)
        r->bad = true;
    return number;
}

/* All but the three that have an operand in the byte itself. */
static void execute(struct reader *r, struct machine *m, uint8_t operation)
{
    struct row *row = &m->row;
    uint32_t n;
    switch (operation) {
    case NOP: break;
    case ADVANCE1: m->at += u8(r) * m->common->code_align; break;
    case ADVANCE2: m->at += u16(r) * m->common->code_align; break;
    case ADVANCE4: m->at += u32(r) * (uintptr_t)m->common->code_align; break;
    case OFFSET_EXTENDED: n = reg(r); set(row, n, AT_CFA, factored(r, m, (int32_t)uleb(r))); break;
    case OFFSET_EXTENDED_SF: n = reg(r); set(row, n, AT_CFA, factored(r, m, sleb(r))); break;
    case RESTORE_EXTENDED: restore(m, reg(r)); break;
    case UNDEFINED: set(row, reg(r), LOST, 0); break;
    case SAME_VALUE: set(row, reg(r), SAME, 0); break;
    case REGISTER: set(row, reg(r), OTHERWISE, 0); uleb(r); break;
    case REMEMBER: remember(r, m); break;
    case RECALL: recall(r, m); break;
    case DEF_CFA: n = reg(r); define_cfa(row, n, (int32_t)uleb(r)); break;
    case DEF_CFA_SF: n = reg(r); define_cfa(row, n, factored(r, m, sleb(r))); break;
    case DEF_CFA_REGISTER: row->cfa_register = reg(r); break;
    case DEF_CFA_OFFSET: row->cfa_offset = (int32_t)uleb(r); break;
    case DEF_CFA_OFFSET_SF: row->cfa_offset = factored(r, m, sleb(r)); break;
    case DEF_CFA_EXPRESSION: row->cfa_register = OTHER_REGISTER; skip_block(r); break;
    case EXPRESSION:
    case VAL_EXPRESSION: set(row, reg(r), OTHERWISE, 0); skip_block(r); break;
    case ARGS_SIZE: uleb(r); break;
    default: r->bad = true;
    }
}

/* Up to the row that covers the lookup address. */
static bool run(struct reader r, struct machine *m)
{
    while (r.at < r.end && m->at <= m->lookup && !r.bad) {
        uint8_t byte = u8(&r);
        if ((byte & HIGH) == ADVANCE)
            m->at += (byte & LOW) * m->common->code_align;
        else if ((byte & HIGH) == OFFSET)
            set(&m->row, byte & LOW, AT_CFA, factored(&r, m, (int32_t)uleb(&r)));
        else if ((byte & HIGH) == RESTORE)
            restore(m, byte & LOW);
        else
            execute(&r, m, byte);
    }
    return !r.bad;
}

/* --- the rule ------------------------------------------------------------------------------------------- */

static bool say(const struct row *row, struct rule *rule)
{
    bool from_rbp = row->cfa_register == RBP;
    if ((!from_rbp && row->cfa_register != RSP) || row->rip.where != AT_CFA || row->rsp.where != SAME ||
        row->rbp.where == OTHERWISE)
        return false;
    *rule = (struct rule){
        .kind = RULE_STEP,
        .cfa_from_rbp = from_rbp,
        .cfa_offset = row->cfa_offset,
        .ra_offset = row->rip.offset,
        .bp = row->rbp.where == AT_CFA ? RULE_BP_AT_CFA : row->rbp.where == LOST ? RULE_BP_UNKNOWN : RULE_BP_SAME,
        .bp_offset = row->rbp.offset,
    };
    return row->rip.offset % 8 == 0 && row->rbp.offset % 8 == 0 && row->cfa_offset % 8 == 0;
}

/* The FDE of an entry of the sorted table, if it covers the address: its code's start, its instructions. */
static bool open_function(const struct image *image, uintptr_t lookup, struct reader *r, struct common *common,
                          uintptr_t *start)
{
    uintptr_t entry = image_entry(image, lookup);
    uint64_t pair;
    if (!entry || !image_readable(image, entry, sizeof pair))
        return false;
    memcpy(&pair, (const void *)entry, sizeof pair);
    if (!open_entry(image, image->eh_frame_hdr + (uintptr_t)(int32_t)(pair >> 32), r))
        return false;
    uintptr_t here = (uintptr_t)r->at;
    uintptr_t cie = here - u32(r);
    *start = here + 4 + (uintptr_t)(int32_t)u32(r);
    uint32_t size = u32(r);
    if (r->bad || lookup < *start || lookup - *start >= size || !read_common(image, cie, common))
        return false;
    take(r, uleb(r));           /* the language's own data */
    return !r->bad;
}

bool cfi_rule(const struct image *image, uintptr_t lookup, struct rule *rule)
{
    struct common common;
    struct reader instructions;
    struct machine m = {.common = &common, .lookup = lookup, .row.cfa_register = OTHER_REGISTER};
    struct rule found;
    if (!open_function(image, lookup, &instructions, &common, &m.at) || !run(common.initial, &m))
        return false;
    m.initial = m.row;
    if (!run(instructions, &m) || !say(&m.row, &found))
        return false;
    *rule = found;
    return true;
}
