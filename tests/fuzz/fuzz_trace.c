// SPDX-License-Identifier: MIT
/* Any bytes as a trace: all that can be written of it, which must be harmless. */
#define _GNU_SOURCE 1 /* open_memstream */
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "model/ending.h"
#include "model/merge.h"
#include "model/ranking.h"
#include "model/truncation.h"
#include "model/watch.h"
#include "output/checked.h"
#include "output/difference.h"
#include "output/dump.h"
#include "output/html.h"
#include "output/json.h"
#include "output/leaks.h"
#include "output/message.h"
#include "output/source.h"
#include "output/text.h"
#include "output/tree.h"
#include "tests/unit/output_check.h"

#define ROWS      8
#define SNAPSHOTS 3

/* What differs from input to input. */
struct variation {
    bool wide;
    int columns;
    enum grouping by;
    enum metric metric;
    bool cumulative, hide, from, filter, domain, inverted;
};

static struct variation vary(const uint8_t *data, size_t size)
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    return (struct variation){.wide = sum & 1,
                              .columns = sum & 2 ? 40 + (int)(sum >> 2 & 63) : 0,
                              .by = (enum grouping)(sum / 4 % GROUPINGS),
                              .metric = (enum metric)(sum / 16 % METRICS),
                              .cumulative = sum & 128,
                              .hide = sum & 256,
                              .from = sum & 512,
                              .filter = sum & 1024,
                              .inverted = sum & 2048,
                              .domain = sum & 4096};
}

/* setlocale would read files each time. */
static void use_locale(bool wide)
{
    static locale_t locales[2];
    if (!locales[wide])
        locales[wide] = newlocale(LC_ALL_MASK, wide ? "C.UTF-8" : "C", NULL);
    uselocale(locales[wide]);
}

/* --- output that is checked when it is complete --------------------------------------------------------- */

static char *written;
static size_t written_size;

static FILE *output(void)
{
    FILE *out = open_memstream(&written, &written_size);
    if (!out)
        fuzz_check("no memory for the output");
    return out;
}

static void check_text(FILE *out, const struct variation *variation)
{
    fclose(out);
    fuzz_check(strlen(written) == written_size ? wrong_in_text(written, variation->wide) : "text: a zero");
    free(written);
}

static void check_json(FILE *out)
{
    fclose(out);
    fuzz_check(strlen(written) == written_size ? wrong_in_json(written) : "JSON: a zero");
    free(written);
}

/* --- what there is -------------------------------------------------------------------------------------- */

static void try_info(const char *path, const struct variation *variation)
{
    struct layout layout;
    struct failure why;
    if (!layout_open(&layout, path, &why))
        return;
    struct dump dump = {output(), &layout, variation->wide};
    dump_header(&dump);
    dump_summary(&dump);
    dump_modules(&dump);
    dump_sections(&dump);
    for (uint32_t type = 1; type < FIELDS_TYPES; type++)
        dump_records(&dump, type);
    layout_close(&layout);
    check_text(dump.out, variation);
}

static void try_what_was_when(const char *path, const struct trace *trace, const struct variation *variation)
{
    struct layout layout;
    struct failure why;
    if (!layout_open(&layout, path, &why))
        return;
    struct dump dump = {output(), &layout, variation->wide};
    dump_timeline(&dump, trace);
    dump_snapshots(&dump, trace);
    layout_close(&layout);
    check_text(dump.out, variation);
}

static void try_messages(const struct report *report, const struct variation *variation)
{
    FILE *usual = stderr;
    stderr = output();
    message_modules(report->trace, report->symbols);
    FILE *out = stderr;
    stderr = usual;
    check_text(out, variation);
}

static void try_text(const struct report *report, const struct variation *variation)
{
    struct text text = {output(), {.wide = variation->wide, .columns = variation->columns}, report};
    text_head(&text);
    text_hint(&text, text_table(&text));
    if (report->view->by == BY_SITE)
        text_summary(text.out, report);
    check_text(text.out, variation);
}

static void add(struct patterns *patterns, bool wanted, const char *text)
{
    struct failure why;
    if (wanted && !patterns_add(patterns, text, PATTERN_ANY, &why))
        fuzz_check(why.text);
}

static struct view view_of(enum grouping by, const struct variation *variation)
{
    struct view view = {
        .by = by, .metric = variation->metric, .cumulative = variation->cumulative && by != BY_SITE};
    add(&view.hide, variation->hide, "*a*");
    add(&view.from, variation->from, "?*");
    add(&view.filter, variation->filter, "*[!a]");
    add(&view.marked, true, "*");
    for (uint32_t i = 0; variation->domain && i < 3; i++)
        domains_add(&view.domains, (struct domain){i ? DOMAIN_OWN : DOMAIN_MMAP, i});
    return view;
}

