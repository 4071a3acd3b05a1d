// SPDX-License-Identifier: MIT
/* Work that takes long, at the foot of the live view. */
#include <stdlib.h>

#include "model/clock.h"
#include "model/progress.h"
#include "output/live_parts.h"
#include "output/screen.h"
#include "output/terminal.h"
#include "output/utf8.h"

#define SILENT_NS UINT64_C(200000000)

static struct {
    const struct progress *work; /* null: none */
    uint64_t drawn_ns;
} shown;

static void put_message(const char *text)
{
    char *harmless = utf8_escape(text, terminal_is_wide());
    int row = screen_rows() - 1;
    screen_line(row, SCREEN_PLAIN);
    screen_put(row, MARGIN, screen_columns() - MARGIN, SCREEN_WARN, harmless);
    screen_show();
    free(harmless);
}

static void show(const struct progress *work)
{
    char text[512];
    uint64_t now = now_ns();
    bool begins = work && !shown.work;
    shown.work = work;
    if (begins)
        shown.drawn_ns = now;
    if (!work || now - shown.drawn_ns < SILENT_NS)
        return;
    shown.drawn_ns = now;
    double share = work->whole ? (double)work->done / (double)work->whole : 0;
    snprintf(text, sizeof(text), "%s: %.0f %%", work->what, 100 * (share < 1 ? share : 1));
    put_message(work->whole ? text : work->what);
}

void live_listen(void)
{
    static const struct progress_listener listener = {.show = show, .say = put_message};
    progress_listen(&listener);
}

void live_listen_no_more(void)
{
    progress_listen(NULL);
}
