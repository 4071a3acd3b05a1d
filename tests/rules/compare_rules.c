// SPDX-License-Identifier: MIT
/*
 * Compares learned rules with elfutils' reading of the same tables.
 *
 *   compare_rules [-a] [object...]       default: libc, libstdc++, ld.so, libcrypto, python3, perl, bash
 *
 * For every call instruction of each object (as objdump -d decodes it) the rule of the address before its
 * end, the lookup address of a frame that waits for that call to return, is learned and compared with
 * dwarf_cfi_addrframe (CFA, return address, rbp, rsp, signal frame), and with what libunwind says.  -a: the rules of every instruction's
 * address as well, where a signal may interrupt.
 *
 * A shared library is loaded, as in life; what cannot be (executables) is mapped by its program headers.
 * Prints per object how many rules were equal, and lists by shape those that learn_rule refused and those
 * that leave rbp unknown.  The exit status is 1 if any rule is wrong, 2 if an object could not be compared.
 *
 * The expressions of elfutils are evaluated here, over values like "rsp + 8" and "word at rbp - 8, plus
 * 16", without regard to how learn.c does it.
 */
#include "../../shim/unwind/cfi.h"
#include "../../shim/unwind/learn.h"
#include <ctype.h>
#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { RBP = 6, RSP = 7, RIP = 16 };

/* --- values ------------------------------------------------------------------------------------------ */

enum kind { NONSENSE, CONSTANT, REGISTER, WORD };

/* CONSTANT: add.  REGISTER: reg + add.  WORD: the word at reg + inner, plus add. */
struct value {
    enum kind kind;
    int reg;
    int64_t inner, add;
};

static struct value constant(int64_t add)
{
    return (struct value){.kind = CONSTANT, .add = add};
}

static struct value reg_plus(int reg, int64_t add)
{
    return (struct value){.kind = REGISTER, .reg = reg, .add = add};
}

static struct value plus(struct value v, int64_t add)
{
    v.add += add;
    return v;
}

static struct value word_at(struct value v)
{
    if (v.kind != REGISTER)
        return (struct value){0};
    return (struct value){.kind = WORD, .reg = v.reg, .inner = v.add};
}

static bool same(struct value a, struct value b)
{
    return a.kind == b.kind && a.kind != NONSENSE && a.reg == b.reg && a.inner == b.inner && a.add == b.add;
}

/* Offsets are left out: shapes are counted. */
static const char *shape_of(struct value v, char *buffer, size_t size)
{
    static const char *const forms[] = {"an expression", "a constant", "r%d + k", "*(r%d + k) + m"};
    snprintf(buffer, size, forms[v.kind], v.reg);
    return buffer;
}

/* --- expressions ------------------------------------------------------------------------------------- */

enum { DEPTH = 16 };

struct machine {
    struct value stack[DEPTH];
    int depth;
    struct value cfa;
    uint64_t ip;
    bool is_value;      /* the result is the value itself, not where it is */
    bool failed;
};

static void push(struct machine *m, struct value v)
{
    if (m->depth == DEPTH || v.kind == NONSENSE)
        m->failed = true;
    else
        m->stack[m->depth++] = v;
}

static struct value pop(struct machine *m)
{
    if (m->depth == 0) {
        m->failed = true;
        return constant(0);
    }
    return m->stack[--m->depth];
}

static struct value register_value(const struct machine *m, int reg, int64_t add)
{
    return reg == RIP ? constant((int64_t)m->ip + add) : reg_plus(reg, add);
}

static struct value add(struct value a, struct value b)
{
    if (b.kind == CONSTANT)
        return plus(a, b.add);
    return a.kind == CONSTANT ? plus(b, a.add) : (struct value){0};
}

static struct value arithmetic(int op, struct value a, struct value b)
{
    if (op == DW_OP_plus)
        return add(a, b);
    if (op == DW_OP_minus && b.kind == CONSTANT)
        return plus(a, -b.add);
    if (a.kind != CONSTANT || b.kind != CONSTANT)
        return (struct value){0};
    switch (op) {
    case DW_OP_and: return constant(a.add & b.add);
    case DW_OP_or:  return constant(a.add | b.add);
    case DW_OP_shl: return constant((int64_t)((uint64_t)a.add << (b.add & 63)));
    case DW_OP_ge:  return constant(a.add >= b.add);
    case DW_OP_gt:  return constant(a.add > b.add);
    case DW_OP_le:  return constant(a.add <= b.add);
    case DW_OP_lt:  return constant(a.add < b.add);
    case DW_OP_eq:  return constant(a.add == b.add);
    case DW_OP_ne:  return constant(a.add != b.add);
    default:        return (struct value){0};
    }
}

