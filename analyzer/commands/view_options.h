// SPDX-License-Identifier: MIT
/*
 * The options by which a command's view is chosen: the same words everywhere.  A command takes those that
 * make sense for it as children of its own argp, each with the address of one struct view_options as input:
 *
 *     static const struct argp_child children[] = {{&view_argp}, {&view_argp_grouping}, {0}};
 *     case ARGP_KEY_INIT:
 *         for (int i = 0; i < 2; i++)
 *             state->child_inputs[i] = &options->view;
 *
 * What makes no sense together ends the program as wrong usage.
 */
#ifndef COMMANDS_VIEW_OPTIONS_H
#define COMMANDS_VIEW_OPTIONS_H

#include <argp.h>

#include "model/view.h"

/* Zeroed before argp_parse(); view.by can be set to what is meant without --group-by. */
struct view_options {
    struct view view; /* to be freed by view_free() */
    bool sorted;      /* --sort was given */
    bool grouped;     /* --group-by was given */
    bool is_tree;     /* set by the command: it cannot group by site, nor by domain */
};

extern const struct argp view_argp_domain;     /* --domain; its input is a struct domains */
extern const struct argp view_argp_selection;  /* --filter, --exclude, --all-frames, --from, --hide,
                                                  --domain, --min-bytes, --min-blocks, --no-cache */
extern const struct argp view_argp;            /* these, and --sort, by peak without it */
extern const struct argp view_argp_grouping;   /* --group-by */
extern const struct argp view_argp_cumulative; /* --cumulative */

#endif
