// SPDX-License-Identifier: MIT
#include "model/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/progress.h"

#define URLS    "DEBUGINFOD_URLS"
#define LIBRARY "libdebuginfod.so.1"

/* As <elfutils/debuginfod.h> has them. */
struct debuginfod_client;
typedef int progress_function(struct debuginfod_client *client, long done, long whole);

static struct {
    char *urls; /* null: there are none, or no more */
    bool taken, announced;
    struct debuginfod_client *client;
    struct debuginfod_client *(*begin)(void);
    void (*set_progress)(struct debuginfod_client *client, progress_function *function);
    int (*find)(struct debuginfod_client *client, const unsigned char *build_id, int size, char **path);
} servers;

static volatile sig_atomic_t interrupted;

void debuginfod_take_over(void)
{
    const char *urls = getenv(URLS);
    if (!servers.taken && urls && *urls)
        servers.urls = strdup(urls);
    servers.taken = true;
    unsetenv(URLS);
}

void debuginfod_disable(void)
{
    debuginfod_take_over();
    free(servers.urls);
    servers.urls = NULL;
}

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* Called while a server is asked, not for what is there from an earlier time. */
static int on_progress(struct debuginfod_client *client, long done, long whole)
{
    (void)client;
    if (!servers.announced)
        progress_say("asking %s for debug information; Ctrl-C goes on without it", servers.urls);
    servers.announced = true;
    progress_at(whole > 0 ? (uint64_t)done : 0, whole > 0 ? (uint64_t)whole : 0);
    return interrupted;
}

static bool start(void)
{
    if (servers.client)
        return true;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library) {
        *(void **)&servers.begin = dlsym(library, "debuginfod_begin");
        *(void **)&servers.set_progress = dlsym(library, "debuginfod_set_progressfn");
        *(void **)&servers.find = dlsym(library, "debuginfod_find_debuginfo");
    }
    if (servers.begin && servers.set_progress && servers.find)
        servers.client = servers.begin();
    if (servers.client)
        servers.set_progress(servers.client, on_progress);
    else
        progress_say(URLS " is set, but " LIBRARY " cannot be used: going on without");
    return servers.client;
}

/* SIGINT is ours meanwhile, unless it is ignored. */
static int ask(const uint8_t *build_id, size_t size, char **path)
{
    struct sigaction ours = {.sa_handler = on_interrupt}, before;
    sigaction(SIGINT, NULL, &before);
    if (before.sa_handler != SIG_IGN)
        sigaction(SIGINT, &ours, NULL);
    setenv(URLS, servers.urls, 1);
    int fd = servers.find(servers.client, build_id, (int)size, path);
    unsetenv(URLS);
    sigaction(SIGINT, &before, NULL);
    return fd;
}

/* One that does not answer would keep us waiting for every file. */
static void conclude(int result)
{
    if (interrupted)
        progress_say("going on without debug information from there");
    else if (result < 0 && result != -ENOENT)
        progress_say("%s: %s: going on without debug information from there", servers.urls,
                     strerror(-result));
    if (interrupted || (result < 0 && result != -ENOENT))
        debuginfod_disable();
}

int debuginfod_fetch(const uint8_t *build_id, size_t size, const char *name, char **path)
{
    struct progress progress;
    char what[256];
    const char *slash = strrchr(name, '/');
    if (!servers.urls || !size || size > 64)
        return -1;
    if (!start()) {
        debuginfod_disable();
        return -1;
    }
    snprintf(what, sizeof(what), "debug information of %.200s", slash ? slash + 1 : name);
    progress_begin(&progress, what);
    int fd = ask(build_id, size, path);
    progress_end(&progress);
    conclude(fd);
    return fd < 0 ? -1 : fd;
}
