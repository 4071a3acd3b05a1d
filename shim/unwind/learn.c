// SPDX-License-Identifier: MIT
#include "learn.h"
#include "cfi.h"
#include "../base/sys.h"
#include <dlfcn.h>
#include <errno.h>
#include <libunwind-x86_64.h>
#include <link.h>
#include <signal.h>
#include <string.h>

/*
 * The teacher: the functions of libunwind that are asked, found by dlsym.  It must not be linked: it
 * exports _Unwind_RaiseException and its kin, and would come before libgcc's.
 */
#define TEACHER_CALLS(X)                                                                                     \
    X(create_addr_space)                                                                                     \
    X(set_caching_policy)                                                                                    \
    X(init_remote)                                                                                           \
    X(step)                                                                                                  \
    X(get_reg)                                                                                               \
    X(get_save_loc)                                                                                          \
    X(is_signal_frame)                                                                                       \
    X(dwarf_search_unwind_table)

/* Exported, but in no public header. */
int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *, int,
                                       void *);
#define unw_dwarf_search_unwind_table UNW_OBJ(dwarf_search_unwind_table)

static struct {
#define MEMBER(name) __typeof__(unw_##name) *name;
    TEACHER_CALLS(MEMBER)
#undef MEMBER
    unw_addr_space_t space;
    char *stack_top;    /* of the stack to learn on */
    bool ready;
} teacher;

/*
 * What libunwind sees: a frame made of symbols.  Each register has a made-up value, each word of the
 * stack gets one when it is first read, and the values lie so far apart that whatever is within 2 GiB of
 * one is that symbol plus an offset.  None is an address of user space.  Two valuations differ in all
 * bits that an expression could look at (order, alignment, distances): what comes out the same under
 * both is a property of the code.
 */
enum { WORDS_MAX = 16, READS_MAX = 1 << 18 };

struct valuation {
    uint64_t rsp, rbp;
    uint64_t other, word;       /* the first of the other registers, of the stack's words */
    uint64_t apart;             /* from one to the next */
};

static const struct valuation valuations[2] = {
    {0x21d95a3c00005550, 0x37a1c6e400011bb0, 0x4b60f19200031218, 0x5d42837600055438, 0x000000a100010010},
    {0x3e17d2a800aaaaa8, 0x291f64b0000cc748, 0x642b0c5a00048cf8, 0x7035e9d400092568, 0x0000015b00020338},
};

/* One address being learned under one valuation: the argument of all accessors. */
struct lesson {
    const struct image *image;
    const struct valuation *symbols;
    uintptr_t lookup;
    uintptr_t entry;                    /* of the table of FDEs: the one that covers lookup, if any does */
    unsigned reads_left;
    unsigned words;
    uint64_t word_at[WORDS_MAX];        /* where word i was read: a symbol and an offset */
};

enum base { BASE_NONE, BASE_RSP, BASE_RBP, BASE_WORD };

struct place {
    enum base base;
    unsigned word;
    int32_t offset;
};

static bool is_near(uint64_t value, uint64_t symbol, int32_t *offset)
{
    int64_t distance = (int64_t)(value - symbol);
    *offset = (int32_t)distance;
    return *offset == distance;
}

static struct place place_of(const struct lesson *l, uint64_t value)
{
    struct place p = {.base = BASE_NONE};
    if (is_near(value, l->symbols->rsp, &p.offset))
        p.base = BASE_RSP;
    else if (is_near(value, l->symbols->rbp, &p.offset))
        p.base = BASE_RBP;
    for (unsigned i = 0; p.base == BASE_NONE && i < l->words; i++)
        if (is_near(value, l->symbols->word + i * l->symbols->apart, &p.offset))
            p = (struct place){BASE_WORD, i, p.offset};
    return p;
}

/* The token of the stack word at an address. */
static bool stack_word(struct lesson *l, uint64_t address, uint64_t *value)
{
    unsigned i = 0;
    if (address % 8 || place_of(l, address).base == BASE_NONE)
        return false;
    while (i < l->words && l->word_at[i] != address)
        i++;
    if (i == WORDS_MAX)
        return false;
    if (i == l->words)
        l->word_at[l->words++] = address;
    *value = l->symbols->word + i * l->symbols->apart;
    return true;
}

