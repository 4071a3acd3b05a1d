// SPDX-License-Identifier: MIT
#include "output/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/source_file.h"
#include "output/cells.h"
#include "output/json.h"
#include "output/names.h"
#include "output/utf8.h"

#define CONTEXT 3 /* lines shown before and behind one that allocates */
#define TAB     8
#define LONGEST 400 /* columns of a line where there is no terminal to fit */
#define LEAST   20  /* of a line where there is */

/* --- both ---------------------------------------------------------------------------------------------- */

static bool read_file(const struct source *source, const struct annotated_file *file,
                      struct source_file *found, struct failure *why)
{
    struct source_places places = {.directories = source->directories,
                                   .directory_count = source->directory_count,
                                   .compiled = symbols_directory(source->report->symbols, &file->frame),
                                   .cwd = source->report->trace->cwd};
    return source_file_read(found, file->frame.file, &places, why);
}

/* Whether a source file was written after the code was made of it. */
static bool is_newer(const struct source *source, const struct annotated_file *file,
                     const struct source_file *found)
{
    const struct trace *trace = source->report->trace;
    for (uint32_t i = 1; file->frame.module && i < trace->header.module_count; i++)
        if (trace->module_paths[i] && strcmp(trace->module_paths[i], file->frame.module) == 0)
            return trace->modules[i].file_mtime_ns &&
                   found->mtime_ns > (int64_t)trace->modules[i].file_mtime_ns;
    return false;
}

/* --- for a person -------------------------------------------------------------------------------------- */

struct margin {
    const struct text *text;
    const struct source *source;
    struct cell_widths widths;
    int number; /* width of the line numbers */
};

static struct margin measure(const struct text *text, const struct source *source,
                             const struct annotated_file *file, size_t lines)
{
    struct margin margin = {.text = text, .source = source};
    for (size_t i = 0; i < file->line_count; i++) {
        struct cells cells;
        cells_fill(&cells, source->report, &file->lines[i].figures);
        cells_widen(&margin.widths, &cells);
    }
    size_t last = (size_t)file->lines[file->line_count - 1].number;
    size_t end = last > lines ? last : lines;
    if (!source->all && last + CONTEXT < end)
        end = last + CONTEXT;
    margin.number = snprintf(NULL, 0, "%zu", end);
    return margin;
}

/* Tabs as blanks; to be freed. */
static char *expand(const char *line)
{
    size_t tabs = 0, column = 0;
    for (const char *at = line; *at; at++)
        tabs += *at == '\t';
    char *wide = memory_get(strlen(line) + tabs * TAB + 1, 1);
    for (; *line; line++)
        if (*line == '\t')
            do
                wide[column++] = ' ';
            while (column % TAB);
        else
            wide[column++] = *line;
    return wide;
}

static void put_text(const struct text *text, const char *line, int indent)
{
    int room = text->terminal.columns - indent;
    size_t columns = !text->terminal.columns ? LONGEST : room > LEAST ? (size_t)room : LEAST;
    char *wide = expand(line), *harmless = utf8_escape(wide, text->terminal.wide);
    char *clipped = utf8_clip(harmless, columns, text->terminal.wide, false);
    if (*clipped)
        fprintf(text->out, "  %s", clipped);
    free(wide);
    free(harmless);
    free(clipped);
}

/* `line` is null if it is not known. */
static void put_line(const struct margin *margin, size_t number, const struct annotated_line *annotated,
                     const char *line)
{
    const struct text *text = margin->text;
    int columns = cells_columns(&margin->widths);
    if (annotated) {
        struct cells cells;
        cells_fill(&cells, margin->source->report, &annotated->figures);
        cells_put(text, &cells, &margin->widths);
    } else {
        fprintf(text->out, "%*s", columns, "");
        text_style(text, TEXT_FAINT);
    }
    fprintf(text->out, "%*zu", margin->number, number);
    if (line)
        put_text(text, line, columns + margin->number + 2);
    text_style(text, TEXT_PLAIN);
    fputc('\n', text->out);
}

static void put_gap(const struct margin *margin)
{
    const struct text *text = margin->text;
    const char *dots = text->terminal.wide ? "\u22ee" : ":";
    text_style(text, TEXT_FAINT);
    fprintf(text->out, "%*s%s", cells_columns(&margin->widths) + margin->number - 1, "", dots);
    text_style(text, TEXT_PLAIN);
    fputc('\n', text->out);
}

