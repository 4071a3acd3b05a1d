// SPDX-License-Identifier: MIT
#include "output/progress_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/clock.h"
#include "model/progress.h"
#include "output/message.h"
#include "output/terminal.h"
#include "output/units.h"
#include "output/utf8.h"

#define SILENT_NS UINT64_C(500000000) /* shorter work is not worth a line */
#define AGAIN_NS  UINT64_C(100000000)
#define BAR       30
#define LEAST     0.02 /* of the work: less does not tell how long the rest takes */

static struct {
    const struct progress *work; /* null: none is under way */
    uint64_t began_ns, drawn_ns;
    bool there;
} line;

static void put_bar(char *text, size_t size, double part, uint64_t elapsed_ns)
{
    char blocks[BAR + 1], left[UNITS_SIZE];
    double seconds = (double)elapsed_ns / 1e9 * (1 - part) / (part > LEAST ? part : 1);
    for (int i = 0; i < BAR; i++)
        blocks[i] = i < (int)(part * BAR) ? '#' : '.';
    blocks[BAR] = 0;
    int used = snprintf(text, size, "  [%s] %3d %%", blocks, (int)(100 * part));
    if (part > LEAST && seconds < 100)
        snprintf(text + used, size - (size_t)used, "  %.0f s left", seconds);
    else if (part > LEAST)
        snprintf(text + used, size - (size_t)used, "  %s left",
                 units_duration((uint64_t)(seconds * 1e9), left));
}

static void draw(const struct progress *work, uint64_t elapsed_ns)
{
    struct terminal terminal = terminal_of(stderr);
    char rest[160] = "";
    double part = work->whole ? (double)work->done / (double)work->whole : 0;
    if (work->whole)
        put_bar(rest, sizeof(rest), part < 1 ? part : 1, elapsed_ns);
    size_t columns = (size_t)terminal.columns - 1, taken = strlen(rest);
    char *what = utf8_escape(work->what, terminal.wide);
    char *clipped = utf8_clip(what, columns > taken ? columns - taken : columns, terminal.wide, false);
    fprintf(stderr, "\r%s%s\033[K", clipped, columns > taken ? rest : "");
    fflush(stderr);
    free(clipped);
    free(what);
}

void progress_line_erase(void)
{
    if (line.there)
        fputs("\r\033[K", stderr);
    line.there = false;
}

static void show(const struct progress *work)
{
    uint64_t now = now_ns();
    if (!work)
        progress_line_erase();
    if (work != line.work)
        line.began_ns = now; /* what is left of it is reckoned from here */
    if (!work || !line.work)
        line.drawn_ns = now + SILENT_NS - AGAIN_NS;
    line.work = work;
    if (!work || now < line.drawn_ns || now - line.drawn_ns < AGAIN_NS)
        return;
    draw(work, now - line.began_ns);
    line.drawn_ns = now;
    line.there = true;
}

static void nothing(const struct progress *work)
{
    (void)work;
}

static void say(const char *sentence)
{
    message("%s", sentence);
}

void progress_line_start(void)
{
    static struct progress_listener listener = {.show = nothing, .say = say};
    const char *kind = getenv("TERM");
    if (isatty(STDERR_FILENO) && kind && strcmp(kind, "dumb") != 0)
        listener.show = show;
    progress_listen(&listener);
}