/* Where a word that was read came from; 0 if the value is not the word as it was. */
static uint64_t origin_of(const struct lesson *l, uint64_t value)
{
    struct place p = place_of(l, value);
    return p.base == BASE_WORD && p.offset == 0 ? l->word_at[p.word] : 0;
}

/*
 * libunwind's view of the frame.  No accessor may answer -UNW_ENOINFO to a step: libunwind would then go
 * on by guessing from rbp and from code bytes.  The number of reads is limited because an expression in a
 * broken table can loop.
 *
 * Broken tables that libunwind (1.6.2) does not survive, none of which a compiler makes: DW_CFA_register
 * with a register beyond 16, a return address column beyond 16 (until 1.8), DW_OP_div of the smallest
 * number by -1.  And it skips instructions that it does not know (DW_CFA_val_offset, which nothing uses
 * on this machine) as if they had no operands.
 */
static int search_table(struct lesson *l, unw_proc_info_t *info, int need_unwind_info)
{
    unw_dyn_info_t table = {
        .start_ip = l->image->start,
        .end_ip = l->image->end,
        .format = UNW_INFO_FORMAT_REMOTE_TABLE,
        .u.rti = {.segbase = l->image->eh_frame_hdr, .table_len = 1, .table_data = l->entry},
    };
    return teacher.dwarf_search_unwind_table(teacher.space, l->lookup, &table, info, need_unwind_info, l);
}

static int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info, int need_unwind_info,
                          void *lesson)
{
    struct lesson *l = lesson;
    (void)space;
    int result = ip == l->lookup ? search_table(l, info, need_unwind_info) : -UNW_EINVAL;
    return result == -UNW_ENOINFO ? -UNW_EINVAL : result;
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info, void *lesson)
{
    (void)space, (void)info, (void)lesson;
}

static int get_dyn_info_list_addr(unw_addr_space_t space, unw_word_t *address, void *lesson)
{
    (void)space, (void)address, (void)lesson;
    return -UNW_ENOINFO;    /* here it means that there is no such list */
}

static int access_mem(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int write, void *lesson)
{
    struct lesson *l = lesson;
    (void)space;
    if (write || l->reads_left == 0)
        return -UNW_EINVAL;
    l->reads_left--;
    if (image_word(l->image, address, value) || stack_word(l, address, value))
        return 0;
    return -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t reg, unw_word_t *value, int write, void *lesson)
{
    struct lesson *l = lesson;
    (void)space;
    if (write || reg < UNW_X86_64_RAX || reg > UNW_X86_64_RIP)
        return -UNW_EINVAL;
    if (reg == UNW_X86_64_RIP)
        *value = l->lookup;
    else if (reg == UNW_X86_64_RSP)
        *value = l->symbols->rsp;
    else if (reg == UNW_X86_64_RBP)
        *value = l->symbols->rbp;
    else
        *value = l->symbols->other + (uint64_t)reg * l->symbols->apart;
    return 0;
}

static int access_fpreg(unw_addr_space_t space, unw_regnum_t reg, unw_fpreg_t *value, int write, void *lesson)
{
    (void)space, (void)reg, (void)value, (void)write, (void)lesson;
    return -UNW_EINVAL;
}

static int resume(unw_addr_space_t space, unw_cursor_t *cursor, void *lesson)
{
    (void)space, (void)cursor, (void)lesson;
    return -UNW_EINVAL;
}

/* libunwind copies as much as its own version's struct has; later ones have more, optional members. */
static union {
    unw_accessors_t members;
    char room[sizeof(unw_accessors_t) + 256];
} accessors = {.members = {
    .find_proc_info = find_proc_info,
    .put_unwind_info = put_unwind_info,
    .get_dyn_info_list_addr = get_dyn_info_list_addr,
    .access_mem = access_mem,
    .access_reg = access_reg,
    .access_fpreg = access_fpreg,
    .resume = resume,
}};

/*
 * Reading the rule off a cursor that was stepped: each function puts one part of the caller's frame into
 * the rule's terms, and says no if there are none for it.
 */
static bool say_cfa(const struct lesson *l, uint64_t cfa, struct rule *rule)
{
    struct place p = place_of(l, cfa);
    if (p.base == BASE_WORD) {
        rule->cfa_deref = true;
        rule->cfa_add = p.offset;
        p = place_of(l, l->word_at[p.word]);
    }
    rule->cfa_from_rbp = p.base == BASE_RBP;
    rule->cfa_offset = p.offset;
    return p.base == BASE_RSP || p.base == BASE_RBP;
}

