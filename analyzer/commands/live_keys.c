// SPDX-License-Identifier: MIT
#include <string.h>

#include "commands/live_session.h"
#include "output/screen.h"
#include "output/utf8.h"

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
        session_change_trace(session, session->path);
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

void session_press(struct session *session, uint32_t key)
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
