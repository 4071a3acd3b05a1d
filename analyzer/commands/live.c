// SPDX-License-Identifier: MIT
/* tracemalloc live: a program's heap while it runs. */
#define _GNU_SOURCE 1
#include "commands/live.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/options.h"
#include "commands/view_options.h"
#include "model/find.h"
#include "model/progress.h"
#include "model/watch.h"
#include "output/live.h"
#include "output/message.h"
#include "output/screen.h"
#include "output/terminal.h"
#include "output/utf8.h"

#define SECOND    UINT64_C(1000000000)
#define TICK_NS   (SECOND / 10)
#define TICK_MOST SECOND
#define SHARE     60            /* a tick comes no sooner than so many times what it costs */
#define WORK_NS   (SECOND / 40) /* of resolving, between two looks at the keys */

/* Totals as they were a while ago. */
struct base {
    uint64_t ns; /* 0: none */
    uint64_t current_bytes, allocations;
};

struct session {
    struct live_start start;
    char *path; /* of the trace that is shown */
    struct watch *watch;
    struct history history;
    struct live live;
    struct base old, new;
    uint64_t cost; /* of a tick, about */
    uint64_t checked_ns;
    ino_t inode;
    bool lost, quit, redraw;
    char trouble[1024], progress[64];
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* --- looks --------------------------------------------------------------------------------------------- */

static void set_trouble(struct session *session, const char *what)
{
    char *text = NULL, *harmless;
    if (asprintf(&text, "%s %s", session->path, what) < 0)
        return;
    harmless = utf8_escape(text, terminal_is_wide());
    snprintf(session->trouble, sizeof(session->trouble), "%s", harmless);
    session->live.trouble = session->trouble;
    free(harmless);
    free(text);
}

/* Whether the name stands for another file by now. */
static void check_file(struct session *session)
{
    struct stat stat_now;
    if (session->lost)
        return;
    session->live.trouble = NULL;
    if (stat(session->path, &stat_now) != 0)
        set_trouble(session, "was removed: what it was is still shown");
    else if (stat_now.st_ino != session->inode)
        set_trouble(session, "was replaced: r opens the new one");
}

/* The state as far as it can have changed; all of it each second, as an exec or an end unnoted shows only in
   /proc. */
static void check_process(struct session *session, bool thoroughly)
{
    struct live *live = &session->live;
    const struct trace_header *header = &live->trace->header;
    bool alive = false;
    if (live->process.end == PROCESS_RUNNING && header->state == TRACE_RUNNING && !thoroughly &&
        process_start_time(header->pid, &alive) == header->process_start && alive) {
        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        live->process.duration_ns = now > header->started_ns ? now - header->started_ns : 0;
        return;
    }
    if (live->process.end != PROCESS_RUNNING && live->process.end != PROCESS_ENDED)
        return;
    uint64_t seen_ns = live->process.duration_ns;
    live->process = process_of(live->trace);
    if (live->process.end == PROCESS_ENDED && live->process.duration_ns < seen_ns)
        live->process.duration_ns = seen_ns;
}

static void note_moment(struct session *session, bool was_running)
{
    struct live *live = &session->live;
    bool runs = live->process.end == PROCESS_RUNNING;
    live->resident_bytes = runs ? process_resident(live->trace->header.pid) : 0;
    if (!runs && !was_running)
        return;
    struct point point = {.ns = live->process.duration_ns,
                          .current_bytes = live->trace->totals.current_bytes,
                          .blocks = live->trace->totals.current_blocks,
                          .resident_bytes = live->resident_bytes};
    history_add(&session->history, &point);
}

static void note_rates(struct session *session, uint64_t now)
{
    const struct figures *totals = &session->live.trace->totals;
    struct live_rates *rates = &session->live.rates;
    if (!session->new.ns || now - session->new.ns >= SECOND) {
        session->old = session->new;
        session->new = (struct base){now, totals->current_bytes, totals->allocations};
    }
    const struct base *base = session->old.ns ? &session->old : &session->new;
    rates->known = now >= base->ns + SECOND / 2;
    if (!rates->known)
        return;
    double seconds = (double)(now - base->ns) / 1e9;
    rates->current_bytes = ((double)totals->current_bytes - (double)base->current_bytes) / seconds;
    rates->allocations = ((double)totals->allocations - (double)base->allocations) / seconds;
}

static void look(struct session *session)
{
    struct live *live = &session->live;
    struct failure why;
    size_t count;
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    bool thoroughly = now - session->checked_ns >= SECOND, was_running = live->process.end == PROCESS_RUNNING;
    if (thoroughly) {
        session->checked_ns = now;
        check_file(session);
    }
    if (!session->lost && !watch_update(session->watch, &why)) {
        session->lost = true;
        set_trouble(session, why.text);
    }
    check_process(session, thoroughly);
    note_moment(session, was_running);
    note_rates(session, now);
    const uint32_t *changed = watch_changed(session->watch, &count);
    ranking_update(live->ranking, changed, count, now);
}

/* --- a trace that is shown ----------------------------------------------------------------------------- */

static bool open_trace(struct session *session, struct failure *why)
{
    struct live *live = &session->live;
    const struct live_start *start = &session->start;
    size_t count;
    session->watch = watch_open(start->path, why);
    if (!session->watch)
        return false;
    session->path = strdup(start->path);
    const struct trace *trace = live->trace = watch_trace(session->watch);
    live->symbols = symbols_open(trace);
    live->ranking = ranking_open(trace, live->symbols, &start->view);
    live->history = &session->history;
    live->process = process_of(trace);
    live->starting = true;
    session->inode = trace->inode;
    for (size_t i = 0; i < trace->point_count; i++)
        history_add(&session->history, &trace->points[i]);
    const uint32_t *changed = watch_changed(session->watch, &count);
    ranking_update(live->ranking, changed, count, clock_ns(CLOCK_MONOTONIC));
    return true;
}

static void close_trace(struct session *session)
{
    live_forget_names(&session->live);
    ranking_close(session->live.ranking);
    symbols_close(session->live.symbols);
    watch_close(session->watch);
    history_free(&session->history);
    free(session->path);
}

/* Another file instead of the one that is shown; the view is as it was. */
static void change_trace(struct session *session, const char *path)
{
    struct session fresh = {.start = session->start, .checked_ns = session->checked_ns};
    struct failure why;
    fresh.start.path = path;
    fresh.start.view = *ranking_view(session->live.ranking);
    if (!open_trace(&fresh, &why)) {
        set_trouble(session, why.text);
        return;
    }
    fresh.live.recent = session->live.recent;
    strcpy(fresh.live.filter, session->live.filter);
    ranking_filter(fresh.live.ranking, fresh.live.filter);
    close_trace(session);
    *session = fresh;
    session->live.history = &session->history;
}

/* After an exec the process goes on, and records in another file. */
static void follow_process(struct session *session)
{
    const struct trace_header *header = &session->live.trace->header;
    if (!session->start.follow || session->live.process.end != PROCESS_ENDED || !process_is_there(header))
        return;
    char *path = find_mapped(header->pid);
    if (path && strcmp(path, session->path) != 0)
        change_trace(session, path);
    free(path);
}

/* --- keys ---------------------------------------------------------------------------------------------- */

static void forget_rows(struct session *session)
{
    live_forget_names(&session->live);
    session->live.line = session->live.first = 0;
}

static void set_filter(struct session *session)
{
    ranking_filter(session->live.ranking, session->live.filter);
    forget_rows(session);
}

static void group(struct session *session, int step)
{
    struct ranking *ranking = session->live.ranking;
    int by = (int)ranking_view(ranking)->by;
    ranking_group(ranking, (enum grouping)((by + step + GROUPINGS) % GROUPINGS));
    forget_rows(session);
}

static void sort(struct session *session, enum metric metric)
{
    ranking_sort(session->live.ranking, metric);
    session->live.line = session->live.first = 0;
}

static void sort_next(struct session *session, int step)
{
    int metric = (int)ranking_view(session->live.ranking)->metric;
    sort(session, (enum metric)((metric + step + METRICS) % METRICS));
}

static void enter(struct session *session)
{
    struct live *live = &session->live;
    if (live->page != LIVE_ROWS || !live->has_chosen)
        return;
    if (!live->chosen.site) {
        ranking_enter(live->ranking, &live->chosen);
        forget_rows(session);
        return;
    }
    live->site = live->chosen.site;
    live->page = LIVE_STACK;
    live->line = 0;
}

static void back(struct session *session)
{
    struct live *live = &session->live;
    if (live->page != LIVE_ROWS) {
        live->page = LIVE_ROWS;
        live->line = live->first;
    } else if (ranking_inside(live->ranking)) {
        ranking_leave(live->ranking);
        forget_rows(session);
    } else if (live->filter[0]) {
        live->filter[0] = 0;
        set_filter(session);
    }
}

/* A character more, or the last one less. */
static void type(struct session *session, uint32_t key)
{
    char *filter = session->live.filter, bytes[5];
    size_t size = strlen(filter), more;
    if (key == KEY_IS_ENTER || key == KEY_IS_ESCAPE)
        session->live.typing = false;
    if (key == KEY_IS_ESCAPE)
        filter[0] = 0;
    else if (key == KEY_IS_BACK && size)
        for (filter[--size] = 0; size && (filter[size] & 0xc0) == 0x80; filter[size] = 0)
            size--;
    else if (key < KEY_IS_NONE && utf8_is_printable(key) &&
             (more = utf8_encode(key, bytes)) + size < LIVE_FILTER)
        strcat(filter, bytes);
    else
        return;
    set_filter(session);
}

static void move(struct live *live, uint32_t key)
{
    size_t page = live->shown > 1 ? live->shown - 1 : 1;
    switch (key) {
    case KEY_IS_UP:
        live->line -= live->line > 0;
        break;
    case KEY_IS_DOWN:
        live->line++;
        break;
    case KEY_IS_PAGE_UP:
        live->line -= live->line < page ? live->line : page;
        break;
    case KEY_IS_PAGE_DOWN:
        live->line += page;
        break;
    case KEY_IS_HOME:
        live->line = 0;
        break;
    default:
        live->line = SIZE_MAX / 2; /* as far as there is something */
    }
}

static void letter(struct session *session, uint32_t key)
{
    static const char metrics[METRICS + 1] = "pcant";
    struct live *live = &session->live;
    const char *metric = key < 128 && key ? strchr(metrics, (int)key) : NULL;
    if (metric && live->page == LIVE_ROWS)
        sort(session, (enum metric)(metric - metrics));
    else if (key == 'q')
        session->quit = true;
    else if (key == '?' || key == 'h')
        live->page = live->page == LIVE_HELP ? LIVE_ROWS : LIVE_HELP;
    else if (key == ' ')
        live->paused = !live->paused;
    else if (key == 'w')
        live->recent = !live->recent;
    else if (key == 'r')
        change_trace(session, session->path);
    else if (key == 'j' || key == 'k')
        move(live, key == 'j' ? KEY_IS_DOWN : KEY_IS_UP);
    else if (live->page != LIVE_ROWS)
        return;
    else if (key == 's' || key == 'S')
        sort_next(session, key == 's' ? 1 : -1);
    else if (key == 'g' || key == 'G')
        group(session, key == 'g' ? 1 : -1);
    else if (key == '/')
        live->typing = true;
}

static void press(struct session *session, uint32_t key)
{
    session->redraw = true;
    if (key == KEY_IS_RESIZE)
        return;
    if (session->live.typing)
        type(session, key);
    else if (key < KEY_IS_NONE)
        letter(session, key);
    else if (key == KEY_IS_ENTER || key == KEY_IS_RIGHT)
        enter(session);
    else if (key == KEY_IS_ESCAPE || key == KEY_IS_BACK || key == KEY_IS_LEFT)
        back(session);
    else if (key >= KEY_IS_UP && key <= KEY_IS_END)
        move(&session->live, key);
}

/* --- the loop ------------------------------------------------------------------------------------------ */

/* Not more than a small part of a processor's time: for large traces it is rarer. */
static uint64_t interval(const struct session *session)
{
    const struct live *live = &session->live;
    uint64_t wanted = session->cost * SHARE;
    if (live->paused || live->process.end != PROCESS_RUNNING)
        return TICK_MOST;
    return wanted < TICK_NS ? TICK_NS : wanted > TICK_MOST ? TICK_MOST : wanted;
}

static void draw(struct session *session)
{
    struct live *live = &session->live;
    struct progress progress;
    progress_begin(&progress, "reading symbols");
    bool more = ranking_work(live->ranking, WORK_NS);
    snprintf(session->progress, sizeof(session->progress), "reading symbols: %.0f %%",
             100 * ranking_progress(live->ranking));
    live->busy = more || live->starting ? session->progress : NULL;
    session->redraw = more;
    live_draw(live);
    progress_end(&progress);
    if (live->starting) {
        live->starting = false;
        session->redraw = true;
    }
}

static void watch_until_left(struct session *session)
{
    uint64_t next = 0;
    session->redraw = true;
    while (!session->quit && !screen_signal()) {
        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        if (now >= next) {
            uint64_t begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);
            bool regular = !session->redraw;
            if (!session->live.paused) {
                look(session);
                follow_process(session);
            }
            draw(session);
            if (regular)
                session->cost += (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun) / 8 - session->cost / 8;
            next = now + interval(session);
        } else if (session->redraw) {
            draw(session);
        }
        now = clock_ns(CLOCK_MONOTONIC);
        uint64_t wait = session->redraw || now >= next ? 0 : (next - now) / 1000000 + 1;
        for (uint32_t key = screen_key((unsigned)wait); key != KEY_IS_NONE; key = screen_key(0))
            press(session, key);
    }
}

