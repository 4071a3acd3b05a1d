// SPDX-License-Identifier: MIT
#include "commands/traces.h"

#include <stdlib.h>
#include <string.h>

#include "commands/options.h"
#include "model/file.h"
#include "model/find.h"
#include "model/merge.h"
#include "model/progress.h"
#include "output/message.h"

static void add(struct traces *traces, char *file)
{
    traces->files = memory_grow(traces->files, traces->count, &traces->capacity, sizeof(char *));
    traces->files[traces->count++] = file;
}

static bool add_all(struct traces *traces, char **found, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(traces, found[i]);
    free(found);
    return count > 0;
}

bool traces_add_directory(struct traces *traces, const char *directory)
{
    size_t count;
    char **found = find_all(directory, &count);
    return add_all(traces, found, count);
}

bool traces_add_run(struct traces *traces, const char *directory, int32_t run_pid, uint64_t since_ns)
{
    size_t count;
    char **found = find_of_run(directory, run_pid, since_ns, &count);
    return add_all(traces, found, count);
}

static bool add_named(struct traces *traces, const char *name)
{
    if (!file_is_directory(name)) {
        add(traces, strdup(name));
        return true;
    }
    traces->several = true;
    if (traces_add_directory(traces, name))
        return true;
    message("%s: no trace in this directory", name);
    return false;
}

bool traces_find(struct traces *traces, char **named, size_t count)
{
    bool fine = true;
    *traces = (struct traces){.several = count > 1};
    if (!count) {
        char *file = options_trace(NULL);
        if (file)
            add(traces, file);
        return file != NULL;
    }
    for (size_t i = 0; i < count; i++)
        fine &= add_named(traces, named[i]);
    if (!fine)
        traces_free(traces);
    return fine;
}

void traces_free(struct traces *traces)
{
    for (size_t i = 0; i < traces->count; i++)
        free(traces->files[i]);
    free(traces->files);
    *traces = (struct traces){0};
}

bool traces_sum(const struct traces *traces, struct trace *sum, struct processes *processes)
{
    struct merge *merge = merge_start();
    struct progress progress;
    struct trace trace;
    bool fine = true;
    *processes = (struct processes){0};
    progress_begin(&progress, "reading traces");
    for (size_t i = 0; i < traces->count; i++) {
        progress_at(i, traces->count);
        if (!options_open(&trace, traces->files[i])) {
            fine = false;
            continue;
        }
        if (processes_add(processes, traces->files[i], &trace))
            merge_add(merge, &trace);
        trace_free(&trace);
    }
    progress_end(&progress);
    processes_sort(processes);
    merge_finish(merge, sum);
    return fine;
}
