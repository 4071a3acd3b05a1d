// SPDX-License-Identifier: MIT
/* The difference for programs: as JSON, and as folded stacks. */
#define _GNU_SOURCE 1 /* open_memstream */
#include <errno.h>
#include <error.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "output/difference.h"
#include "output/json.h"
#include "output/terminal.h"
#include "output/utf8.h"

static void put_kinds(FILE *out, const struct difference *difference)
{
    fputs(" \"changes\": {", out);
    for (enum change_kind kind = CHANGE_NONE; kind < CHANGE_KINDS; kind++)
        fprintf(out, "%s\"%s\": %zu", kind ? ", " : "", change_names[kind], difference->kinds[kind]);
    fputs("},\n", out);
}

static void put_change(FILE *out, struct json_stacks *const stacks[SIDES], const struct change *change)
{
    fprintf(out, "{\"change\": \"%s\",\n   \"old\": {", change_names[change->kind]);
    json_figures(out, &change->figures[OLD]);
    fputs("},\n   \"new\": {", out);
    json_figures(out, &change->figures[NEW]);
    fputc('}', out);
    if (change->frame) {
        fputs(", \"truncated\": false,\n   \"frames\": [", out);
        json_frame(out, change->frame);
        fputc(']', out);
    } else {
        enum side side = change_side(change);
        json_stacks_put(out, stacks[side], change->site[side]);
    }
    fputc('}', out);
}

void difference_json_changes(FILE *out, const struct difference_report *report)
{
    const struct difference *difference = report->difference;
    size_t count = difference->count;
    struct json_stacks *stacks[SIDES] = {json_stacks_start(&report->side[OLD]),
                                         json_stacks_start(&report->side[NEW])};
    if (report->limit && report->limit < count)
        count = report->limit;
    fputs(" \"sites\": [", out);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        put_change(out, stacks, &difference->all[i]);
    }
    fputs("]}\n", out);
    json_stacks_end(stacks[OLD]);
    json_stacks_end(stacks[NEW]);
}

void difference_json(FILE *out, const struct difference_report *report)
{
    const struct difference *difference = report->difference;
    fprintf(out, "{\"version\": 1, \"metric\": \"%s\", \"group_by\": \"%s\", \"equal\": %s,\n",
            metric_names[difference->view->metric], grouping_names[difference->view->by],
            difference->equal ? "true" : "false");
    put_kinds(out, difference);
    fputs(" \"old\": ", out);
    json_side(out, &report->side[OLD]);
    fputs(" \"new\": ", out);
    json_side(out, &report->side[NEW]);
    difference_json_changes(out, report);
}

/* --- folded stacks ------------------------------------------------------------------------------------- */

/* Stacks that differ in lines alone are one. */
struct folded {
    UT_hash_handle hh;
    uint64_t value[SIDES];
    char stack[];
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Nothing of a name can be taken for the end of a frame, or does anything to a terminal. */
static void put_name(FILE *out, const char *name)
{
    char *harmless = utf8_escape(name, terminal_is_wide());
    for (char *at = harmless; *at; at++)
        fputc(*at == ';' ? ':' : *at, out);
    free(harmless);
}

static void put_place(FILE *out, const struct source_frame *place)
{
    if (place->function)
        put_name(out, place->function);
    else if (place->module)
        put_name(out, base_name(place->module));
    else
        fputs("[unknown]", out);
}

/* From outside in; to be freed. */
static char *fold(struct scope *scope, uint32_t site, size_t *size)
{
    char *text;
    FILE *out = open_memstream(&text, size);
    if (!out)
        error(EXIT_FAILURE, errno, "cannot write into memory");
    struct scope_stack stack = scope_stack(scope, site);
    if (stack.truncated)
        fputs("[truncated];", out);
    for (size_t i = stack.count; i-- > 0;) {
        put_place(out, &stack.frames[i]->source);
        if (i)
            fputc(';', out);
    }
    if (fclose(out) != 0)
        error(EXIT_FAILURE, errno, "cannot write into memory");
    return text;
}

static void add(struct folded **all, struct scope *scope, const struct change *change, enum metric metric)
{
    size_t size;
    char *stack = fold(scope, change->site[change_side(change)], &size);
    struct folded *folded;
    HASH_FIND(hh, *all, stack, size, folded);
    if (!folded) {
        folded = memory_get(1, sizeof(*folded) + size + 1);
        memcpy(folded->stack, stack, size + 1);
        HASH_ADD_KEYPTR(hh, *all, folded->stack, size, folded);
    }
    for (enum side side = OLD; side < SIDES; side++)
        folded->value[side] += metric_of(&change->figures[side], metric);
    free(stack);
}

void difference_folded(FILE *out, const struct difference_report *report)
{
    const struct difference *difference = report->difference;
    struct folded *all = NULL, *folded, *next;
    for (size_t i = 0; i < difference->total; i++) {
        const struct change *change = &difference->all[i];
        add(&all, report->side[change_side(change)].scope, change, difference->view->metric);
    }
    HASH_ITER(hh, all, folded, next)
    {
        if (folded->value[OLD] || folded->value[NEW])
            fprintf(out, "%s %" PRIu64 " %" PRIu64 "\n", folded->stack, folded->value[OLD],
                    folded->value[NEW]);
        HASH_DEL(all, folded);
        free(folded);
    }
}