static void try_tree(const struct report *report, const struct variation *variation)
{
    struct tree tree;
    struct failure why;
    if (!tree_make(&tree, report->scope, variation->inverted, 0, &why))
        return;
    struct call_tree call_tree = {report, &tree, variation->inverted, 0};
    FILE *out = output();
    tree_json(out, &call_tree);
    check_json(out);
    out = output();
    tree_text(out, &call_tree);
    check_text(out, variation);
    tree_free(&tree);
}

static void try_source(const struct report *report, const struct variation *variation)
{
    struct annotation annotation;
    annotation_make(&annotation, report->scope);
    struct source source = {.report = report, .annotation = &annotation};
    FILE *out = output();
    source_json(out, &source);
    check_json(out);
    out = output();
    source_text(out, &source);
    check_text(out, variation);
    annotation_free(&annotation);
}

/* `processes`: whose sum the trace is, or null. */
static void try_report(const struct trace *trace, const struct processes *processes, enum grouping by,
                       const struct variation *variation)
{
    struct symbols *symbols = symbols_open(trace);
    struct rows rows;
    struct view view = view_of(by, variation);
    struct scope scope;
    scope_open(&scope, &view, trace, symbols);
    rows_make(&rows, &scope);
    struct report report = {.file = trace->cwd,
                            .trace = trace,
                            .symbols = symbols,
                            .process = processes ? processes_together(processes) : process_of(trace),
                            .processes = processes,
                            .view = &view,
                            .scope = &scope,
                            .selection = scope_select(&scope),
                            .rows = &rows,
                            .limit = ROWS};
    FILE *out = output();
    json_report(out, &report);
    check_json(out);
    try_text(&report, variation);
    report.full = true;
    try_text(&report, variation);
    try_messages(&report, variation);
    if (by != BY_SITE)
        try_tree(&report, variation);
    if (by == BY_LINE)
        try_source(&report, variation);
    rows_free(&rows);
    scope_close(&scope);
    view_free(&view);
    symbols_close(symbols);
}

/* The page's data: of all moments, with nearly all that is in them left out, or nothing. */
static void try_page(struct trace *trace, const struct variation *variation)
{
    struct symbols *symbols = symbols_open(trace);
    struct view view = view_of(BY_SITE, variation);
    struct scope scope;
    scope_open(&scope, &view, trace, symbols);
    struct html_trace of = {.file = trace->cwd ? trace->cwd : "",
                            .trace = trace,
                            .process = process_of(trace),
                            .selection = scope_select(&scope)};
    struct html_page page = {
        .traces = &of, .trace_count = 1, .view = &view, .metric = view.metric, .base = HTML_NO_BASE};
    struct calltree tree;
    struct pruning pruning;
    struct pruned pruned;
    struct failure why;
    calltree_open(&tree);
    uint32_t *nodes = calltree_add(&tree, &scope);
    struct moment *moments = moments_of(trace, nodes, SNAPSHOTS, NULL, 0, &page.moment_count);
    struct figures *figures = calltree_figures(&tree, trace, nodes);
    pruning_open(&pruning, &tree);
    pruning_consider(&pruning, &tree, figures);
    pruning_apply(&pruning, &tree, variation->columns ? 0.5 : 0, ROWS, &pruned);
    page.moments = moments;
    page.tree = &tree;
    page.pruned = &pruned;
    FILE *out = output();
    bool whole = html_data(out, &page, &why);
    fclose(out);
    fuzz_check(whole ? wrong_in_page(written) : NULL);
    free(written);
    free(figures);
    pruned_free(&pruned);
    pruning_close(&pruning);
    free(moments);
    free(nodes);
    calltree_close(&tree);
    scope_close(&scope);
    view_free(&view);
    symbols_close(symbols);
}

static void try_leaks(const struct trace *trace, const struct variation *variation)
{
    struct symbols *symbols = symbols_open(trace);
    struct view view = {.metric = METRIC_CURRENT};
    struct suppressions suppressions;
    struct scope scope;
    struct leaks leaks;
    suppressions_start(&suppressions, true);
    scope_open(&scope, &view, trace, symbols);
    leaks_find(&leaks, &scope, &suppressions);
    struct leaks_report report = {.report = {.file = trace->cwd,
                                             .trace = trace,
                                             .symbols = symbols,
                                             .process = process_of(trace),
                                             .view = &view,
                                             .scope = &scope,
                                             .selection = scope_select(&scope),
                                             .rows = &leaks.rows,
                                             .limit = ROWS,
                                             .full = variation->columns},
                                  .leaks = &leaks,
                                  .suppressions = &suppressions};
    FILE *out = output();
    leaks_json(out, &report);
    check_json(out);
    out = output();
    leaks_text(out, &report);
    check_text(out, variation);
    leaks_free(&leaks);
    scope_close(&scope);
    symbols_close(symbols);
    suppressions_free(&suppressions);
}

