// SPDX-License-Identifier: MIT
/*
 * The places of an older trace in the terms of a newer one.  Modules that are the same file (by their build-id)
 * have the same places; in others functions and their lines are found again (model/function_lines.h).
 */
#ifndef MODEL_TRANSLATION_H
#define MODEL_TRANSLATION_H

#include "model/function_lines.h"

struct translation;

/* From now on the older trace's symbols answer in the newer's terms: file, line and module are those of the
   newer where it has them too.  Traces and symbols must live as long.  Symbols are looked up now if there are
   modules that are not the same. */
struct translation *translation_start(const struct trace *old, struct symbols *old_symbols,
                                      const struct trace *new, struct symbols *new_symbols);

/* The older trace's symbols are not to be asked any more. */
void translation_end(struct translation *translation);

/* The newer trace's module that is the same file as one of the older trace; 0: there is none. */
uint32_t translation_module(const struct translation *translation, uint32_t old);

/* The same in the other direction. */
uint32_t translation_old_module(const struct translation *translation, uint32_t new);

#endif
