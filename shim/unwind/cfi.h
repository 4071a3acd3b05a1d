// SPDX-License-Identifier: MIT
/*
 * Reading the call frame information (DWARF 5, section 6.4, in the form of .eh_frame) of the common shape.
 *
 * Nearly all code has its CFA at a distance from rsp or rbp, the return address right below it, and rbp where it
 * was or in a word below the CFA.  That is read here, in a twentieth of the time that libunwind takes: programs
 * that run shortly, but call from everywhere, spend most of the recorder's time on learning.  What has another
 * shape, or is written in a way that compilers do not, is left to libunwind.
 */
#ifndef UNWIND_CFI_H
#define UNWIND_CFI_H

#include "image.h"
#include "rule.h"

/* The rule of a lookup address of the object, RULE_STEP.  False: not of the common shape, or nothing describes
   the address; *rule is then unchanged.  Under world.learning; needs less than 1 KiB of stack. */
bool cfi_rule(const struct image *image, uintptr_t lookup, struct rule *rule);

#endif