static bool is_near(const struct annotated_line *line, size_t number)
{
    return number + CONTEXT >= (size_t)line->number && number <= (size_t)line->number + CONTEXT;
}

static void put_lines(const struct margin *margin, const struct annotated_file *file,
                      const struct source_file *found)
{
    size_t next = 0, last = 0; /* the first line to come that allocates; the last that was written */
    for (size_t number = 1; number <= found->line_count; number++) {
        bool here = next < file->line_count && (size_t)file->lines[next].number == number;
        bool near = (next < file->line_count && is_near(&file->lines[next], number)) ||
                    (next && is_near(&file->lines[next - 1], number));
        if (margin->source->all || near) {
            if (last && last + 1 < number)
                put_gap(margin);
            put_line(margin, number, here ? &file->lines[next] : NULL, found->lines[number - 1]);
            last = number;
        }
        next += here;
    }
    for (; next < file->line_count; next++)
        put_line(margin, (size_t)file->lines[next].number, &file->lines[next],
                 found->line_count ? "(behind the end of the file)" : NULL);
}

static void put_note(const struct text *text, const char *format, const char *name)
{
    char *harmless = utf8_escape(name, text->terminal.wide);
    text_style(text, TEXT_WARN);
    fprintf(text->out, format, harmless);
    text_style(text, TEXT_PLAIN);
    fputc('\n', text->out);
    free(harmless);
}

static void put_name(const struct text *text, const struct source *source, const char *path)
{
    char *name = names_path(path, source->report->trace->cwd);
    char *harmless = utf8_escape(name, text->terminal.wide);
    text_style(text, TEXT_STRONG);
    fputs(harmless, text->out);
    text_style(text, TEXT_PLAIN);
    fprintf(text->out, ", lines %s%s\n", cells_title(source->report),
            source->report->view->cumulative ? ", callees included" : "");
    free(name);
    free(harmless);
}

static void put_file(const struct text *text, const struct source *source, const struct annotated_file *file)
{
    struct source_file found;
    struct failure why;
    put_name(text, source, file->frame.file);
    if (!read_file(source, file, &found, &why))
        put_note(text, "%s", why.text);
    else if (is_newer(source, file, &found))
        put_note(text, "it is newer than %s: lines may have moved", file->frame.module);
    struct margin margin = measure(text, source, file, found.line_count);
    put_lines(&margin, file, &found);
    source_file_free(&found);
}

void source_text(FILE *out, const struct source *source)
{
    const struct annotation *annotation = source->annotation;
    struct text text = {out, terminal_of(out), source->report};
    size_t written = 0;
    text_head(&text);
    for (size_t i = 0; i < annotation->file_count; i++) {
        if (!annotation->files[i].line_count)
            continue;
        if (written++)
            fputc('\n', out);
        put_file(&text, source, &annotation->files[i]);
    }
    if (!written)
        fputs("no line is that large\n", out);
}

/* --- for a program ------------------------------------------------------------------------------------- */

static void put_json_line(FILE *out, const struct annotated_line *line, const struct source_file *found)
{
    size_t index = (size_t)line->number - 1;
    fprintf(out, "{\"line\": %d, ", line->number);
    json_figures(out, &line->figures);
    fputs(", \"text\": ", out);
    json_string(out, index < found->line_count ? found->lines[index] : NULL);
    fputs("}", out);
}

static void put_json_file(FILE *out, const struct source *source, const struct annotated_file *file)
{
    struct source_file found;
    struct failure why;
    bool known = read_file(source, file, &found, &why);
    fputs("{\"file\": ", out);
    json_string(out, file->frame.file);
    fputs(", \"module\": ", out);
    json_string(out, file->frame.module);
    fputs(", \"source\": ", out);
    json_string(out, found.path);
    fprintf(out, ", \"newer\": %s, ", known && is_newer(source, file, &found) ? "true" : "false");
    json_figures(out, &file->figures);
    fputs(",\n   \"lines\": [", out);
    for (size_t i = 0; i < file->line_count; i++) {
        fputs(i ? ",\n    " : "\n    ", out);
        put_json_line(out, &file->lines[i], &found);
    }
    fputs("]}", out);
    source_file_free(&found);
}

void source_json(FILE *out, const struct source *source)
{
    json_head(out, source->report);
    fputs(" \"files\": [", out);
    for (size_t i = 0; i < source->annotation->file_count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        put_json_file(out, source, &source->annotation->files[i]);
    }
    fputs("]}\n", out);
}
