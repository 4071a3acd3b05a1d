// SPDX-License-Identifier: MIT
/* The commands: each takes its own arguments (argv[0] is "tracemalloc NAME") and returns the exit
   status: 0, 1 failed, 2 wrong usage; `run` that of the program. */
#ifndef COMMANDS_COMMANDS_H
#define COMMANDS_COMMANDS_H

#define EXIT_USAGE 2

int command_check(int argc, char **argv);
int command_ctl(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_html(int argc, char **argv);
int command_info(int argc, char **argv);
int command_leaks(int argc, char **argv);
int command_live(int argc, char **argv);
int command_report(int argc, char **argv);
int command_run(int argc, char **argv);
int command_source(int argc, char **argv);
int command_tree(int argc, char **argv);

#endif