static void execute(struct machine *m, const Dwarf_Op *op)
{
    int atom = op->atom;
    if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31)
        push(m, constant(atom - DW_OP_lit0));
    else if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
        push(m, register_value(m, atom - DW_OP_breg0, (int64_t)op->number));
    else if (atom == DW_OP_bregx)
        push(m, register_value(m, (int)op->number, (int64_t)op->number2));
    else if (atom >= DW_OP_const1u && atom <= DW_OP_consts)
        push(m, constant((int64_t)op->number));
    else if (atom == DW_OP_plus_uconst)
        push(m, plus(pop(m), (int64_t)op->number));
    else if (atom == DW_OP_deref)
        push(m, word_at(pop(m)));
    else if (atom == DW_OP_call_frame_cfa)
        push(m, m->cfa);
    else if (atom == DW_OP_stack_value)
        m->is_value = true;
    else {
        struct value b = pop(m), a = pop(m);
        push(m, arithmetic(atom, a, b));
    }
}

static struct value evaluate(struct machine *m, const Dwarf_Op *ops, size_t count)
{
    for (size_t i = 0; i < count && !m->failed; i++)
        execute(m, &ops[i]);
    return m->failed || m->depth == 0 ? (struct value){0} : m->stack[m->depth - 1];
}

/* --- what elfutils says ------------------------------------------------------------------------------ */

enum where { UNDEFINED, SAME, AT, IS, IN_REGISTER, UNCLEAR };

struct saved {
    enum where where;
    struct value value;     /* AT: the address, IS: the value itself */
};

struct reference {
    bool found, signal_frame;
    struct value cfa;
    struct saved ra, bp, sp;
};

static bool is_register_op(const Dwarf_Op *ops, size_t count)
{
    return count == 1 && ((ops->atom >= DW_OP_reg0 && ops->atom <= DW_OP_reg31) || ops->atom == DW_OP_regx);
}

static struct saved saved_register(Dwarf_Frame *frame, int reg, struct value cfa, uint64_t ip)
{
    struct machine m = {.cfa = cfa, .ip = ip};
    Dwarf_Op memory[3], *ops;
    size_t count;
    if (dwarf_frame_register(frame, reg, memory, &ops, &count) != 0)
        return (struct saved){.where = UNCLEAR};
    if (count == 0)
        return (struct saved){.where = ops ? UNDEFINED : SAME};
    if (is_register_op(ops, count))
        return (struct saved){.where = IN_REGISTER};
    struct value v = evaluate(&m, ops, count);
    if (v.kind == NONSENSE)
        return (struct saved){.where = UNCLEAR};
    return (struct saved){.where = m.is_value ? IS : AT, .value = v};
}

static struct reference reference_for(Dwarf_CFI *cfi, uint64_t address)
{
    struct reference r = {0};
    struct machine m = {.ip = address};
    Dwarf_Frame *frame;
    Dwarf_Op *ops;
    size_t count;
    if (dwarf_cfi_addrframe(cfi, address, &frame) != 0)
        return r;
    r.found = true;
    int ra = dwarf_frame_info(frame, NULL, NULL, &r.signal_frame);
    if (dwarf_frame_cfa(frame, &ops, &count) == 0 && count > 0)
        r.cfa = evaluate(&m, ops, count);
    r.ra = saved_register(frame, ra, r.cfa, address);
    r.bp = saved_register(frame, RBP, r.cfa, address);
    r.sp = saved_register(frame, RSP, r.cfa, address);
    free(frame);
    return r;
}

/* --- what the rule says ------------------------------------------------------------------------------ */

static struct value rule_cfa(const struct rule *rule)
{
    struct value v = reg_plus(rule->cfa_from_rbp ? RBP : RSP, rule->cfa_offset);
    return rule->cfa_deref ? plus(word_at(v), rule->cfa_add) : v;
}

static struct saved rule_ra(const struct rule *rule)
{
    struct value from = rule->ra_from_rsp ? reg_plus(RSP, 0) : rule_cfa(rule);
    return (struct saved){.where = AT, .value = plus(from, rule->ra_offset)};
}