int live_show(const struct live_start *start)
{
    struct session session = {.start = *start};
    struct failure why;
    if (!open_trace(&session, &why)) {
        message("%s: %s", start->path, why.text);
        return EXIT_FAILURE;
    }
    bool fit = screen_open(start->out, start->keys, &why);
    if (fit) {
        live_listen();
        watch_until_left(&session);
        live_listen_no_more();
    }
    screen_close();
    close_trace(&session);
    if (!fit) {
        message("%s; `tracemalloc report` prints the same without a full screen", why.text);
        return EXIT_USAGE;
    }
    int asked = screen_signal();
    if (asked == SIGTERM || asked == SIGHUP) {
        signal(asked, SIG_DFL);
        raise(asked);
    }
    return EXIT_SUCCESS;
}

/* --- the command --------------------------------------------------------------------------------------- */

struct options {
    const char *what;
    struct view_options view;
};

enum { KEY_SORT = 's' };

static const struct argp_option argp_options[] = {
    {"sort", KEY_SORT, "WHAT", 0, "Rank by current (default), peak, allocated, allocations or temporary", 0},
    {0}};

static const struct argp_child children[] = {
    {&view_argp_selection}, {&view_argp_grouping}, {&view_argp_cumulative}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; i < 3; i++)
            state->child_inputs[i] = &options->view;
        return 0;
    case KEY_SORT:
        options->view.view.metric =
            (enum metric)options_choose(state, "sort", argument, metric_names, METRICS);
        return 0;
    case ARGP_KEY_ARG:
        if (options->what)
            argp_error(state, "one program at a time, please");
        options->what = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[PID|FILE]",
    "Watch a program's heap while it runs: totals, their course, the top call sites, whole stacks."
    "\vPID is a process that is recorded, FILE a trace, of a program that runs or has ended. Without either "
    "it is "
    "the newest trace of a running program in the current directory, or else the newest. Press ? for the "
    "keys.",
    children,
    NULL,
    NULL};

/* A number, unless a file bears that very name. */
static bool is_process(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits && digits < 10 && !text[digits] && access(text, F_OK) != 0;
}

static char *find_trace(const char *what)
{
    if (!what) {
        char *running = find_running(".");
        return running ? running : options_trace(NULL);
    }
    return is_process(what) ? options_trace_of_process(atoi(what)) : options_trace(what);
}

int command_live(int argc, char **argv)
{
    struct options options = {.view.view.metric = METRIC_CURRENT};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (options.what && strchr(options.what, '@') && access(options.what, F_OK) != 0) {
        message("%s: a snapshot does not change: `tracemalloc report` shows it", options.what);
        return EXIT_USAGE;
    }
    char *path = find_trace(options.what);
    if (!path)
        return EXIT_FAILURE;
    struct live_start start = {.path = path,
                               .follow = options.what && is_process(options.what),
                               .view = options.view.view,
                               .out = stdout,
                               .keys = stdin};
    int status = live_show(&start);
    view_free(&options.view.view);
    free(path);
    return status;
}