static void write_difference(const struct difference *difference, const struct trace *const traces[SIDES],
                             struct symbols *const symbols[SIDES], const struct variation *variation)
{
    struct difference_report report = {.difference = difference, .limit = ROWS};
    for (enum side side = OLD; side < SIDES; side++)
        report.side[side] = (struct report){.file = traces[side]->cwd,
                                            .trace = traces[side],
                                            .symbols = symbols[side],
                                            .process = process_of(traces[side]),
                                            .view = difference->view,
                                            .scope = (struct scope *)&difference->scope[side],
                                            .selection = difference->selection[side],
                                            .full = variation->columns};
    FILE *out = output();
    difference_json(out, &report);
    check_json(out);
    out = output();
    difference_text(out, &report);
    check_text(out, variation);
    out = output();
    if (difference->view->by == BY_SITE)
        difference_folded(out, &report);
    check_text(out, variation);
}

/* A copy of which only each second site ever counted anything; its sites are to be freed. */
static struct trace half_of(const struct trace *trace)
{
    struct trace half = *trace;
    half.sites = memory_get(trace->header.site_count, sizeof(*half.sites));
    for (uint32_t i = 1; i < trace->header.site_count; i++) {
        half.sites[i] = trace->sites[i];
        if (i % 2)
            half.sites[i].figures = (struct figures){0};
    }
    return half;
}

/* A trace does not differ from itself, but from one of half its sites. */
static void try_difference(const struct trace *trace, const struct variation *variation)
{
    struct trace half = half_of(trace);
    struct view view = {.metric = variation->metric, .by = variation->by};
    const struct trace *const pairs[][SIDES] = {{trace, trace}, {&half, trace}, {trace, &half}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct symbols *symbols[SIDES] = {symbols_open(pairs[i][OLD]), symbols_open(pairs[i][NEW])};
        struct translation *translation =
            translation_start(pairs[i][OLD], symbols[OLD], pairs[i][NEW], symbols[NEW]);
        struct difference difference;
        difference_make(&difference, &view, pairs[i], symbols, translation);
        fuzz_check(i || difference.equal ? NULL : "difference: of a trace and itself");
        write_difference(&difference, pairs[i], symbols, variation);
        difference_free(&difference);
        translation_end(translation);
        symbols_close(symbols[OLD]);
        symbols_close(symbols[NEW]);
    }
    free(half.sites);
}

static void write_checked(const struct checked *checked, const struct limits *limits,
                          const struct variation *variation)
{
    struct checked_report report = {.checked = checked, .limits = limits, .limit = ROWS};
    for (enum side side = OLD; side < SIDES; side++) {
        const struct checked_side *from = &checked->side[side];
        if (from->trace)
            report.side[side] = (struct report){.file = from->trace->cwd,
                                                .trace = from->trace,
                                                .symbols = from->symbols,
                                                .process = process_of(from->trace),
                                                .view = checked->view,
                                                .selection = from->selection,
                                                .full = variation->columns};
    }
    FILE *out = output();
    checked_json(out, &report);
    check_json(out);
    out = output();
    checked_text(out, &report);
    check_text(out, variation);
}

/* Against limits that are always exceeded, or against half of itself, or itself: which it cannot exceed. */
static void try_limits(const struct trace *trace, const struct variation *variation)
{
    struct trace half = half_of(trace);
    const struct trace *const baselines[] = {NULL, &half, trace},
                              *baseline = baselines[variation->metric % 3];
    const struct view view = {.metric = METRIC_CURRENT};
    struct suppressions suppressions;
    struct checked checked;
    struct limits limits = {0};
    suppressions_start(&suppressions, true);
    checked_open(&checked, &view, &suppressions, (const struct trace *const[SIDES]){baseline, trace});
    for (enum limited what = 0; what < LIMITED && !baseline; what++)
        limits_add(&limits, what, 0);
    if (baseline)
        limits_add_baseline(&limits, &checked.side[OLD].amounts, 0);
    bool fine = limits_judge(&limits, &checked.side[NEW].amounts);
    fuzz_check(baseline != trace || fine ? NULL : "limits: a trace exceeds itself");
    write_checked(&checked, &limits, variation);
    checked_close(&checked);
    suppressions_free(&suppressions);
    free(half.sites);
}

static void try_tree_of_processes(const struct trace *sum, const struct processes *processes,
                                  const struct variation *variation)
{
    struct report report = {.trace = sum,
                            .process = processes_together(processes),
                            .processes = processes,
                            .files = &processes->all[0].file,
                            .file_count = 1};
    struct text text = {output(), {.wide = variation->wide, .columns = variation->columns}, &report};
    text_processes(&text);
    text_report_command(&text, "");
    fputc('\n', text.out);
    check_text(text.out, variation);
}

