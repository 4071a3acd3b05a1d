// SPDX-License-Identifier: MIT
/* tracemalloc ctl: steers the recorder of a running program. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/options.h"
#include "model/steering.h"
#include "output/message.h"

#define SECONDS     2
#define PATIENCE_NS (SECONDS * UINT64_C(1000000000))
#define DEEPEST     65536

struct options {
    int pid;
    const char *what;
    struct steering_request request;
};

static const struct command {
    const char *name;
    enum trace_command command;
} commands[] = {
    {"start", TRACE_COMMAND_START},       {"stop", TRACE_COMMAND_STOP},
    {"snapshot", TRACE_COMMAND_SNAPSHOT}, {"reset-peak", TRACE_COMMAND_RESET_PEAK},
    {"clear", TRACE_COMMAND_CLEAR},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char depth[] = "depth=";

static void take_command(struct options *options, const char *word, struct argp_state *state)
{
    options->what = word;
    if (strncmp(word, depth, sizeof(depth) - 1) == 0) {
        options->request.command = TRACE_COMMAND_DEPTH;
        options->request.argument = options_number(state, "depth", word + sizeof(depth) - 1, 1, DEEPEST);
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(word, commands[i].name) == 0)
            options->request.command = commands[i].command;
    if (!options->request.command)
        argp_error(state, "'%s' is none of start, stop, snapshot, reset-peak, clear, depth=N", word);
}

static int take_pid(const char *word, const struct argp_state *state)
{
    char *end;
    long pid = strtol(word, &end, 10);
    if (word[0] < '0' || word[0] > '9' || *end || pid < 1 || pid > INT32_MAX)
        argp_error(state, "'%s' is no process: its number comes first", word);
    return (int)pid;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    if (key == ARGP_KEY_END && state->arg_num < 2)
        argp_error(state, state->arg_num ? "what is it to do?" : "which process?");
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (state->arg_num == 0)
        options->pid = take_pid(argument, state);
    else if (state->arg_num == 1)
        take_command(options, argument, state);
    else if (state->arg_num == 2 && options->request.command == TRACE_COMMAND_SNAPSHOT)
        options->request.label = argument;
    else
        argp_error(state, "'%s' is too much", argument);
    return 0;
}

static const struct argp argp = {
    NULL,
    parse,
    "PID start\nPID stop\nPID snapshot [LABEL]\nPID reset-peak\nPID clear\nPID depth=N",
    "Steer the recorder of a running program."
    "\vstart, stop: record new blocks, or do not; what is recorded stays, and is seen to be freed. "
    "reset-peak: the peak is what is live now. clear: forget all blocks and figures. depth=N: keep about N "
    "frames of a stack. The program sees it when it next allocates; if it does not within two seconds, that "
    "is "
    "said and the exit status is 1.",
    NULL,
    NULL,
    NULL};

static const char *reason(int error)
{
    switch (error) {
    case ENOSPC:
        return "there is no room in the trace";
    case ETIMEDOUT:
        return "one of its threads could not be held, maybe by a debugger's doing";
    case EPERM:
        return "it has forbidden itself the system calls that this takes";
    case ENOSYS:
        return "its recorder does not know of that";
    default:
        return strerror(error);
    }
}

static int tell(const struct options *options, const char *path, enum steering_answer answer, int error,
                const struct failure *why)
{
    switch (answer) {
    case STEERING_DONE:
        return EXIT_SUCCESS;
    case STEERING_REFUSED:
        message("process %d: %s failed: %s", options->pid, options->what, reason(error));
        break;
    case STEERING_UNSEEN:
        message("process %d has not allocated for %d s, and so not seen this; it will when it does next",
                options->pid, SECONDS);
        break;
    case STEERING_ENDED:
        message("process %d has ended", options->pid);
        break;
    case STEERING_IMPOSSIBLE:
        message("%s %s", path, why->text);
        break;
    }
    return EXIT_FAILURE;
}

int command_ctl(int argc, char **argv)
{
    struct options options = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    char *path = options_trace_of_process(options.pid);
    if (!path)
        return EXIT_FAILURE;
    struct failure why;
    int error = 0;
    enum steering_answer answer = steering_ask(path, &options.request, PATIENCE_NS, &error, &why);
    int status = tell(&options, path, answer, error, &why);
    free(path);
    return status;
}
