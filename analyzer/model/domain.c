// SPDX-License-Identifier: MIT
#include "model/domain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/failure.h"

static const struct {
    const char *name, *module;
} kinds[DOMAIN_OWN] = {
    [DOMAIN_HEAP] = {"heap", NULL},
    [DOMAIN_MMAP] = {"mmap", "[mmap]"},
    [DOMAIN_FILE] = {"file", "[mmap file]"},
};

/* Digits, up to where something else stands; null: they are no number of 32 bits. */
static const char *read_number(uint32_t *number, const char *text)
{
    uint64_t sum = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && sum <= UINT32_MAX; at++)
        sum = 10 * sum + (uint64_t)(*at - '0');
    *number = (uint32_t)sum;
    return at == text || sum > UINT32_MAX ? NULL : at;
}

bool domain_read(struct domain *domain, const char *text)
{
    for (enum domain_kind kind = DOMAIN_HEAP; kind < DOMAIN_OWN; kind++) {
        *domain = (struct domain){kind, 0};
        if (strcmp(text, kinds[kind].name) == 0)
            return true;
    }
    domain->kind = DOMAIN_OWN;
    const char *end = read_number(&domain->number, text);
    return end && !*end;
}

struct domain domain_of_module(const char *name)
{
    static const char before[] = "[domain ";
    struct domain domain = {.kind = DOMAIN_OWN};
    if (!name || *name != '[')
        return (struct domain){DOMAIN_HEAP, 0};
    for (enum domain_kind kind = DOMAIN_MMAP; kind < DOMAIN_OWN; kind++)
        if (strcmp(name, kinds[kind].module) == 0)
            return (struct domain){kind, 0};
    const char *end = strncmp(name, before, sizeof(before) - 1) == 0
                          ? read_number(&domain.number, name + sizeof(before) - 1)
                          : NULL;
    return end && strcmp(end, "]") == 0 ? domain : (struct domain){DOMAIN_HEAP, 0};
}

void domain_name(struct domain domain, char name[DOMAIN_NAME_SIZE])
{
    if (domain.kind == DOMAIN_OWN)
        snprintf(name, DOMAIN_NAME_SIZE, "domain %" PRIu32, domain.number);
    else
        strcpy(name, kinds[domain.kind].name);
}

void domains_add(struct domains *domains, struct domain domain)
{
    domains->all = memory_grow(domains->all, domains->count, &domains->capacity, sizeof(*domains->all));
    domains->all[domains->count++] = domain;
}

bool domains_have(const struct domains *domains, struct domain domain)
{
    for (size_t i = 0; i < domains->count; i++)
        if (domains->all[i].kind == domain.kind && domains->all[i].number == domain.number)
            return true;
    return false;
}

void domains_free(struct domains *domains)
{
    free(domains->all);
    *domains = (struct domains){0};
}
