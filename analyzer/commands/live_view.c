// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* asprintf */
#include "commands/live_view.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/commands.h"
#include "commands/live_session.h"
#include "model/clock.h"
#include "model/find.h"
#include "model/progress.h"
#include "output/message.h"
#include "output/screen.h"
#include "output/terminal.h"
#include "output/utf8.h"

#define SECOND    UINT64_C(1000000000)
#define TICK_NS   (SECOND / 10)
#define TICK_MOST SECOND
#define SHARE     60            /* a tick comes no sooner than so many times what it costs */
#define WORK_NS   (SECOND / 40) /* of resolving, between two looks at the keys */

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
        uint64_t now = now_ns();
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
    uint64_t now = now_ns();
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
    ranking_update(live->ranking, changed, count, now_ns());
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

void session_change_trace(struct session *session, const char *path)
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
        session_change_trace(session, path);
    free(path);
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
        uint64_t now = now_ns();
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
        now = now_ns();
        uint64_t wait = session->redraw || now >= next ? 0 : (next - now) / 1000000 + 1;
        for (uint32_t key = screen_key((unsigned)wait); key != KEY_IS_NONE; key = screen_key(0)) {
            /* What is chosen is known once it is drawn, and keys may come faster than that. */
            if (session->redraw && (key == KEY_IS_ENTER || key == KEY_IS_RIGHT))
                draw(session);
            session_press(session, key);
        }
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
