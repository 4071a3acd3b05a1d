// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* getline, memmem */
#include "model/suppressions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/stack.h"

/*
 * What is held until the end by design, mostly what glibc's __libc_freeres would free.  These patterns only
 * count in the innermost frames of a stack, as far as they are the libraries' own: what a program's function
 * allocates is the program's, even if setlocale or the loader called it.  The names are those of the API as
 * well as of the functions within, which only debug information knows.
 */
static const struct {
    const char *pattern;
    uint64_t blocks;
    bool anywhere;
} builtin[] = {
    /* libstdc++'s emergency pool for exceptions, where it is linked statically */
    {"^_GLOBAL__sub_I_eh_alloc.cc$", 1, true},
    /* the dynamic loader: objects, search paths, thread-local storage; the emergency pool otherwise, made when
       libstdc++ is loaded; the results of dlerror */
    {"/ld-linux"},
    {"^ld-linux"},
    {"dlopen"},
    {"dlmopen"},
    {"dlsym"},
    {"dlvsym"},
    {"dlclose"},
    {"dlerror"},
    {"^__libc_unwind_link_get$"},
    {"backtrace$"},
    /* buffers of the standard streams; of more than those three: of streams that were not closed */
    {"^_IO_file_doallocate$", 3},
    {"^_IO_wfile_doallocate$", 3},
    /* locales, message catalogues, character sets */
    {"setlocale$"},
    {"^_nl_"},
    {"^std::locale::"},
    {"^std::ios_base::sync_with_stdio"},
    {"gettext$"},
    {"textdomain"},
    {"^__gconv_find"},
    {"^__gconv_lookup_cache$"},
    {"^__gconv_load_cache$"},
    {"^__gconv_read_conf$"},
    {"^__gconv_load_conf$"},
    {"^__wcsmbs_load_conv$"},
    {"/gconv/"},
    {"mbstowcs"},
    {"mbsrtowcs"},
    {"mbsnrtowcs"},
    {"mbrtowc"},
    {"mbtowc$"},
    {"mbrlen$"},
    {"mblen$"},
    {"wcstombs"},
    {"wcsrtombs"},
    {"wcsnrtombs"},
    {"wcrtomb"},
    {"wctomb"},
    {"btowc$"},
    {"wctob$"},
    /* users, groups, hosts, services */
    {"^__nss_"},
    {"^nss_"},
    {"^_nss_"},
    {"/libnss_"},
    {"^__res_"},
    {"^__resolv_"},
    {"^__check_pf$"},
    {"getpw"},
    {"setpwent$"},
    {"getgr"},
    {"setgrent$"},
    {"initgroups$"},
    {"getsp"},
    {"getsg"},
    {"gethostby"},
    {"gethostent"},
    {"sethostent$"},
    {"getservby"},
    {"getservent"},
    {"getprotoby"},
    {"getprotoent"},
    {"getnetby"},
    {"getnetent"},
    {"getrpc"},
    {"getaliasby"},
    {"getlogin$"},
    {"getut"},
    {"getusershell$"},
    {"getmntent$"},
    {"ttyname$"},
    {"ptsname$"},
    {"^res_"},
    /* time zones */
    {"tzset"},
    {"^__tz"},
    {"localtime"},
    {"mktime$"},
    {"timelocal$"},
    {"ctime"},
    {"strftime"},
    {"wcsftime"},
    /* the environment, functions for the end, what a thread keeps, messages */
    {"setenv$"},
    {"putenv$"},
    {"^__add_to_environ$"},
    {"^__new_exitfn$"},
    {"atexit$"},
    {"on_exit$"},
    {"at_quick_exit$"},
    {"pthread_atfork$"},
    {"register_atfork$"},
    {"pthread_setspecific$"},
    {"^tss_set$"},
    {"strerror"},
    {"strsignal$"},
    {"register_printf"},
    {"aio_"},
};
#define BUILTIN (sizeof(builtin) / sizeof(builtin[0]))

bool suppressions_match(const char *pattern, const char *name)
{
    bool anchored = *pattern == '^', open = false;
    if (!name || !*name)
        return false;
    for (pattern += anchored; *pattern;) {
        if (*pattern == '*') {
            pattern++;
            anchored = false;
            open = true;
            continue;
        }
        size_t size = strcspn(pattern, "*$"), length = strlen(name);
        if (!size) /* "$" */
            return open || !length;
        if (length < size)
            return false;
        bool last = pattern[size] == '$';
        const char *found = last       ? name + length - size
                            : anchored ? name
                                       : memmem(name, length, pattern, size);
        if (!found || memcmp(found, pattern, size) != 0 || (anchored && found != name))
            return false;
        if (last)
            return true;
        name = found + size;
        pattern += size;
        anchored = open = false;
    }
    return true;
}