static bool say_ra(const struct lesson *l, uint64_t slot, uint64_t cfa, struct rule *rule)
{
    if (slot && is_near(slot, cfa, &rule->ra_offset))
        return true;
    rule->ra_from_rsp = true;
    return slot && is_near(slot, l->symbols->rsp, &rule->ra_offset);
}

static void say_bp(const struct lesson *l, uint64_t bp, uint64_t cfa, struct rule *rule)
{
    uint64_t slot = origin_of(l, bp);
    if (bp == l->symbols->rbp)
        rule->bp = RULE_BP_SAME;
    else if (slot && is_near(slot, cfa, &rule->bp_offset))
        rule->bp = RULE_BP_AT_CFA;
    else if (slot && is_near(slot, l->symbols->rsp, &rule->bp_offset))
        rule->bp = RULE_BP_AT_RSP;
    else if (slot && is_near(slot, l->symbols->rbp, &rule->bp_offset))
        rule->bp = RULE_BP_AT_RBP;
    else
        rule->bp = RULE_BP_UNKNOWN;
    if (rule->bp == RULE_BP_SAME || rule->bp == RULE_BP_UNKNOWN)
        rule->bp_offset = 0;
}

/*
 * A caller's rsp that is not the CFA has no form here.  Older libunwinds call the CFA rsp whatever the
 * table says, so where rsp was found is asked, too: nowhere in particular, or at a word that is the CFA.
 */
static bool rsp_is_cfa(struct lesson *l, unw_cursor_t *cursor, uint64_t cfa)
{
    uint64_t rsp, word;
    unw_save_loc_t found;
    if (teacher.get_reg(cursor, UNW_X86_64_RSP, &rsp) < 0 || rsp != cfa)
        return false;
    if (teacher.get_save_loc(cursor, UNW_X86_64_RSP, &found) < 0)
        return false;
    if (found.type == UNW_SLT_REG)
        return found.u.regnum == UNW_X86_64_RSP;
    return found.type == UNW_SLT_MEMORY &&
           (found.u.addr == cfa || (stack_word(l, found.u.addr, &word) && word == cfa));
}

static bool say_step(struct lesson *l, unw_cursor_t *cursor, struct rule *rule)
{
    uint64_t cfa, ip, bp;
    if (teacher.get_reg(cursor, UNW_X86_64_CFA, &cfa) < 0 || !rsp_is_cfa(l, cursor, cfa))
        return false;
    if (teacher.get_reg(cursor, UNW_X86_64_RIP, &ip) < 0 || teacher.get_reg(cursor, UNW_X86_64_RBP, &bp) < 0)
        return false;
    say_bp(l, bp, cfa, rule);
    rule->signal_frame = teacher.is_signal_frame(cursor) > 0;
    return say_cfa(l, cfa, rule) && say_ra(l, origin_of(l, ip), cfa, rule);
}

/* The table says that there is no return address. */
static bool is_outermost(unw_cursor_t *cursor)
{
    uint64_t ip;
    unw_save_loc_t found;
    return teacher.get_reg(cursor, UNW_X86_64_RIP, &ip) >= 0 && ip == 0 &&
           teacher.get_save_loc(cursor, UNW_X86_64_RIP, &found) >= 0 && found.type == UNW_SLT_NONE;
}

/* One step.  Leaves the rule cleared but for its kind when it is not a step: rules are compared whole. */
static void take_lesson(struct lesson *l, struct rule *rule)
{
    unw_cursor_t cursor;
    memset(rule, 0, sizeof *rule);
    l->words = 0;
    int result = teacher.init_remote(&cursor, teacher.space, l);
    if (result >= 0)
        result = teacher.step(&cursor);
    if (result == 0 && is_outermost(&cursor)) {
        rule->kind = RULE_END;
    } else if (result <= 0 || !say_step(l, &cursor, rule)) {
        memset(rule, 0, sizeof *rule);
        rule->kind = RULE_UNSUPPORTED;
    }
}

/* Is there an FDE for the address?  Without one libunwind must not be asked to step. */
static enum rule_kind look_up(struct lesson *l)
{
    unw_proc_info_t info = {0};
    if (l->lookup < l->image->start || l->lookup >= l->image->end ||
        !(l->entry = image_entry(l->image, l->lookup)))
        return RULE_NO_CFI;
    int result = search_table(l, &info, 0);
    if (result == -UNW_ENOINFO)
        return RULE_NO_CFI;
    return result < 0 ? RULE_UNSUPPORTED : RULE_STEP;
}

