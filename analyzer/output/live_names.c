// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "output/live_parts.h"
#include "output/place.h"
#include "output/utf8.h"

#define NAMES   1024 /* rows whose names are kept */
#define CALLERS 400  /* columns of callers that are ever shown */

struct live_names {
    struct live_name all[NAMES];
};

static void forget(struct live_name *name)
{
    free(name->what);
    free(name->where);
    free(name->callers);
    *name = (struct live_name){0};
}

void live_forget_names(struct live *live)
{
    for (size_t i = 0; live->names && i < NAMES; i++)
        forget(&live->names->all[i]);
    free(live->names);
    live->names = NULL;
}

/* "<- dict_add <- run", as much as ever finds room; recursion is one. */
static char *callers_text(const struct text *text, const struct stack *stack)
{
    const char *arrow = text->terminal.wide ? "\u2190 " : "< ";
    char *line = NULL, *last = strdup("");
    size_t size, columns = 0, end = text_stack_end(stack);
    FILE *out = open_memstream(&line, &size);
    for (size_t i = stack->origin + 1; out && i < end && columns < CALLERS; i++) {
        struct place_text place = place_text(text, &stack->frames[i], 0);
        if (strcmp(place.what, last) != 0)
            fprintf(out, "%s%s%s", columns ? " " : "", arrow, place.what);
        columns += utf8_columns(place.what) + 3;
        free(last);
        last = strdup(place.what);
        place_free(&place);
    }
    free(last);
    if (out)
        fclose(out);
    return line ? line : memory_get(1, 1);
}

static void name_site(const struct live *live, uint32_t site, struct live_name *name)
{
    static const struct source_frame unknown;
    struct report report = {.trace = live->trace};
    struct text text = live_text(&report);
    struct stack stack = {0};
    ranking_stack(live->ranking, site, &stack);
    struct place_text place = place_text(&text, stack.count ? &stack.frames[stack.origin] : &unknown, 0);
    name->what = place.what;
    name->where = place.where;
    name->callers = callers_text(&text, &stack);
    stack_free(&stack);
}

void live_name_group(const struct live *live, const struct source_frame *frame, struct live_name *name)
{
    struct report report = {.trace = live->trace};
    struct text text = live_text(&report);
    struct place_text place = place_text(&text, frame, 0);
    name->what = place.what;
    name->where = place.where;
}

const struct live_name *live_name_row(struct live *live, const struct ranked *row)
{
    if (!live->names)
        live->names = memory_get(1, sizeof(*live->names));
    struct live_name *name = &live->names->all[row->number % NAMES];
    if (name->number == row->number)
        return name;
    forget(name);
    name->number = row->number;
    if (row->frame)
        live_name_group(live, row->frame, name);
    else
        name_site(live, row->site, name);
    return name;
}
