// SPDX-License-Identifier: MIT
#include "model/line_rows.h"

#include <dwarf.h>
#include <stdlib.h>

#include "model/failure.h"

/* The registers that a program goes on changing. */
struct machine {
    struct line_table *table;
    struct line_rows *rows;
    struct line_row row;
    unsigned operation; /* in an instruction of several, as x86-64 has none */
};

static void reset(struct machine *machine)
{
    machine->row = (struct line_row){.file = 1, .line = 1};
    machine->operation = 0;
}

static void emit(struct machine *machine)
{
    struct line_rows *rows = machine->rows;
    rows->all = memory_grow(rows->all, rows->count, &rows->capacity, sizeof(*rows->all));
    machine->row.number = (uint32_t)rows->count;
    rows->all[rows->count++] = machine->row;
}

/* The last row of the piece of code so far, or null. */
static const struct line_row *last_of_piece(const struct line_rows *rows)
{
    return rows->count && !rows->all[rows->count - 1].end ? &rows->all[rows->count - 1] : NULL;
}

/* Rows at the very end have no code; a piece that has none at all is none. */
static void end_piece(struct machine *machine)
{
    const struct line_row *last;
    while ((last = last_of_piece(machine->rows)) && last->address == machine->row.address)
        machine->rows->count--;
    machine->row.end = true;
    if (last)
        emit(machine);
    reset(machine);
}

static void advance(struct machine *machine, uint64_t operations)
{
    unsigned most = machine->table->most_operations;
    operations += machine->operation;
    machine->row.address += operations / most * machine->table->least_instruction;
    machine->operation = (unsigned)(operations % most);
}

/* One that does all at once. */
static void run_special(struct machine *machine, unsigned opcode)
{
    const struct line_table *table = machine->table;
    unsigned adjusted = opcode - table->opcode_base;
    advance(machine, adjusted / table->line_range);
    machine->row.line += (uint32_t)(table->line_base + (int)(adjusted % table->line_range));
    emit(machine);
}

static void run_extended(struct machine *machine, struct bytes *program)
{
    struct bytes operands = bytes_part(program, bytes_unsigned(program));
    switch (bytes_number(&operands, 1)) {
    case DW_LNE_end_sequence:
        end_piece(machine);
        break;
    case DW_LNE_set_address:
        machine->row.address = bytes_number(&operands, 8);
        machine->operation = 0;
        program->bad |= operands.bad;
        break;
    case DW_LNE_define_file: {
        const char *name = bytes_string(&operands);
        if (name && machine->table->version < 5)
            line_table_add_file(machine->table, &operands, name);
        break;
    }
    }
}

static void run_standard(struct machine *machine, unsigned opcode, struct bytes *program)
{
    const struct line_table *table = machine->table;
    switch (opcode) {
    case DW_LNS_copy:
        emit(machine);
        break;
    case DW_LNS_advance_pc:
        advance(machine, bytes_unsigned(program));
        break;
    case DW_LNS_advance_line:
        machine->row.line += (uint32_t)bytes_signed(program);
        break;
    case DW_LNS_set_file:
        machine->row.file = (uint32_t)bytes_unsigned(program);
        break;
    case DW_LNS_const_add_pc:
        advance(machine, (255 - table->opcode_base) / table->line_range);
        break;
    case DW_LNS_fixed_advance_pc:
        machine->row.address += bytes_number(program, 2);
        machine->operation = 0;
        break;
    default: /* what is nothing to us, or not known */
        for (unsigned i = 0; i < table->operands[opcode - 1]; i++)
            bytes_unsigned(program);
    }
}

static int by_address(const void *a, const void *b)
{
    const struct line_row *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    if (x->end != y->end)
        return y->end - x->end;
    return x->number < y->number ? -1 : x->number > y->number;
}

void line_rows_read(struct line_rows *rows, struct line_table *table, size_t most)
{
    struct bytes program = table->program;
    struct machine machine = {table, rows, {0}, 0};
    *rows = (struct line_rows){0};
    reset(&machine);
    while (bytes_left(&program) && !program.bad && rows->count < most) {
        unsigned opcode = (unsigned)bytes_number(&program, 1);
        if (opcode >= table->opcode_base)
            run_special(&machine, opcode);
        else if (opcode)
            run_standard(&machine, opcode, &program);
        else
            run_extended(&machine, &program);
    }
    if (rows->count == most)
        line_rows_free(rows);
    if (rows->count)
        qsort(rows->all, rows->count, sizeof(*rows->all), by_address);
}

void line_rows_free(struct line_rows *rows)
{
    free(rows->all);
    *rows = (struct line_rows){0};
}

const struct line_row *line_rows_find(const struct line_rows *rows, uint64_t address)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (rows->all[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && !rows->all[low - 1].end ? &rows->all[low - 1] : NULL;
}
