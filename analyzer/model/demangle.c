// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "model/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_MANGLED 8192
#define LONGEST_NAME    65536
/* libiberty's own limit of recursion also refuses names of more than 1024 characters, which templates
   easily reach; the stack they need is bounded by LONGEST_MANGLED instead. */
#define OPTIONS (DMGL_PARAMS | DMGL_ANSI)

struct name {
    size_t size;
    jmp_buf too_long;
    char text[LONGEST_NAME];
};

/* The Rust demangler hands over empty pieces without an address. */
static void append(const char *piece, size_t size, void *context)
{
    struct name *name = context;
    if (size > LONGEST_NAME - name->size)
        longjmp(name->too_long, 1);
    if (size)
        memcpy(name->text + name->size, piece, size);
    name->size += size;
}

static int cplusplus(const char *mangled, struct name *name)
{
    return cplus_demangle_v3_callback(mangled, OPTIONS | DMGL_NO_RECURSE_LIMIT, append, name);
}

static int rust(const char *mangled, struct name *name)
{
    return rust_demangle_callback(mangled, OPTIONS, append, name);
}

/* Rust's older names look like C++'s, and only end in a hash: Rust is asked first. */
static const struct {
    const char *prefix;
    int (*demangle)(const char *mangled, struct name *name);
} schemes[] = {{"_R", rust}, {"_ZN", rust}, {"_Z", cplusplus}, {"_GLOBAL_", cplusplus}};

static bool try(const char *mangled, struct name *name, int (*scheme)(const char *, struct name *))
{
    name->size = 0;
    return setjmp(name->too_long) == 0 && scheme(mangled, name) && name->size;
}

char *demangle(const char *mangled)
{
    struct name name;
    if (mangled[0] != '_' || strnlen(mangled, LONGEST_MANGLED) == LONGEST_MANGLED)
        return NULL;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncmp(mangled, schemes[i].prefix, strlen(schemes[i].prefix)) == 0 &&
            try(mangled, &name, schemes[i].demangle))
            return strndup(name.text, name.size);
    return NULL;
}
