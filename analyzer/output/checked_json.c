// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "output/checked.h"
#include "output/difference.h"
#include "output/json.h"

/* The member "sites" of a limit, and its closing brace. */
static void put_fault(FILE *out, const struct checked_report *report, const struct limit *limit)
{
    struct fault fault;
    fault_find(&fault, limit, report->checked);
    struct report now = checked_side_of(report, &fault, NEW);
    if (fault.relative)
        difference_json_changes(
            out, &(struct difference_report){.difference = &fault.difference,
                                             .side = {checked_side_of(report, &fault, OLD), now},
                                             .limit = report->limit});
    else
        json_sites(out, &now);
    fault_free(&fault);
}

static void put_limit(FILE *out, const struct checked_report *report, const struct limit *limit)
{
    fprintf(out, "{\"what\": \"%s\", \"limit\": %" PRIu64 ", \"found\": %" PRIu64 ", \"exceeded\": %s, ",
            limited_names[limit->what], limit->most, limit->found, limit->exceeded ? "true" : "false");
    if (limit->relative)
        fprintf(out, "\"baseline\": %" PRIu64 ",\n", limit->baseline);
    else
        fputs("\"baseline\": null,\n", out);
    if (limit->exceeded)
        put_fault(out, report, limit);
    else
        fputs(" \"sites\": []}\n", out);
}

static void put_suppressed(FILE *out, const struct checked *checked)
{
    const struct leak_sum *suppressed = &checked->side[NEW].leaks.suppressed;
    if (checked->suppressions)
        fprintf(out, " \"suppressed\": {\"bytes\": %" PRIu64 ", \"blocks\": %" PRIu64 "},\n",
                suppressed->bytes, suppressed->blocks);
    else
        fputs(" \"suppressed\": null,\n", out);
}

void checked_json(FILE *out, const struct checked_report *report)
{
    const struct limits *limits = report->limits;
    json_head(out, &report->side[NEW]);
    if (report->side[OLD].trace) {
        fprintf(out, " \"tolerance_percent\": %u.%03u,\n \"baseline\": ", limits->tolerance / 1000,
                limits->tolerance % 1000);
        json_side(out, &report->side[OLD]);
    } else {
        fputs(" \"tolerance_percent\": null,\n \"baseline\": null,\n", out);
    }
    put_suppressed(out, report->checked);
    fprintf(out, " \"ok\": %s,\n \"limits\": [", report->fine ? "true" : "false");
    for (size_t i = 0; i < limits->count; i++) {
        fputs(i ? "," : "", out);
        put_limit(out, report, &limits->all[i]);
    }
    fputs("]}\n", out);
}
