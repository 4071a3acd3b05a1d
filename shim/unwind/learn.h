// SPDX-License-Identifier: MIT
/*
 * Learning a rule: by reading the table if it is of the common shape (cfi.h), else from libunwind.  The only
 * module that sees libunwind.
 *
 * libunwind's remote interface is stepped once over a frame whose registers are symbols and whose
 * every stack word is a token made up for it; what the new registers are made of *is* the rule.  It
 * reads nothing of the running program but the module's own tables.
 */
#ifndef UNWIND_LEARN_H
#define UNWIND_LEARN_H

#include "image.h"
#include "rule.h"

/*
 * Loads libunwind privately (RTLD_LOCAL) and prepares it.  Once per process, by one thread, at a moment
 * at which dlopen is allowed.  False: it could not be loaded, or it does not answer as expected;
 * learn_rule then answers RULE_NO_CFI.  Allocates (through malloc), changes errno.  Leaves no
 * descriptor open.
 */
bool learn_start(void);

/*
 * Learns the rule of the lookup address.  Costs 0.2 microseconds, 6 if libunwind is asked.  Never fails: what
 * cannot be learned is RULE_NO_CFI (no table entry covers the address) or RULE_UNSUPPORTED.
 * The caller serialises calls (one lock for all threads).  libunwind runs on a stack of its own with signals
 * held back, so that a caller on a small stack needs less than 2 KiB and no handler runs on ours.
 * Changes no errno.  Calls no malloc; libunwind now and then calls mmap.
 */
struct rule learn_rule(uintptr_t lookup);

/* The same for an address of the given object: for objects that cannot be loaded, in tests. */
struct rule learn_rule_in(const struct image *image, uintptr_t lookup);

/* What libunwind says, in any case. */
struct rule learn_from_teacher(const struct image *image, uintptr_t lookup);

#endif