/* --- the list ------------------------------------------------------------------------------------------ */

static void add(struct suppressions *suppressions, struct suppression suppression)
{
    suppressions->all =
        memory_grow(suppressions->all, suppressions->count, &suppressions->capacity, sizeof(suppression));
    suppressions->all[suppressions->count++] = suppression;
}

static char *copy_of(const char *string)
{
    char *copy = memory_get(strlen(string) + 1, 1);
    return strcpy(copy, string);
}

void suppressions_start(struct suppressions *suppressions, bool with_builtin)
{
    *suppressions = (struct suppressions){0};
    for (size_t i = 0; with_builtin && i < BUILTIN; i++)
        add(suppressions, (struct suppression){.pattern = copy_of(builtin[i].pattern),
                                               .blocks = builtin[i].blocks,
                                               .anywhere = builtin[i].anywhere});
    suppressions->builtin = suppressions->count;
}

void suppressions_free(struct suppressions *suppressions)
{
    for (size_t i = 0; i < suppressions->count; i++)
        free(suppressions->all[i].pattern);
    free(suppressions->all);
    *suppressions = (struct suppressions){0};
}

/* Cuts blanks, a carriage return and the newline off the end; returns where the line begins. */
static char *trim(char *line, size_t size)
{
    while (size && strchr(" \t\r\n\f\v", line[size - 1]))
        line[--size] = 0;
    return line + strspn(line, " \t");
}

static bool read_line(struct suppressions *suppressions, char *line, size_t size, const char *path,
                      unsigned number, struct failure *why)
{
    static const char leak[] = "leak:";
    if (strlen(line) < size)
        return failure_set(why, "%s:%u: has a zero byte, and so is no text", path, number);
    line = trim(line, size);
    if (!*line || *line == '#')
        return true;
    if (strncmp(line, leak, strlen(leak)) != 0)
        return failure_set(why, "%s:%u: not a suppression: it should be leak:PATTERN", path, number);
    if (!line[strlen(leak)])
        return failure_set(why, "%s:%u: the pattern is empty", path, number);
    add(suppressions,
        (struct suppression){.pattern = copy_of(line + strlen(leak)), .file = path, .line = number});
    return true;
}

bool suppressions_read(struct suppressions *suppressions, const char *path, struct failure *why)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return failure_set(why, "%s: %s", path, strerror(errno));
    char *line = NULL;
    size_t room = 0;
    bool fine = true;
    for (unsigned number = 1; fine; number++) {
        errno = 0;
        ssize_t size = getline(&line, &room, file);
        if (size < 0)
            break;
        fine = read_line(suppressions, line, (size_t)size, path, number, why);
    }
    if (fine && (ferror(file) || errno))
        fine = failure_set(why, "%s: %s", path, strerror(errno ? errno : EIO));
    free(line);
    fclose(file);
    return fine;
}

/* --- matching ------------------------------------------------------------------------------------------ */

/* What is known already: a frame and a path are in many stacks. */
enum { UNKNOWN = 0, NONE = 1, FIRST = 2 /* the number of a suppression is counted from here */ };

struct matcher {
    const struct suppressions *suppressions;
    const struct trace *trace;
    struct symbols *symbols;
    uint32_t *frames, *frames_builtin; /* by number of the frame */
    uint32_t *nodes;                   /* by number of the node: without the built-in ones */
};

static bool names_match(const struct suppression *suppression, const struct source_frame *frame)
{
    const char *pattern = suppression->pattern;
    return suppressions_match(pattern, frame->function) || suppressions_match(pattern, frame->file) ||
           suppressions_match(pattern, frame->module);
}

/* Looks a frame up among the suppressions from `first` to `end`. */
static uint32_t match_frame(struct matcher *matcher, uint32_t *known, uint32_t frame, size_t first,
                            size_t end)
{
    if (known[frame] != UNKNOWN || first == end)
        return known[frame];
    known[frame] = NONE;
    struct source_frames here = symbols_resolve(matcher->symbols, frame);
    for (size_t i = 0; i < here.count; i++)
        for (size_t number = first; number < end; number++)
            if (names_match(&matcher->suppressions->all[number], &here.frames[i]))
                return known[frame] = (uint32_t)number + FIRST;
    return known[frame];
}