static void learn_here(const struct image *image, uintptr_t lookup, struct rule *rule)
{
    struct lesson l = {.image = image, .lookup = lookup, .reads_left = READS_MAX, .symbols = &valuations[0]};
    struct rule again;
    rule->kind = (uint8_t)look_up(&l);
    if (rule->kind != RULE_STEP)
        return;
    take_lesson(&l, rule);
    l.symbols = &valuations[1];
    take_lesson(&l, &again);
    if (memcmp(rule, &again, sizeof again) != 0) {
        memset(rule, 0, sizeof *rule);
        rule->kind = RULE_UNSUPPORTED;
    }
}

/*
 * Learning runs on its own stack, whose other end is guarded: libunwind needs several KiB, the thread may
 * have fewer.  Signals are held back meanwhile, so that no handler finds itself on it or jumps off it, all
 * but those that a fault raises: held back, they would kill.
 */
enum { STACK_SIZE = 64 << 10 };

struct request {
    const struct image *image;
    uintptr_t lookup;
    struct rule rule;
};

static void answer(struct request *request)
{
    learn_here(request->image, request->lookup, &request->rule);
}

/* Calls function(argument) with rsp = top.  The first label begins a row of its CFI, see is_taught_well. */
extern const char learn_row_pushed[] __attribute__((visibility("hidden")));

__attribute__((naked, noinline, used, no_sanitize_address)) static void
call_on_stack(void (*function)(struct request *) __attribute__((unused)),
              struct request *argument __attribute__((unused)), void *top __attribute__((unused)))
{
    __asm__("pushq %rbp\n"
            ".cfi_def_cfa_offset 16\n"
            ".cfi_offset %rbp, -16\n"
            ".globl learn_row_pushed\n"
            ".hidden learn_row_pushed\n"
            "learn_row_pushed:\n"
            "movq %rsp, %rbp\n"
            ".cfi_def_cfa_register %rbp\n"
            "movq %rdx, %rsp\n"
            "movq %rdi, %rax\n"
            "movq %rsi, %rdi\n"
            "callq *%rax\n"
            "leave\n"
            ".cfi_def_cfa %rsp, 8\n"
            ".cfi_restore %rbp\n"
            "ret\n");
}

static uint64_t hold_signals(void)
{
    const uint64_t faults = 1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGILL - 1) |
                            1ull << (SIGFPE - 1) | 1ull << (SIGTRAP - 1) | 1ull << (SIGSYS - 1);
    uint64_t held = ~faults, before = 0;
    sys6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&held, (long)&before, sizeof held, 0, 0);
    return before;
}

static void release_signals(uint64_t mask)
{
    sys6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask, 0, 0);
}

static void ask(struct request *request)
{
    int saved_errno = errno;
    uint64_t mask = hold_signals();
    call_on_stack(answer, request, teacher.stack_top);
    release_signals(mask);
    errno = saved_errno;
}

struct rule learn_from_teacher(const struct image *image, uintptr_t lookup)
{
    struct request request = {.image = image, .lookup = lookup, .rule = {.kind = RULE_NO_CFI}};
    if (teacher.ready)
        ask(&request);
    return request.rule;
}

struct rule learn_rule_in(const struct image *image, uintptr_t lookup)
{
    struct rule rule;
    return cfi_rule(image, lookup, &rule) ? rule : learn_from_teacher(image, lookup);
}

struct rule learn_rule(uintptr_t lookup)
{
    struct image image;
    return image_find(lookup, &image) ? learn_rule_in(&image, lookup) : (struct rule){.kind = RULE_NO_CFI};
}

/*
 * Until 1.7 libunwind opens a pipe when it is first used, for its local mode alone; it would stay open,
 * where programs close what they do not know and count on the numbers they get.  So the first use happens
 * with its pipe2 failing: its slot in libunwind's import table points to no_pipe for that long.  It takes
 * the failure well, and tries again should the program itself ever use the local mode of the same copy.
 */
static int no_pipe(int ends[2], int flags)
{
    (void)ends, (void)flags;
    errno = EMFILE;
    return -1;
}