/* Twice the same is twice as much. */
static void try_sum(const struct trace *trace, const struct variation *variation)
{
    struct processes processes = {0};
    struct trace sum;
    struct merge *merge = merge_start();
    merge_add(merge, trace);
    merge_add(merge, trace);
    merge_finish(merge, &sum);
    processes_add(&processes, trace->cwd ? trace->cwd : "", trace);
    processes_sort(&processes);
    if (sum.totals.allocated_bytes != 2 * trace->totals.allocated_bytes)
        fuzz_check("twice a trace is not twice as much");
    try_report(&sum, &processes, variation->by, variation);
    try_tree_of_processes(&sum, &processes, variation);
    processes_free(&processes);
    trace_free(&sum);
}

/* --- a file that changes while it is watched ----------------------------------------------------------- */

static void try_ranking(const struct watch *watch, const struct variation *variation, const char *filter)
{
    const struct trace *trace = watch_trace(watch);
    struct symbols *symbols = symbols_open(trace);
    struct view view = view_of(variation->by, variation);
    struct ranking *ranking = ranking_open(trace, symbols, &view);
    struct stack stack = {0};
    size_t count;
    const uint32_t *changed = watch_changed(watch, &count);
    ranking_filter(ranking, filter);
    ranking_update(ranking, changed, count, 1);
    while (ranking_work(ranking, UINT64_MAX / 2))
        ;
    const struct ranked *top = ranking_top(ranking, 10, &count);
    uint64_t sum = 0, whole = metric_of(&ranking_selection(ranking)->figures, view.metric);
    for (size_t i = 0; i < count; i++) {
        sum += metric_of(top[i].figures, view.metric);
        if (top[i].site)
            ranking_stack(ranking, top[i].site, &stack);
    }
    if (!view.cumulative && count < 10)
        fuzz_check(sum == whole ? NULL : "ranking: its rows are not the whole");
    if (!ranking_selects(ranking))
        fuzz_check(whole == metric_of(&trace->totals, view.metric) ? NULL
                                                                   : "ranking: not everything is selected");
    stack_free(&stack);
    view_free(&view);
    ranking_close(ranking);
    symbols_close(symbols);
}

static void put(int fd, const void *bytes, size_t size, size_t at)
{
    if (pwrite(fd, bytes, size, (off_t)at) != (ssize_t)size)
        fuzz_check("no memory for a file");
}

/* Counts that grow without records, words that are others, a file that is cut. */
static void try_watch(const char *path, const struct trace *trace, const uint8_t *data, size_t size,
                      const struct variation *variation)
{
    static const size_t counts[] = {
        offsetof(struct trace_header, site_count), offsetof(struct trace_header, node_count),
        offsetof(struct trace_header, frame_count), offsetof(struct trace_header, module_count),
        offsetof(struct trace_header, used)};
    struct failure why;
    truncation_survive();
    struct watch *watch = watch_open(path, &why);
    if (!watch)
        fuzz_check("a trace that is read cannot be watched");
    if (memcmp(&watch_trace(watch)->totals, &trace->totals, sizeof(trace->totals)) != 0)
        fuzz_check("what is watched is not what is read");
    try_ranking(watch, variation, "");
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t word[8] = {0};
    memcpy(word, data + size / 2, size / 2 < 8 ? size / 2 : 8);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (word[0] >> i & 1)
            put(fd, (uint8_t[]){(uint8_t)(data[counts[i]] + word[i + 1] % 16)}, 1, counts[i]);
    put(fd, word, sizeof(word), size * word[7] / 256);
    watch_update(watch, &why);
    try_ranking(watch, variation, "a");
    if (ftruncate(fd, (off_t)(size / 2)) == 0)
        watch_update(watch, &why);
    put(fd, data, size, 0);
    close(fd);
    watch_close(watch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct variation variation = vary(data, size);
    struct trace trace;
    struct failure why;
    const char *path = fuzz_file(data, size);
    use_locale(variation.wide);
    try_info(path, &variation);
    if (!trace_read(&trace, path, &why))
        return 0;
    try_leaks(&trace, &variation);
    try_difference(&trace, &variation);
    try_limits(&trace, &variation);
    try_report(&trace, NULL, BY_SITE, &variation);
    try_report(&trace, NULL, variation.by, &variation);
    try_sum(&trace, &variation);
    try_what_was_when(path, &trace, &variation);
    try_watch(path, &trace, data, size, &variation);
    try_page(&trace, &variation);
    for (size_t i = 0; i < trace.snapshot_count && i < SNAPSHOTS; i++)
        if (trace_at_snapshot(&trace, i, &why))
            try_report(&trace, NULL, variation.by, &variation);
    ending_note(path, trace.header.pid, TRACE_KILLED, 9, &why);
    trace_free(&trace);
    return 0;
}
