// SPDX-License-Identifier: MIT
/*
 * Programs that cannot be recorded, nor run beside us: those of a sanitizer whose runtime is a library.
 *
 * AddressSanitizer's ends the program when another library comes first; LeakSanitizer's takes what the loader
 * allocates for a leak when it comes through another's malloc.  Such a program starts again without us.
 *
 * That has to happen before any constructor.  So it is done while the loader relocates us, when it asks which
 * of several functions to take.  The runtime is behind us and relocated, but not to be called yet: and it has
 * put functions of its own before most of libc's.  Hence none of libc here, but for the auxiliary vector;
 * characters are volatile so that no compiler makes calls of these loops.
 */
#include "../base/message.h"
#include "../base/proc.h"
#include "../base/sys.h"
#include <link.h>
#include <sys/auxv.h>

enum { TEXT_MAX = 8 << 20, WORDS_MAX = 1 << 17 };

static const char library[] = "libtrace.so";

/* --- strings ---------------------------------------------------------------------------------------- */

/* Where the text goes on behind the prefix; null if it has not. */
static char *behind(const char *text, const char *prefix)
{
    const volatile char *at = text, *wanted = prefix;
    while (*wanted && *at == *wanted) {
        at++;
        wanted++;
    }
    return *wanted ? NULL : (char *)(uintptr_t)at;
}

static const char *end_of(const char *text)
{
    const volatile char *at = text;
    while (*at)
        at++;
    return (const char *)(uintptr_t)at;
}

static const char *find(const char *text, const char *end, const char *wanted)
{
    while (text < end && !behind(text, wanted))
        text++;
    return text < end ? text : NULL;
}

static const char *base_of(const char *path)
{
    const char *base = path;
    for (const volatile char *at = path; *at; at++)
        if (*at == '/')
            base = (const char *)(uintptr_t)at + 1;
    return base;
}

/* --- the program as it was started ------------------------------------------------------------------ */

static char *text_of(const char *path, size_t *size)
{
    char *text = sys_reserve(TEXT_MAX);
    *size = text ? proc_read(path, text, TEXT_MAX - 1) : 0;
    return text;
}

/* The strings of a file of /proc, each ended by a zero; null if they are too many. */
static char **strings_of(const char *path)
{
    size_t size, count = 0;
    char *text = text_of(path, &size), **strings = sys_reserve(WORDS_MAX * sizeof *strings);
    for (char *at = text; strings && at < text + size && count < WORDS_MAX; at = (char *)end_of(at) + 1)
        strings[count++] = at;
    return size < TEXT_MAX - 1 && strings && count < WORDS_MAX ? strings : NULL;
}

/* Takes the parts of a list that are ours out of it.  False: it has none. */
static bool leave_list(char *list)
{
    bool found = false;
    volatile char *to = list;
    for (char *part = list; *part;) {
        char *name = part, *at = part;
        for (; *at && *at != ':' && *at != ' '; at++)
            name = *at == '/' ? at + 1 : name;
        bool is_ours = behind(name, library) == at;
        at += *at != 0;
        found |= is_ours;
        while (part < at && !is_ours)
            *to++ = *part++;
        part = at;
    }
    *to = 0;
    return found;
}

/* The same of the environment. */
static bool leave_environment(char **environment)
{
    bool found = false;
    char **to = environment;
    for (char **from = environment; *from; from++) {
        char *list = behind(*from, "LD_PRELOAD=");
        found |= list && leave_list(list);
        if (!list || *list)
            *to++ = *from;
    }
    *to = NULL;
    return found;
}

/* Did the user start it, rather than another that is recorded? */
static bool is_root(char **environment)
{
    char path[32];
    size_t size;
    for (; *environment; environment++) {
        const char *options = behind(*environment, "LIBTRACE_OPTIONS=");
        const char *root = options ? find(options, end_of(options), "root=") : NULL;
        message_format(path, sizeof path, "root=%d", sys_getpid());
        if (root)
            return behind(root, path);
    }
    message_format(path, sizeof path, "/proc/%d/maps", (int)sys3(SYS_getppid, 0, 0, 0));
    const char *maps = text_of(path, &size);
    return maps && !find(maps, maps + size, library);
}

/* --- the runtime ------------------------------------------------------------------------------------ */

/* Its name; null: there is none. */
static const char *find_runtime(void)
{
    static const char *const names[] = {"libasan.so", "liblsan.so", "libclang_rt.asan"};
    for (const struct link_map *object = _r_debug.r_map; object; object = object->l_next)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (behind(base_of(object->l_name), names[i]))
                return base_of(object->l_name);
    return NULL;
}

static void stand_aside(void)
{
    const char *runtime = getauxval(AT_SECURE) ? NULL : find_runtime();
    if (!runtime)
        return;
    const char *program = (const char *)getauxval(AT_EXECFN);
    char **arguments = strings_of("/proc/self/cmdline"), **environment = strings_of("/proc/self/environ");
    if (!program || !arguments || !environment)
        return;
    if (is_root(environment))
        message("not recording: %s has to be the program's first library", runtime);
    if (leave_environment(environment))
        sys3(SYS_execve, (long)program, (long)arguments, (long)environment);
}

/* --- the moment ------------------------------------------------------------------------------------- */

static void nothing(void)
{
}

static void (*which_nothing(void))(void)
{
    stand_aside();
    return nothing;
}

static void asked_for(void) __attribute__((ifunc("which_nothing")));
__attribute__((used)) static void (*const volatile reference)(void) = asked_for;
