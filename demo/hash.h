// SPDX-License-Identifier: MIT
/*
 * uthash for the demo: without memory it gives up the entry instead of ending the program.  The hash
 * then stays as it was, and the entry's hh.tbl is null, which is what hash_refused looks at.
 */
#ifndef DEMO_HASH_H
#define DEMO_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define hash_refused(entry) ((entry)->hh.tbl == NULL)

#endif
