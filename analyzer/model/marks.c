// SPDX-License-Identifier: MIT
#include "model/marks.h"

#include <string.h>

static void add_mark(uint64_t number, const void *record, void *context)
{
    (void)number;
    struct trace *trace = context;
    const struct trace_mark *raw = record;
    if (raw->ns < trace->header.started_ns)
        return;
    struct mark *mark = &trace->marks[trace->mark_count++];
    *mark = (struct mark){
        .ns = raw->ns - trace->header.started_ns, .current_bytes = raw->current_bytes, .blocks = raw->blocks};
    memcpy(mark->label, raw->label, sizeof(raw->label));
}

bool marks_read(struct trace *trace, struct reader *reader, struct failure *why)
{
    uint32_t count = trace->header.mark_count;
    const struct sections *sections = &reader->sections;
    uint64_t room = sections_capacity(sections, TRACE_MARKS, count);
    trace->marks = file_memory(&reader->file, room, sizeof(*trace->marks), why);
    bool fine = trace->marks != NULL;
    for (size_t i = 0; fine && i < sections->count; i++)
        if (sections->all[i].type == TRACE_MARKS)
            fine = section_visit(&sections->all[i], &reader->file, count, add_mark, trace, why);
    return fine;
}