static struct saved rule_bp(const struct rule *rule)
{
    switch (rule->bp) {
    case RULE_BP_SAME:
        return (struct saved){.where = SAME};
    case RULE_BP_AT_CFA:
        return (struct saved){.where = AT, .value = plus(rule_cfa(rule), rule->bp_offset)};
    case RULE_BP_AT_RSP:
        return (struct saved){.where = AT, .value = reg_plus(RSP, rule->bp_offset)};
    case RULE_BP_AT_RBP:
        return (struct saved){.where = AT, .value = reg_plus(RBP, rule->bp_offset)};
    default:
        return (struct saved){.where = UNDEFINED};
    }
}

static bool same_saved(struct saved a, struct saved b)
{
    return a.where == b.where && ((a.where != AT && a.where != IS) || same(a.value, b.value));
}

/* The caller's rsp is the CFA, or was saved at the very word that the CFA is. */
static bool sp_is_cfa(const struct reference *r)
{
    return (r->sp.where == IS && same(r->sp.value, r->cfa)) ||
           (r->sp.where == AT && same(word_at(r->sp.value), r->cfa));
}

static bool step_is_right(const struct rule *rule, const struct reference *r)
{
    return r->found && same(rule_cfa(rule), r->cfa) && same_saved(rule_ra(rule), r->ra) && sp_is_cfa(r) &&
           rule->signal_frame == r->signal_frame &&
           (rule->bp == RULE_BP_UNKNOWN || same_saved(rule_bp(rule), r->bp));
}

static bool is_right(const struct rule *rule, const struct reference *r)
{
    switch (rule->kind) {
    case RULE_STEP:   return step_is_right(rule, r);
    case RULE_END:    return r->found && r->ra.where == UNDEFINED;
    case RULE_NO_CFI: return !r->found;
    default:          return true;
    }
}

/* --- counting ---------------------------------------------------------------------------------------- */

enum { SHAPES_MAX = 64, MISMATCHES_SHOWN = 10 };

struct shape {
    char text[160];
    unsigned long count;
    uint64_t example;
};

struct tally {
    unsigned long sites, equal, ends, no_cfi, unsupported, unknown_bp, wrong;
    unsigned long asked;        /* not of the common shape: libunwind was asked */
    struct shape shapes[SHAPES_MAX];
    double seconds;
};

static const char *saved_text(struct saved s, char *buffer, size_t size)
{
    static const char *const names[] = {"undefined", "same", "at ", "is ", "in a register", "unclear"};
    char form[64] = "";
    if (s.where == AT || s.where == IS)
        shape_of(s.value, form, sizeof form);
    snprintf(buffer, size, "%s%s", names[s.where], form);
    return buffer;
}

static void shape_text(const char *why, const struct reference *r, char *buffer, size_t size)
{
    char cfa[64], ra[80], bp[80], sp[80];
    snprintf(buffer, size, "%s: CFA %s, address %s, rbp %s, rsp %s", why, shape_of(r->cfa, cfa, sizeof cfa),
             saved_text(r->ra, ra, sizeof ra), saved_text(r->bp, bp, sizeof bp),
             sp_is_cfa(r) ? "= CFA" : saved_text(r->sp, sp, sizeof sp));
}

static void count_shape(struct tally *t, const char *why, const struct reference *r, uint64_t address)
{
    char text[sizeof t->shapes[0].text];
    shape_text(why, r, text, sizeof text);
    for (struct shape *s = t->shapes; s < t->shapes + SHAPES_MAX; s++) {
        if (s->count == 0) {
            strcpy(s->text, text);
            s->example = address;
        }
        if (strcmp(s->text, text) == 0) {
            s->count++;
            return;
        }
    }
}

static void show_wrong(const struct rule *rule, const struct reference *r, uint64_t address)
{
    char text[160];
    shape_text("elfutils", r, text, sizeof text);
    printf("  WRONG at 0x%lx: kind %d, base %s, cfa %d deref %d add %d, ra %d from rsp %d, bp %d %d, "
           "signal %d\n        %s (found %d, cfa k %ld m %ld)\n",
           address, rule->kind, rule->cfa_from_rbp ? "rbp" : "rsp", rule->cfa_offset, rule->cfa_deref,
           rule->cfa_add, rule->ra_offset, rule->ra_from_rsp, rule->bp, rule->bp_offset, rule->signal_frame,
           text, r->found, r->cfa.kind == WORD ? r->cfa.inner : r->cfa.add, r->cfa.add);
}