/* From a path outwards, up to what is known; then all of them are. */
static uint32_t match_path(struct matcher *matcher, uint32_t innermost)
{
    const struct suppressions *suppressions = matcher->suppressions;
    const struct trace_node *nodes = matcher->trace->nodes;
    uint32_t node = innermost, found = NONE;
    for (; node >= TRACE_NODE_FIRST && found < FIRST; node = nodes[node].parent) {
        if (matcher->nodes[node] != UNKNOWN) {
            found = matcher->nodes[node];
            break;
        }
        found = match_frame(matcher, matcher->frames, nodes[node].frame, suppressions->builtin,
                            suppressions->count);
    }
    for (uint32_t inner = innermost; inner != node; inner = nodes[inner].parent)
        matcher->nodes[inner] = found;
    return found;
}

bool suppressions_is_runtime(const char *module)
{
    static const char *const names[] = {"libc.so.",     "ld-linux", "libstdc++.so.", "libgcc_s.so.",
                                        "libm.so.",     "libnss_",  "libpthread.so", "libdl.so.",
                                        "libresolv.so", "librt.so."};
    if (!module)
        return false;
    const char *slash = strrchr(module, '/'), *name = slash ? slash + 1 : module;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return strstr(module, "/gconv/") != NULL;
}

/* Whether a built-in suppression that was found is for so many blocks, in a frame of such a module. */
static bool applies(const struct suppression *suppression, bool runtime, uint64_t blocks)
{
    return (runtime || suppression->anywhere) && (!suppression->blocks || blocks <= suppression->blocks);
}

/* By the name under which the program calls the library, whose own names may be few. */
static uint32_t match_call(struct matcher *matcher, uint32_t frame, uint64_t blocks)
{
    const struct suppressions *suppressions = matcher->suppressions;
    const struct source_frame called = {.function = symbols_called(matcher->symbols, frame)};
    for (size_t i = 0; called.function && i < suppressions->builtin; i++)
        if (names_match(&suppressions->all[i], &called) && applies(&suppressions->all[i], true, blocks))
            return (uint32_t)i + FIRST;
    return NONE;
}

static uint32_t match_builtin(struct matcher *matcher, uint32_t innermost, uint64_t blocks)
{
    const struct trace *trace = matcher->trace;
    const struct suppressions *suppressions = matcher->suppressions;
    for (uint32_t node = innermost; node >= TRACE_NODE_FIRST; node = trace->nodes[node].parent) {
        uint32_t frame = trace->nodes[node].frame;
        bool runtime = suppressions_is_runtime(trace->module_paths[trace->frames[frame].module]);
        uint32_t found = match_frame(matcher, matcher->frames_builtin, frame, 0, suppressions->builtin);
        if (found >= FIRST && applies(&suppressions->all[found - FIRST], runtime, blocks))
            return found;
        if (!runtime)
            return node == innermost ? NONE : match_call(matcher, frame, blocks);
    }
    return NONE;
}

uint32_t *suppressions_of_sites(const struct suppressions *suppressions, const struct trace *trace,
                                struct symbols *symbols)
{
    struct matcher matcher = {
        .suppressions = suppressions,
        .trace = trace,
        .symbols = symbols,
        .frames = memory_get(trace->header.frame_count, sizeof(uint32_t)),
        .frames_builtin = memory_get(trace->header.frame_count, sizeof(uint32_t)),
        .nodes = memory_get(trace->header.node_count, sizeof(uint32_t)),
    };
    uint32_t *result = memory_get(trace->header.site_count, sizeof(*result));
    for (uint32_t site = 1; site < trace->header.site_count; site++) {
        const struct figures *figures = &trace->sites[site].figures;
        uint32_t node = stack_innermost(trace, site), found = NONE;
        if (figures->current_blocks) {
            found = match_path(&matcher, node);
            if (found < FIRST && suppressions->builtin)
                found = match_builtin(&matcher, node, figures->current_blocks);
        }
        result[site] = found < FIRST ? SUPPRESSED_BY_NONE : found - FIRST;
    }
    free(matcher.frames);
    free(matcher.frames_builtin);
    free(matcher.nodes);
    return result;
}
