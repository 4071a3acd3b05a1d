// SPDX-License-Identifier: MIT
#include "model/dwarf_functions.h"

#include <dwarf.h>
#include <stdlib.h>

#include "model/failure.h"

#define DEEPEST 64 /* of scopes that functions are looked for in */

/* Where functions with code can be found. */
static bool is_scope(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_subprogram ||
           tag == DW_TAG_lexical_block || tag == DW_TAG_structure_type || tag == DW_TAG_class_type;
}

/* What a function's full name begins with. */
static bool is_named_scope(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type;
}

static void add_function(struct dwarf_functions *to, Dwarf_Die *die, size_t scope)
{
    if (scope && to->member_count < to->ranges.most) {
        to->members =
            memory_grow(to->members, to->member_count, &to->member_capacity, sizeof(*to->members));
        to->members[to->member_count++] = (struct dwarf_member){dwarf_dieoffset(die), scope};
    }
    if (!dwarf_ranges_add(&to->ranges, die, to->count))
        return;
    to->all = memory_grow(to->all, to->count, &to->capacity, sizeof(*die));
    to->all[to->count++] = *die;
}

static size_t add_scope(struct dwarf_functions *to, const Dwarf_Die *die, size_t outer)
{
    if (to->scope_count == to->ranges.most)
        return 0;
    to->scopes = memory_grow(to->scopes, to->scope_count, &to->scope_capacity, sizeof(*to->scopes));
    to->scopes[to->scope_count++] = (struct dwarf_scope){*die, outer};
    return to->scope_count;
}

static void scan(struct dwarf_functions *to, Dwarf_Die die, size_t scope, int depth)
{
    if (depth > DEEPEST || !dwarf_go_child(&die))
        return;
    do {
        int tag = dwarf_tag(&die);
        if (tag == DW_TAG_subprogram)
            add_function(to, &die, scope);
        if (is_scope(tag) && dwarf_haschildren(&die) == 1)
            scan(to, die, is_named_scope(tag) ? add_scope(to, &die, scope) : 0, depth + 1);
    } while (dwarf_go_sibling(&die));
}

void dwarf_functions_read(struct dwarf_functions *functions, const Dwarf_Die *unit, size_t most)
{
    *functions = (struct dwarf_functions){.ranges.most = most};
    scan(functions, *unit, 0, 0);
    dwarf_ranges_sort(&functions->ranges);
}

void dwarf_functions_free(struct dwarf_functions *functions)
{
    free(functions->all);
    dwarf_ranges_free(&functions->ranges);
    free(functions->scopes);
    free(functions->members);
    *functions = (struct dwarf_functions){0};
}

const Dwarf_Die *dwarf_functions_find(const struct dwarf_functions *functions, uint64_t address)
{
    const struct dwarf_range *range = dwarf_ranges_find(&functions->ranges, address);
    return range ? &functions->all[range->index] : NULL;
}

/* --- their scopes -------------------------------------------------------------------------------------- */

#define MOST_ORIGINS 8 /* from an inlined function to its declaration */

/* A function's declaration: where it stands says what scope it belongs to. */
static Dwarf_Die declaration(const Dwarf_Die *function)
{
    static const unsigned links[] = {DW_AT_abstract_origin, DW_AT_specification};
    Dwarf_Die at = *function;
    for (int i = 0; i < MOST_ORIGINS; i++) {
        Dwarf_Attribute attribute;
        Dwarf_Die next;
        bool found = false;
        for (size_t link = 0; !found && link < sizeof(links) / sizeof(links[0]); link++)
            found = dwarf_formref_die(dwarf_attr(&at, links[link], &attribute), &next) != NULL;
        if (!found)
            break;
        at = next;
    }
    return at;
}

static int by_offset(const void *a, const void *b)
{
    const struct dwarf_member *x = a, *y = b;
    return x->function < y->function ? -1 : x->function > y->function;
}

const struct dwarf_scope *dwarf_functions_scope(const struct dwarf_functions *functions,
                                                const Dwarf_Die *function)
{
    Dwarf_Die at = declaration(function);
    struct dwarf_member wanted = {.function = dwarf_dieoffset(&at)}, *found = NULL;
    if (at.cu == function->cu && functions->member_count)
        found = bsearch(&wanted, functions->members, functions->member_count, sizeof(wanted), by_offset);
    return found ? &functions->scopes[found->scope - 1] : NULL;
}

const struct dwarf_scope *dwarf_functions_outer(const struct dwarf_functions *functions,
                                                const struct dwarf_scope *scope)
{
    return scope->outer ? &functions->scopes[scope->outer - 1] : NULL;
}
