// SPDX-License-Identifier: MIT
#include "output/checked.h"

#include "output/difference.h"
#include "output/leaks.h"
#include "output/text.h"
#include "output/units.h"

/* --- of what the figures are --------------------------------------------------------------------------- */

static void warn(const struct text *text, const char *sentence)
{
    text_style(text, TEXT_WARN);
    fputs(sentence, text->out);
    text_style(text, TEXT_PLAIN);
    fputc('\n', text->out);
}

static void put_caution(const struct text *text)
{
    static const char *const cautions[] = {
        [PROCESS_RUNNING] = "still running: what is to come is not in these figures",
        [PROCESS_KILLED] = "killed: it did not come to its end",
        [PROCESS_ENDED] = "how it ended is not known: it may not have come to its end",
    };
    const char *caution = cautions[text->report->process.end];
    if (text->report->trace->at)
        caution = "a snapshot: what came later is not in these figures";
    if (caution)
        warn(text, caution);
}

static void put_selection(const struct text *text)
{
    const struct selection *selection = &text->report->selection;
    char sites[UNITS_SIZE], of[UNITS_SIZE];
    if (!view_selects(text->report->view))
        return;
    if (!selection->sites)
        warn(text, "no call site matches: the limits are for nothing");
    else
        fprintf(text->out, "limits are for %s of %s %s\n", units_count(selection->sites, sites),
                units_count(selection->of, of), text_plural(selection->of, "call site", "call sites"));
}

static void put_head(const struct text *text, const struct checked_report *report)
{
    bool compares = report->side[OLD].trace;
    text_side(text, compares ? "trace   " : "trace");
    put_caution(text);
    if (!text->report->trace->totals.allocations)
        warn(text, "nothing was allocated while it was recorded");
    if (compares) {
        struct text baseline = {text->out, text->terminal, &report->side[OLD]};
        text_side(&baseline, "baseline");
        put_caution(&baseline);
    }
    put_selection(text);
}

/* --- limits -------------------------------------------------------------------------------------------- */

static const char *amount(const struct limit *limit, uint64_t value, char text[UNITS_SIZE])
{
    return (limited_is_count(limit->what) ? units_count : units_bytes)(value, text);
}

static void put_verdict(const struct text *text, const struct limit *limit)
{
    char over[UNITS_SIZE];
    if (!limit->exceeded) {
        fputs("ok", text->out);
        return;
    }
    text_style(text, TEXT_WARN);
    if (limit->found > limit->most)
        fprintf(text->out, "exceeded by %s", amount(limit, limit->found - limit->most, over));
    else
        fputs("exceeded by blocks of no bytes", text->out);
    text_style(text, TEXT_PLAIN);
}

static void put_limit(const struct text *text, const struct checked_report *report, const struct limit *limit)
{
    const struct leak_sum *suppressed = &report->checked->side[NEW].leaks.suppressed;
    char most[UNITS_SIZE], found[UNITS_SIZE], other[UNITS_SIZE];
    fprintf(text->out, "%-11s  %12s  %12s  ", limited_names[limit->what], amount(limit, limit->most, most),
            amount(limit, limit->found, found));
    put_verdict(text, limit);
    if (limit->what == LIMITED_LEAKED && !limit->relative && suppressed->blocks)
        fprintf(text->out, "; %s more suppressed", units_bytes(suppressed->bytes, other));
    if (limit->relative)
        fprintf(text->out, "; baseline %s, tolerance %g %%", amount(limit, limit->baseline, other),
                report->limits->tolerance / 1000.0);
    fputc('\n', text->out);
}

static void put_limits(const struct text *text, const struct checked_report *report)
{
    fprintf(text->out, "\n%-11s  %12s  %12s\n", "", "limit", "found");
    for (size_t i = 0; i < report->limits->count; i++)
        put_limit(text, report, &report->limits->all[i]);
}

/* --- faults -------------------------------------------------------------------------------------------- */

struct report checked_side_of(const struct checked_report *report, struct fault *fault, enum side side)
{
    struct report shown = report->side[side];
    shown.view = &fault->view;
    shown.trace = fault->trace[side];
    shown.scope = fault->relative ? &fault->difference.scope[side] : &fault->scope;
    shown.rows = fault->relative ? NULL : &fault->rows;
    shown.limit = report->limit;
    return shown;
}

static void put_fault(const struct text *text, const struct checked_report *report, const struct limit *limit)
{
    const char *nameless = report->checked->side[NEW].leaks.nameless;
    struct fault fault;
    fault_find(&fault, limit, report->checked);
    struct report now = checked_side_of(report, &fault, NEW);
    fprintf(text->out, "\n%s: ", limited_names[limit->what]);
    if (fault.relative) {
        struct difference_report change = {.difference = &fault.difference,
                                           .side = {checked_side_of(report, &fault, OLD), now},
                                           .limit = report->limit};
        difference_changes(text->out, &change);
    } else {
        struct text table = {text->out, text->terminal, &now};
        text_table(&table);
    }
    if (limit->what == LIMITED_LEAKED && nameless)
        leaks_nameless(text, nameless);
    fault_free(&fault);
}

void checked_text(FILE *out, const struct checked_report *report)
{
    struct text text = {out, terminal_of(out), &report->side[NEW]};
    put_head(&text, report);
    put_limits(&text, report);
    for (size_t i = 0; i < report->limits->count; i++)
        if (report->limits->all[i].exceeded)
            put_fault(&text, report, &report->limits->all[i]);
}
