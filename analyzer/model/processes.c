// SPDX-License-Identifier: MIT
#include "model/processes.h"

#include <stdlib.h>
#include <string.h>

#include "model/failure.h"

static char *copy(const char *string)
{
    if (!string)
        return NULL;
    size_t size = strlen(string) + 1;
    return memcpy(memory_get(1, size), string, size);
}

bool processes_add(struct processes *processes, const char *file, const struct trace *trace)
{
    for (size_t i = 0; i < processes->count; i++)
        if (processes->all[i].device == trace->device && processes->all[i].inode == trace->inode)
            return false;
    processes->all =
        memory_grow(processes->all, processes->count, &processes->capacity, sizeof(*processes->all));
    struct one_process *one = &processes->all[processes->count++];
    *one = (struct one_process){
        .file = copy(file),
        .command = memory_get(trace->command_count, sizeof(char *)),
        .command_count = trace->command_count,
        .exe = copy(trace->exe),
        .pid = trace->header.pid,
        .process_start = trace->header.process_start,
        .started_realtime_ns = trace->header.started_realtime_ns,
        .process = process_of(trace),
        .totals = trace->totals,
        .device = trace->device,
        .inode = trace->inode,
    };
    for (size_t i = 0; i < trace->command_count; i++)
        one->command[i] = copy(trace->command[i]);
    return true;
}

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_process(const void *a, const void *b)
{
    const struct one_process *x = a, *y = b;
    int order = compare((uint64_t)x->pid, (uint64_t)y->pid);
    if (!order)
        order = compare(x->process_start, y->process_start);
    return order ? order : compare(x->started_realtime_ns, y->started_realtime_ns);
}

static int by_peak(const void *a, const void *b)
{
    const struct one_process *x = a, *y = b;
    int order = compare(y->totals.peak_bytes, x->totals.peak_bytes);
    if (!order)
        order = compare(x->started_realtime_ns, y->started_realtime_ns);
    return order ? order : by_process(a, b);
}

void processes_sort(struct processes *processes)
{
    struct one_process *all = processes->all;
    if (!processes->count)
        return;
    qsort(all, processes->count, sizeof(*all), by_process);
    for (size_t i = 0; i + 1 < processes->count; i++)
        all[i].replaced = all[i].process.end == PROCESS_ENDED && all[i].pid == all[i + 1].pid &&
                          all[i].process_start == all[i + 1].process_start;
    qsort(all, processes->count, sizeof(*all), by_peak);
}

struct process processes_together(const struct processes *processes)
{
    struct process together = {.end = PROCESS_ENDED};
    uint64_t first = UINT64_MAX, last = 0;
    for (size_t i = 0; i < processes->count; i++) {
        const struct one_process *one = &processes->all[i];
        uint64_t start = one->started_realtime_ns, end = start + one->process.duration_ns;
        first = start < first ? start : first;
        last = end > last ? end : last;
        if (one->process.end == PROCESS_RUNNING)
            together.end = PROCESS_RUNNING;
    }
    together.duration_ns = last > first ? last - first : 0;
    return together;
}

void processes_free(struct processes *processes)
{
    for (size_t i = 0; i < processes->count; i++) {
        struct one_process *one = &processes->all[i];
        for (size_t k = 0; k < one->command_count; k++)
            free(one->command[k]);
        free(one->command);
        free(one->exe);
        free(one->file);
    }
    free(processes->all);
    *processes = (struct processes){0};
}
