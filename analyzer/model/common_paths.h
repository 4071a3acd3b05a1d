// SPDX-License-Identifier: MIT
/*
 * The call paths of two traces as one tree: a path has the same number in both if its frames are the same, that
 * is, the same address of the same file, or otherwise the same place in the source (translated, see
 * model/translation.h).  Only for the latter are symbols looked at.
 */
#ifndef MODEL_COMMON_PATHS_H
#define MODEL_COMMON_PATHS_H

#include "model/scope.h"
#include "model/translation.h"

struct common_paths;

/* Scopes on the two traces, whose symbols are those of the translation; all must live as long. */
struct common_paths *common_paths_open(struct scope *const scope[SIDES],
                                       const struct translation *translation);

void common_paths_close(struct common_paths *paths);

/* Numbers the stacks of a side's sites as the view shows them; by site, 0 for those that are not in the view or
   never counted anything.  To be freed. */
uint32_t *common_paths_of_sites(struct common_paths *paths, enum side side);

/* One more than the largest number so far. */
uint32_t common_paths_count(const struct common_paths *paths);

#endif
