// SPDX-License-Identifier: MIT
#include "model/checked.h"

#include "model/progress.h"

static void measure(struct checked_side *side, const struct checked *checked)
{
    scope_open(&side->scope, checked->view, side->trace, side->symbols);
    side->selection = scope_select(&side->scope);
    if (checked->suppressions)
        leaks_find(&side->leaks, &side->scope, checked->suppressions);
    side->amounts = amounts_of(&side->selection.figures, &side->leaks.leaked);
}

void checked_open(struct checked *checked, const struct view *view, const struct suppressions *suppressions,
                  const struct trace *const trace[SIDES])
{
    struct progress progress;
    *checked = (struct checked){.view = view, .suppressions = suppressions};
    struct checked_side *old = &checked->side[OLD], *new = &checked->side[NEW];
    progress_begin(&progress, "reading symbols");
    for (enum side side = OLD; side < SIDES; side++) {
        checked->side[side].trace = trace[side];
        checked->side[side].symbols = trace[side] ? symbols_open(trace[side]) : NULL;
    }
    if (old->trace) {
        checked->translation = translation_start(old->trace, old->symbols, new->trace, new->symbols);
        measure(old, checked);
    }
    measure(new, checked);
    progress_end(&progress);
}

void checked_close(struct checked *checked)
{
    if (checked->translation)
        translation_end(checked->translation);
    for (enum side side = OLD; side < SIDES; side++) {
        if (!checked->side[side].trace)
            continue;
        leaks_free(&checked->side[side].leaks);
        scope_close(&checked->side[side].scope);
        symbols_close(checked->side[side].symbols);
    }
}