static void judge(struct tally *t, const struct rule *rule, const struct reference *r, uint64_t address)
{
    t->sites++;
    if (!is_right(rule, r)) {
        if (t->wrong++ < MISMATCHES_SHOWN)
            show_wrong(rule, r, address);
        return;
    }
    if (rule->kind == RULE_UNSUPPORTED) {
        t->unsupported++;
        count_shape(t, "unsupported", r, address);
        return;
    }
    t->equal++;
    t->ends += rule->kind == RULE_END;
    t->no_cfi += rule->kind == RULE_NO_CFI;
    if (rule->kind == RULE_STEP && rule->bp == RULE_BP_UNKNOWN) {
        t->unknown_bp++;
        count_shape(t, "rbp unknown", r, address);
    }
}

static void print_tally(const char *path, const char *how, const struct tally *t)
{
    printf("%s (%s): %lu sites, %lu equal (%lu outermost, %lu without CFI, %lu with rbp unknown), "
           "%lu unsupported, %lu wrong; %lu asked of libunwind, %.2f us a rule\n",
           path, how, t->sites, t->equal, t->ends, t->no_cfi, t->unknown_bp, t->unsupported, t->wrong, t->asked,
           t->sites ? t->seconds * 1e6 / (double)t->sites : 0.0);
    for (const struct shape *s = t->shapes; s < t->shapes + SHAPES_MAX && s->count; s++)
        printf("  %6lu  %s, as at 0x%lx\n", s->count, s->text, s->example);
}

/* --- objects ----------------------------------------------------------------------------------------- */

struct object {
    const char *path, *how;
    int fd;
    Elf *elf;
    Dwarf_CFI *cfi;
    uint64_t bias;              /* of the copy in memory */
    bool is_loaded;
    struct image image;         /* if not */
};

static bool header_at(const struct object *o, size_t i, GElf_Phdr *header)
{
    size_t count;
    return elf_getphdrnum(o->elf, &count) == 0 && i < count && gelf_getphdr(o->elf, (int)i, header);
}

static bool map_segment(const struct object *o, const GElf_Phdr *h)
{
    uint64_t lead = h->p_vaddr % 4096;
    void *at = (void *)(o->bias + h->p_vaddr - lead);
    return h->p_filesz == 0 || mmap(at, h->p_filesz + lead, PROT_READ, MAP_PRIVATE | MAP_FIXED, o->fd,
                                    (off_t)(h->p_offset - lead)) != MAP_FAILED;
}

static uint64_t span_of(const struct object *o)
{
    GElf_Phdr h;
    uint64_t end = 0;
    for (size_t i = 0; header_at(o, i, &h); i++)
        if (h.p_type == PT_LOAD && h.p_vaddr + h.p_memsz > end)
            end = h.p_vaddr + h.p_memsz;
    return end;
}

/* From address 0 of the file's own numbering; for one linked to fixed addresses that is a lot of nothing. */
static bool map_object(struct object *o)
{
    GElf_Phdr h;
    uint64_t span = span_of(o);
    void *room = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (span == 0 || room == MAP_FAILED)
        return false;
    o->bias = (uint64_t)room;
    o->image = (struct image){.start = o->bias, .end = o->bias + span};
    for (size_t i = 0; header_at(o, i, &h); i++) {
        if (h.p_type == PT_LOAD && !map_segment(o, &h))
            return false;
        if (h.p_type == PT_GNU_EH_FRAME)
            o->image.eh_frame_hdr = o->bias + h.p_vaddr;
    }
    o->how = "mapped";
    return true;
}

static bool load_object(struct object *o)
{
    struct link_map *map;
    void *library = dlopen(o->path, RTLD_LAZY | RTLD_LOCAL);
    if (!library || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0)
        return false;
    o->bias = map->l_addr;
    o->is_loaded = true;
    o->how = "loaded";
    return true;
}