static uintptr_t dynamic_value(const struct link_map *object, ElfW(Sxword) tag)
{
    for (const ElfW(Dyn) *d = object->l_ld; d->d_tag != DT_NULL; d++)
        if (d->d_tag == tag)
            return d->d_un.d_val;
    return 0;
}

static void **import_slot(const struct link_map *object, const char *name)
{
    const ElfW(Rela) *r = (const void *)dynamic_value(object, DT_JMPREL);
    const ElfW(Sym) *symbols = (const void *)dynamic_value(object, DT_SYMTAB);
    const char *strings = (const void *)dynamic_value(object, DT_STRTAB);
    if (!r || !symbols || !strings)
        return NULL;
    for (size_t i = dynamic_value(object, DT_PLTRELSZ) / sizeof *r; i-- > 0; r++)
        if (strcmp(strings + symbols[ELF64_R_SYM(r->r_info)].st_name, name) == 0)
            return (void **)(object->l_addr + r->r_offset);
    return NULL;
}

/* Slots are read-only from the start where everything is bound at once (-z relro -z now). */
static bool is_sealed(const struct link_map *object, uintptr_t address)
{
    const ElfW(Ehdr) *elf = (const void *)object->l_addr;
    const ElfW(Phdr) *p = (const void *)(object->l_addr + elf->e_phoff);
    for (unsigned i = 0; i < elf->e_phnum; i++)
        if (p[i].p_type == PT_GNU_RELRO && address - (object->l_addr + p[i].p_vaddr) < p[i].p_memsz)
            return true;
    return false;
}

static void *slot_exchange(const struct link_map *object, void **slot, void *value)
{
    void *before = *slot;
    uintptr_t page = (uintptr_t)slot & -PAGE_SIZE;
    bool sealed = is_sealed(object, (uintptr_t)slot);
    if (sealed && sys3(SYS_mprotect, (long)page, (long)PAGE_SIZE, PROT_READ | PROT_WRITE) != 0)
        return before;
    *slot = value;
    if (sealed)
        sys3(SYS_mprotect, (long)page, (long)PAGE_SIZE, PROT_READ);
    return before;
}

/*
 * Before it teaches, libunwind is asked what is known: a row of call_on_stack, at its very first address.
 * One that looked up the address before would give the row before.  One whose structs are not those of
 * the headers (unw_dyn_info_t grew in 1.6 under the same soname) gives none at all.
 */
static bool is_taught_well(void)
{
    struct image image;
    if (!image_find((uintptr_t)learn_row_pushed, &image))
        return false;
    struct rule rule = learn_from_teacher(&image, (uintptr_t)learn_row_pushed);
    return rule.kind == RULE_STEP && rule.cfa_offset == 16 && rule.ra_offset == -8 && !rule.cfa_from_rbp &&
           rule.bp == RULE_BP_AT_CFA && rule.bp_offset == -16;
}

static bool prepare(void)
{
    teacher.space = teacher.create_addr_space(&accessors.members, 0);
    if (!teacher.space)
        return false;
    teacher.set_caching_policy(teacher.space, UNW_CACHE_NONE);
    teacher.ready = true;
    teacher.ready = is_taught_well();
    return teacher.ready;
}

static bool prepare_without_pipe(void *library)
{
    struct link_map *object;
    void **slot = dlinfo(library, RTLD_DI_LINKMAP, &object) == 0 ? import_slot(object, "pipe2") : NULL;
    void *pipe2 = slot ? slot_exchange(object, slot, (void *)no_pipe) : NULL;
    bool well = prepare();
    if (slot)
        slot_exchange(object, slot, pipe2);
    return well;
}

static bool find_calls(void *library)
{
    bool all = true;
#define FIND(name) all = (teacher.name = dlsym(library, "_Ux86_64_" #name)) && all;
    TEACHER_CALLS(FIND)
#undef FIND
    return all;
}

static bool make_stack(void)
{
    char *stack = sys_reserve(PAGE_SIZE + STACK_SIZE);
    if (!stack)
        return false;
    sys3(SYS_mprotect, (long)stack, (long)PAGE_SIZE, PROT_NONE);
    teacher.stack_top = stack + PAGE_SIZE + STACK_SIZE;
    return true;
}

bool learn_start(void)
{
    void *library = dlopen("libunwind-x86_64.so.8", RTLD_NOW | RTLD_LOCAL);
    return library && find_calls(library) && make_stack() && prepare_without_pipe(library);
}
