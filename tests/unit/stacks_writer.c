// SPDX-License-Identifier: MIT
#include "stacks_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct trace_writer writer;

static uint32_t module_of(const char *name)
{
    static char names[WRITER_RECORDS][32];
    for (uint32_t i = 1; i < writer.module_count; i++)
        if (strcmp(names[i] + strlen("/m/"), name) == 0)
            return i;
    snprintf(names[writer.module_count], sizeof(names[0]), "/m/%s", name);
    return writer_module(&writer, names[writer.module_count]);
}

static uint32_t frame_of(const char *name)
{
    uint32_t module = module_of(name + (name[0] == '!')), offset = name[0] == '!' ? 0x20 : 0x10;
    for (uint32_t i = 1; i < writer.frame_count; i++)
        if (writer.frames[i].module == module && writer.frames[i].offset == offset)
            return i;
    return writer_frame(&writer, module, offset);
}

static uint32_t node_of(const char *stack)
{
    char *copy = strdup(stack), *rest = copy;
    uint32_t node = TRACE_NODE_ROOT;
    for (const char *name; (name = strsep(&rest, " "));)
        node = writer_node(&writer, node, frame_of(name));
    free(copy);
    return node;
}

void stacks_write(struct trace *trace, const char *const *stacks, size_t count)
{
    char path[] = "/tmp/stacks_writer.XXXXXX";
    struct failure why;
    uint64_t blocks = 1;
    writer_start(&writer);
    for (size_t i = 0; i < count; i++, blocks *= 10)
        *writer_counter(&writer, 0, writer_site(&writer, node_of(stacks[i]))) =
            (struct trace_counter){.allocations = blocks,
                                   .allocated_bytes = blocks,
                                   .epoch = writer.header.epoch,
                                   .peak_blocks = (int64_t)blocks,
                                   .peak_bytes = (int64_t)blocks};
    int fd = mkstemp(path);
    writer_save(&writer, path);
    bool fine = trace_read(trace, path, &why);
    close(fd);
    unlink(path);
    if (!fine) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
}
