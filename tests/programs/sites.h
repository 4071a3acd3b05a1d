// SPDX-License-Identifier: MIT
/*
 * 512 functions that differ in their addresses alone: places where the recorder has not been yet.
 *
 * site_at(n, below, seed, function) calls function from place n, below so many other places that the seed
 * chooses.
 */
#ifndef SITES_H
#define SITES_H

#include <stdint.h>

enum { SITES = 512 };

typedef void site_function(void);
typedef void site(int below, uint32_t seed, site_function *function);

static void site_at(uint32_t n, int below, uint32_t seed, site_function *function);

#define SITE(n)                                                                                              \
    __attribute__((noinline, unused)) static void site_##n(int below, uint32_t seed, site_function *function) \
    {                                                                                                        \
        if (below)                                                                                           \
            site_at(seed >> 16, below - 1, seed * 1103515245 + 12345, function);                             \
        else                                                                                                 \
            function();                                                                                      \
        __asm__ volatile("");                                                                                \
    }
#define SITE_NAME(n) site_##n,
#define SITES_8(X, n)    X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7)
#define SITES_64(X, n)   SITES_8(X, n##0) SITES_8(X, n##1) SITES_8(X, n##2) SITES_8(X, n##3)                  \
                         SITES_8(X, n##4) SITES_8(X, n##5) SITES_8(X, n##6) SITES_8(X, n##7)
#define SITES_512(X, n)  SITES_64(X, n##0) SITES_64(X, n##1) SITES_64(X, n##2) SITES_64(X, n##3)              \
                         SITES_64(X, n##4) SITES_64(X, n##5) SITES_64(X, n##6) SITES_64(X, n##7)
SITES_512(SITE, 0)

static site *const sites[SITES] = {SITES_512(SITE_NAME, 0)};

static inline void site_at(uint32_t n, int below, uint32_t seed, site_function *function)
{
    sites[n % SITES](below, seed, function);
}

#endif
