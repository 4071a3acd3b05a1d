// SPDX-License-Identifier: MIT
/*
 * What memory is of: the heap, mappings that the program made, without a file and with one, or an allocator of its own.
 * The recorder writes it into a call path as a frame outside of all others, in a module that is no file; what has
 * none is of the heap.
 */
#ifndef MODEL_DOMAIN_H
#define MODEL_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum domain_kind { DOMAIN_HEAP, DOMAIN_MMAP, DOMAIN_FILE, DOMAIN_OWN };

struct domain {
    enum domain_kind kind;
    uint32_t number; /* DOMAIN_OWN */
};

/* As a user names it: "heap", "mmap", "file", or the number of one of the program's own.  False: it is none. */
bool domain_read(struct domain *domain, const char *text);

/* That of the outermost frame's module, whose name may be null. */
struct domain domain_of_module(const char *name);

#define DOMAIN_NAME_SIZE 24

/* "heap", "mmap", "file", "domain 3". */
void domain_name(struct domain domain, char name[DOMAIN_NAME_SIZE]);

/* Some of them; zeroed: none. */
struct domains {
    struct domain *all;
    size_t count, capacity;
};

void domains_add(struct domains *domains, struct domain domain);
bool domains_have(const struct domains *domains, struct domain domain);
void domains_free(struct domains *domains);

#endif
