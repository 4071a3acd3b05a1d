// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* qsort_r */
#include "model/annotation.h"

#include <stdlib.h>

#include "model/sums.h"

struct making {
    struct annotation *annotation;
    struct scope *scope;
    struct groups files;
    struct sums of_lines; /* by number of the line in the scope's groups */
    struct sums of_files, of_all;
    struct source_frame *frames; /* one by number of the file */
    size_t frame_count, frame_capacity;
};

/* --- adding up ----------------------------------------------------------------------------------------- */

static uint32_t number_of_file(struct making *making, const struct source_frame *frame)
{
    uint32_t number = groups_number(&making->files, frame);
    while (making->frame_count <= number) {
        making->frames = memory_grow(making->frames, making->frame_count, &making->frame_capacity,
                                     sizeof(*making->frames));
        making->frames[making->frame_count++] = *frame;
    }
    return number;
}

static void add_frame(struct making *making, const struct scope_frame *frame, uint32_t site)
{
    const struct figures *figures = &making->scope->trace->sites[site].figures;
    if (!frame->source.file || !frame->source.line) {
        making->annotation->without_lines = frame->source.module;
        return;
    }
    sums_add(&making->of_lines, scope_group(making->scope, frame), site, figures);
    sums_add(&making->of_files, number_of_file(making, &frame->source), site, figures);
    sums_add(&making->of_all, 0, site, figures);
}

static void add_site(struct making *making, uint32_t site)
{
    if (!making->scope->view->cumulative) {
        const struct scope_frame *origin = scope_origin(making->scope, site);
        if (origin->marked)
            add_frame(making, origin, site);
        return;
    }
    struct scope_stack stack = scope_stack(making->scope, site);
    for (size_t i = stack.origin; i < stack.count; i++)
        if (stack.frames[i]->marked)
            add_frame(making, stack.frames[i], site);
}

static bool calls_something(struct scope *scope, uint32_t site)
{
    struct scope_stack stack = scope_stack(scope, site);
    for (size_t i = stack.origin + 1; i < stack.count; i++)
        if (stack.frames[i]->marked)
            return true;
    return false;
}

static bool wanted(struct scope *scope, uint32_t site)
{
    return metric_of(&scope->trace->sites[site].figures, scope->view->metric) && scope_has(scope, site);
}

static void add_sites(struct making *making)
{
    struct scope *scope = making->scope;
    uint32_t count = scope->trace->header.site_count;
    for (uint32_t i = 1; i < count; i++)
        if (wanted(scope, i))
            add_site(making, i);
    if (making->of_all.count || making->annotation->without_lines)
        return;
    for (uint32_t i = 1; i < count && !making->annotation->only_callers; i++)
        making->annotation->only_callers = wanted(scope, i) && calls_something(scope, i);
}

/* --- files and lines ----------------------------------------------------------------------------------- */

static int by_rank(const void *a, const void *b, void *context)
{
    const struct annotated_file *x = a, *y = b;
    enum metric metric = *(const enum metric *)context;
    uint64_t mine = metric_of(&x->figures, metric), theirs = metric_of(&y->figures, metric);
    return mine > theirs ? -1 : mine < theirs;
}

static int by_number(const void *a, const void *b)
{
    const struct annotated_line *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void make_files(struct making *making)
{
    struct annotation *annotation = making->annotation;
    annotation->files = memory_get(making->of_files.count, sizeof(*annotation->files));
    for (uint32_t i = 1; i < making->of_files.count; i++)
        annotation->files[annotation->file_count++] =
            (struct annotated_file){.frame = making->frames[i], .figures = making->of_files.all[i].figures};
}

static bool shows(const struct making *making, uint32_t line)
{
    const struct sum *sum = &making->of_lines.all[line];
    return sum->last && view_shows(making->scope->view, &sum->figures);
}

static void add_line(struct making *making, uint32_t line)
{
    const struct source_frame *frame = groups_frame(&making->scope->groups, line);
    struct annotated_file *file = &making->annotation->files[number_of_file(making, frame) - 1];
    file->lines[file->line_count++] =
        (struct annotated_line){frame->line, making->of_lines.all[line].figures};
}

/* First how many each file has. */
static void make_lines(struct making *making)
{
    struct annotated_file *files = making->annotation->files;
    size_t *counts = memory_get(making->annotation->file_count, sizeof(*counts));
    for (uint32_t i = 1; i < making->of_lines.count; i++)
        if (shows(making, i))
            counts[number_of_file(making, groups_frame(&making->scope->groups, i)) - 1]++;
    for (size_t i = 0; i < making->annotation->file_count; i++)
        files[i].lines = memory_get(counts[i], sizeof(*files[i].lines));
    for (uint32_t i = 1; i < making->of_lines.count; i++)
        if (shows(making, i))
            add_line(making, i);
    for (size_t i = 0; i < making->annotation->file_count; i++)
        qsort(files[i].lines, files[i].line_count, sizeof(*files[i].lines), by_number);
    free(counts);
}

void annotation_make(struct annotation *annotation, struct scope *scope)
{
    struct making making = {.annotation = annotation, .scope = scope};
    enum metric metric = scope->view->metric;
    *annotation = (struct annotation){0};
    groups_start(&making.files, BY_FILE);
    add_sites(&making);
    make_files(&making);
    make_lines(&making);
    if (making.of_all.count)
        annotation->figures = making.of_all.all[0].figures;
    qsort_r(annotation->files, annotation->file_count, sizeof(*annotation->files), by_rank, &metric);
    groups_free(&making.files);
    sums_free(&making.of_lines);
    sums_free(&making.of_files);
    sums_free(&making.of_all);
    free(making.frames);
}

void annotation_free(struct annotation *annotation)
{
    for (size_t i = 0; i < annotation->file_count; i++)
        free(annotation->files[i].lines);
    free(annotation->files);
    *annotation = (struct annotation){0};
}