static bool open_object(struct object *o, const char *path)
{
    *o = (struct object){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    o->elf = o->fd < 0 ? NULL : elf_begin(o->fd, ELF_C_READ_MMAP, NULL);
    o->cfi = o->elf ? dwarf_getcfi_elf(o->elf) : NULL;
    return o->cfi && (load_object(o) || map_object(o));
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A rule that was read has to be the one that libunwind teaches, too. */
static void compare_with_teacher(const struct image *image, uint64_t lookup, uint64_t bias,
                                 const struct rule *rule, struct tally *t)
{
    struct rule read, taught = learn_from_teacher(image, lookup);
    if (!cfi_rule(image, lookup, &read))
        t->asked++;
    if (memcmp(rule, &taught, sizeof taught) != 0 && t->wrong++ < MISMATCHES_SHOWN)
        printf("  libunwind says otherwise at 0x%lx\n", lookup - bias);
}

static void compare_at(const struct object *o, uint64_t address, struct tally *t)
{
    struct image image = o->image;
    uint64_t lookup = o->bias + address;
    if (o->is_loaded && !image_find(lookup, &image)) {
        t->wrong++;
        return;
    }
    double start = now();
    struct rule rule = learn_rule_in(&image, lookup);
    t->seconds += now() - start;
    compare_with_teacher(&image, lookup, o->bias, &rule, t);
    struct reference reference = reference_for(o->cfi, address);
    judge(t, &rule, &reference, address);
}

/* --- call sites -------------------------------------------------------------------------------------- */

struct instruction {
    uint64_t address;
    unsigned length;
    bool is_call;
};

/* "  26e0:\tff 35 fa 2e 00 00 \tpush   0x2efa(%rip)": address, bytes, text. */
static bool parse_line(const char *line, struct instruction *i)
{
    char *p;
    i->address = strtoull(line, &p, 16);
    i->length = 0;
    if (p == line || strncmp(p, ":\t", 2) != 0)
        return false;
    for (p += 2; isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]) && p[2] == ' '; p += 3)
        i->length++;
    p += strspn(p, " ");
    if (*p != '\t')
        return false;
    i->is_call = strstr(p, "\tcall") || strstr(p, " call");
    return true;
}

static FILE *disassemble(const char *path)
{
    char command[4200];
    if (strchr(path, '\'') || strlen(path) > 4096)
        return NULL;
    snprintf(command, sizeof command, "objdump -d -w '%s'", path);
    return popen(command, "re");
}

static bool compare_sites(const struct object *o, bool everywhere, struct tally *t)
{
    char *line = NULL;
    size_t size = 0;
    struct instruction i;
    FILE *text = disassemble(o->path);
    while (text && getline(&line, &size, text) > 0) {
        if (!parse_line(line, &i))
            continue;
        if (i.is_call)
            compare_at(o, i.address + i.length - 1, t);
        if (everywhere)
            compare_at(o, i.address, t);
    }
    free(line);
    return text && pclose(text) == 0;
}

/* 0: all equal or unsupported, 1: a rule was wrong, 2: could not be compared. */
static int compare(const char *path, bool everywhere)
{
    struct object o;
    struct tally t = {0};
    if (!open_object(&o, path) || !compare_sites(&o, everywhere, &t) || t.sites == 0) {
        printf("%s: cannot be compared\n", path);
        return 2;
    }
    print_tally(path, o.how, &t);
    fflush(stdout);
    return t.wrong > 0;
}

/* The first of the folders that has it. */
static int compare_library(const char *name, bool everywhere)
{
    static const char *const folders[] = {"/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/usr/lib"};
    char path[256];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], name);
        if (access(path, R_OK) == 0)
            return compare(path, everywhere);
    }
    return 0;
}

static int compare_program(const char *path, bool everywhere)
{
    return access(path, R_OK) == 0 ? compare(path, everywhere) : 0;
}

static int worse(int a, int b)
{
    return a > b ? a : b;
}

static int compare_default(bool everywhere)
{
    static const char *const libraries[] = {"libc.so.6", "libstdc++.so.6", "ld-linux-x86-64.so.2",
                                            "libcrypto.so.3"};
    static const char *const programs[] = {"/usr/bin/python3", "/usr/bin/perl", "/bin/bash"};
    int worst = 0;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        worst = worse(worst, compare_library(libraries[i], everywhere));
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        worst = worse(worst, compare_program(programs[i], everywhere));
    return worst;
}

int main(int argc, char **argv)
{
    bool everywhere = argc > 1 && strcmp(argv[1], "-a") == 0;
    int worst = 0;
    elf_version(EV_CURRENT);
    if (!learn_start()) {
        printf("libunwind cannot be used\n");
        return 2;
    }
    if (argc == 1 + everywhere)
        return compare_default(everywhere);
    for (char **path = argv + 1 + everywhere; *path; path++)
        worst = worse(worst, compare(*path, everywhere));
    return worst;
}
