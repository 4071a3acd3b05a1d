// SPDX-License-Identifier: MIT
#include "output/tree.h"

#include <stdlib.h>
#include <string.h>

#include "output/cells.h"
#include "output/json.h"
#include "output/utf8.h"

/* --- for a person -------------------------------------------------------------------------------------- */

/* What the lines of a tree are drawn with; each takes the same number of columns. */
#define BRANCH_COLUMNS 3
#define CHAIN_COLUMNS  2

static const struct strokes {
    const char *branch, *last, *bar, *blank;
    const char *callee, *caller; /* the only one of the line above */
} strokes_of[2] = {
    {"|- ", "`- ", "|  ", "   ", "> ", "< "},
    {"\u251c\u2500 ", "\u2514\u2500 ", "\u2502  ", "   ", "\u2192 ", "\u2190 "},
};

struct drawing {
    struct text text;
    const struct call_tree *call_tree;
    const struct strokes *strokes;
    struct cell_widths widths;
    uint32_t *levels; /* of each node: how many branches it is away from its root */
    bool *bars;       /* by level: more follows below */
};

static const struct tree_node *node_at(const struct drawing *drawing, uint32_t node)
{
    return &drawing->call_tree->tree->nodes[node];
}

/* The only child that is shown goes on at the same level. */
static bool is_chain(const struct drawing *drawing, uint32_t node)
{
    uint32_t parent = node_at(drawing, node)->parent;
    return parent && node_at(drawing, parent)->children == 1;
}

static bool is_last(const struct tree_node *node, const struct tree_node *parent)
{
    return !node->next && !parent->folded;
}

static void put_figures(const struct drawing *drawing, const struct figures *figures)
{
    struct cells cells;
    cells_fill(&cells, drawing->call_tree->report, figures);
    cells_put(&drawing->text, &cells, &drawing->widths);
}

static int put_bars(const struct drawing *drawing, uint32_t levels)
{
    text_style(&drawing->text, TEXT_FAINT);
    for (uint32_t i = 0; i < levels; i++)
        fputs(drawing->bars[i] ? drawing->strokes->bar : drawing->strokes->blank, drawing->text.out);
    return (int)levels * BRANCH_COLUMNS;
}

/* Everything of a line up to the node's name; returns its columns. */
static int put_lead(const struct drawing *drawing, uint32_t number)
{
    const struct tree_node *node = node_at(drawing, number), *parent = node_at(drawing, node->parent);
    const struct strokes *strokes = drawing->strokes;
    uint32_t level = drawing->levels[number];
    bool chain = is_chain(drawing, number);
    int columns = cells_columns(&drawing->widths);
    if (chain && !parent->folded)
        fprintf(drawing->text.out, "%*s", columns, "");
    else
        put_figures(drawing, &node->figures);
    if (chain) {
        columns += put_bars(drawing, level) + CHAIN_COLUMNS;
        fputs(drawing->call_tree->inverted ? strokes->caller : strokes->callee, drawing->text.out);
    } else if (level) {
        columns += put_bars(drawing, level - 1) + BRANCH_COLUMNS;
        fputs(is_last(node, parent) ? strokes->last : strokes->branch, drawing->text.out);
    }
    text_style(&drawing->text, TEXT_PLAIN);
    return columns;
}

static void put_node(const struct drawing *drawing, uint32_t number)
{
    const struct tree_node *node = node_at(drawing, number);
    const char *mark = node->recursive ? "  (recursive)" : "";
    int columns = put_lead(drawing, number) + (int)strlen(mark);
    if (node->frame)
        text_place(&drawing->text, node->frame, columns, !is_chain(drawing, number));
    else
        fputs(drawing->call_tree->inverted ? "(no caller)" : "(itself)", drawing->text.out);
    fprintf(drawing->text.out, "%s\n", mark);
}

/* One line for all children that are not shown. */
static void put_folded(const struct drawing *drawing, uint32_t number)
{
    const struct tree_node *node = node_at(drawing, number);
    const struct view *view = drawing->call_tree->report->view;
    bool chain = number && node->children == 1;
    uint32_t level = number ? drawing->levels[number] : 0;
    char count[UNITS_SIZE];
    put_figures(drawing, &node->rest);
    put_bars(drawing, level);
    fputs(chain ? drawing->strokes->blank : number ? drawing->strokes->last : "", drawing->text.out);
    fprintf(drawing->text.out, "(%s more", units_count(node->folded, count));
    if (view->min_bytes || view->min_blocks)
        fputs(", smaller)", drawing->text.out);
    else
        fprintf(drawing->text.out, " below %g %%%s)", drawing->call_tree->percent,
                view_selects(view) ? " of the selection" : "");
    text_style(&drawing->text, TEXT_PLAIN);
    fputc('\n', drawing->text.out);
}

