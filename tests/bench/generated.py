# SPDX-License-Identifier: MIT
"""Sources and programs too large to keep: written into the build directory, once."""
import os
import subprocess

LARGE_HEAD = """
unsigned long other(unsigned long state);
"""

LARGE_FUNCTION = """
struct item_{i} {{ unsigned key, weight; struct item_{i} *next; double values[{width}]; }};

static double sum_{i}(const struct item_{i} *item, unsigned limit)
{{
    double sum = {i};
    for (; item && item->key < limit; item = item->next)
        for (unsigned j = 0; j < item->weight % {width}; j++)
            sum += item->values[j] * (item->weight + j % {odd});
    return sum;
}}

unsigned long mix_{i}(struct item_{i} *items, unsigned long seed, int how)
{{
    unsigned long state = seed ^ {i}ul * 2654435761ul;
    for (struct item_{i} *item = items; item; item = item->next) {{
        state = (state << {odd} | state >> (64 - {odd})) + item->key;
        if (item->weight > state % {factor})
            item->values[how % {width}] += (double)state;
    }}
    switch (how) {{
    case 0: return state ^ state >> {odd};
    case {odd}: return (unsigned long)sum_{i}(items, how);
    case {factor}: items->weight = (unsigned)state; return state;
    default: return how > {odd} ? state : other(state + items->weight);
    }}
}}
"""

# What an analyzer meets in large programs: every function has types, parameters and variables of its own.
UNIT_HEAD = """
#include <stdlib.h>
struct record_0 { int first; };
static inline void *make(unsigned long size) { return malloc(size); }
"""

UNIT_FUNCTION = """
struct record_{i} {{ {members} struct record_{previous} *previous; }};
__attribute__((noinline)) static void *allocate_{i}(struct record_{i} *record, unsigned long count)
{{
    unsigned long size = count + {size};
    void *block = {call}(size);
    if (record)
        record->previous = block;
    __asm__ volatile("" : "+r"(block));
    return block;
}}
"""

UNIT_TAIL = """
void run_unit(void)
{{
    static void *(*const all[])(void *, unsigned long) = {{ {pointers} }};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i](0, i));
}}
"""

MEMBER_TYPES = ("int", "char *", "unsigned long", "double", "void *", "short")


def write(path, parts):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(parts)


def large_functions(count):
    yield LARGE_HEAD
    for i in range(count):
        yield LARGE_FUNCTION.format(i=i, width=3 + i % 6, odd=1 + i % 13, factor=100 + i % 50)


def unit_functions(count, members):
    yield UNIT_HEAD
    for i in range(1, count + 1):
        text = "".join(f"{MEMBER_TYPES[j % len(MEMBER_TYPES)]} member_{j}; " for j in range(members))
        yield UNIT_FUNCTION.format(i=i, previous=i - 1, members=text, size=16 + i % 200,
                                   call="make" if i % 2 else "malloc")
    pointers = ", ".join(f"(void *)allocate_{i}" for i in range(1, count + 1))
    yield UNIT_TAIL.format(pointers=pointers)


class Generated:
    def __init__(self, place):
        self.folder = f"{place.programs}/generated"
        os.makedirs(self.folder, exist_ok=True)

    def make(self, name, how):
        """The path of a file that how(path) makes, if it is not there yet or this program is newer."""
        path = f"{self.folder}/{name}"
        if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(__file__):
            how(path + ".new")
            os.rename(path + ".new", path)
        return path

    def large_source(self, functions):
        return self.make(f"large{functions}.c", lambda path: write(path, large_functions(functions)))

    def head_of(self, csv, rows):
        def how(path):
            with open(csv, encoding="utf-8") as file:
                write(path, (line for line, _ in zip(file, range(rows + 1))))
        return self.make(f"head{rows}.csv", how)

    def program_of_units(self, units, functions, members):
        """
        units x functions call sites.  One unit is compiled, and linked many times under other names: all its
        functions but one are static.
        """
        def run(*command):
            subprocess.run(command, check=True, cwd=self.folder)

        def how(path):
            write(f"{self.folder}/unit.c", unit_functions(functions, members))
            main = [f"void run_{i}(void);\n" for i in range(units)] + ["int main(void)\n{\n"]
            write(f"{self.folder}/main.c", main + [f"    run_{i}();\n" for i in range(units)] + ["}\n"])
            run("gcc", "-g", "-O1", "-c", "unit.c", "-o", "unit.o")
            objects = [f"unit{i}.o" for i in range(units)]
            for i, name in enumerate(objects):
                run("objcopy", "--redefine-sym", f"run_unit=run_{i}", "unit.o", name)
            run("gcc", "-g", "main.c", *objects, "-o", path)
            for name in objects + ["unit.o"]:
                os.unlink(f"{self.folder}/{name}")

        return self.make(f"units{units}x{functions}", how)