/* Notes the node's level, and what will stand below it. */
static void enter(struct drawing *drawing, uint32_t number)
{
    const struct tree_node *node = node_at(drawing, number);
    uint32_t level = 0;
    if (node->parent)
        level = drawing->levels[node->parent] + !is_chain(drawing, number);
    drawing->levels[number] = level;
    if (level && !is_chain(drawing, number))
        drawing->bars[level - 1] = !is_last(node, node_at(drawing, node->parent));
}

/* Behind the last of a node's children, and behind that of its parent if that was the last, too. */
static void leave(const struct drawing *drawing, uint32_t number)
{
    for (; number; number = node_at(drawing, number)->parent) {
        const struct tree_node *node = node_at(drawing, number);
        if (node->folded && node->children != 1)
            put_folded(drawing, number);
        if (node->next)
            return;
    }
    if (node_at(drawing, 0)->folded)
        put_folded(drawing, 0);
}

static void put_nodes(struct drawing *drawing)
{
    const struct tree *tree = drawing->call_tree->tree;
    for (uint32_t node = tree_following(tree, 0); node; node = tree_following(tree, node)) {
        enter(drawing, node);
        put_node(drawing, node);
        if (tree->nodes[node].folded && tree->nodes[node].children == 1)
            put_folded(drawing, node);
        if (!tree->nodes[node].child)
            leave(drawing, node);
    }
    if (tree->count == 1)
        leave(drawing, 0);
}

static void measure(struct drawing *drawing)
{
    const struct tree *tree = drawing->call_tree->tree;
    for (size_t i = 0; i < tree->count; i++) {
        struct cells cells;
        cells_fill(&cells, drawing->call_tree->report, &tree->nodes[i].figures);
        if (i)
            cells_widen(&drawing->widths, &cells);
        cells_fill(&cells, drawing->call_tree->report, &tree->nodes[i].rest);
        if (tree->nodes[i].folded)
            cells_widen(&drawing->widths, &cells);
    }
}

void tree_text(FILE *out, const struct call_tree *call_tree)
{
    const struct report *report = call_tree->report;
    const struct tree *tree = call_tree->tree;
    struct drawing drawing = {.text = {out, terminal_of(out), report}, .call_tree = call_tree};
    text_head(&drawing.text);
    if (tree->count == 1 && !tree->nodes[0].folded) {
        if (report->selection.sites || !view_selects(report->view))
            fprintf(out, "nothing to rank %s\n", cells_title(report));
        return;
    }
    drawing.strokes = &strokes_of[drawing.text.terminal.wide];
    drawing.levels = memory_get(tree->count, sizeof(*drawing.levels));
    drawing.bars = memory_get(tree->count, sizeof(*drawing.bars));
    measure(&drawing);
    fprintf(out, "%s, %s\n", call_tree->inverted ? "callees and their callers" : "callers and their callees",
            cells_title(report));
    put_nodes(&drawing);
    free(drawing.levels);
    free(drawing.bars);
}

/* --- for a program ------------------------------------------------------------------------------------- */

static void put_number(FILE *out, const char *name, uint32_t number)
{
    if (number)
        fprintf(out, ", \"%s\": %u", name, number - 1);
    else
        fprintf(out, ", \"%s\": null", name);
}

static void put_json_node(FILE *out, const struct tree_node *node, uint32_t parent)
{
    fputs("{", out);
    json_figures(out, &node->figures);
    put_number(out, "parent", parent);
    fprintf(out, ", \"recursive\": %s,\n   \"frame\": ", node->recursive ? "true" : "false");
    if (node->frame)
        json_frame(out, node->frame);
    else
        fputs("null", out);
    fprintf(out, ",\n   \"folded\": {\"nodes\": %u, ", node->folded);
    json_figures(out, &node->rest);
    fputs("}}", out);
}

void tree_json(FILE *out, const struct call_tree *call_tree)
{
    const struct tree *tree = call_tree->tree;
    uint32_t *places = memory_get(tree->count, sizeof(*places)), count = 0; /* in the list, from 1 on */
    json_head(out, call_tree->report);
    fprintf(out, " \"inverted\": %s, \"threshold_percent\": %g,\n \"nodes\": [",
            call_tree->inverted ? "true" : "false", call_tree->percent);
    for (uint32_t node = tree_following(tree, 0); node; node = tree_following(tree, node)) {
        places[node] = ++count;
        fputs(count > 1 ? ",\n  " : "\n  ", out);
        put_json_node(out, &tree->nodes[node], places[tree->nodes[node].parent]);
    }
    fprintf(out, "],\n \"folded\": {\"nodes\": %u, ", tree->nodes[0].folded);
    json_figures(out, &tree->nodes[0].rest);
    fputs("}}\n", out);
    free(places);
}
