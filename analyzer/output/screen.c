// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "output/screen.h"

#include <errno.h>
#include <error.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "output/terminal.h"
#include "output/utf8.h"

#include <ncurses.h>
#include <term.h> /* makes macros of common words */
#undef columns

#define ESCAPE_MS   25
#define CRASH_STACK 65536

static SCREEN *screen;
static int descriptor, keyboard;
static struct termios before;
static volatile sig_atomic_t asked;

/* What gives the terminal back, for a handler that must not call curses. */
static char farewell[512];
static size_t farewell_size;

static attr_t attributes[SCREEN_STYLES], chosen[SCREEN_STYLES];

/* --- however it ends ----------------------------------------------------------------------------------- */

static int collect(int byte)
{
    if (farewell_size < sizeof(farewell))
        farewell[farewell_size++] = (char)byte;
    return byte;
}

static void prepare_farewell(void)
{
    static const char *const names[] = {"sgr0", "op", "cnorm", "rmkx", "rmcup"};
    farewell_size = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *sequence = tigetstr((char *)names[i]);
        if (sequence && sequence != (char *)-1)
            tputs(sequence, 1, collect);
    }
}

void screen_rescue(void)
{
    tcsetattr(descriptor, TCSANOW, &before);
    while (write(descriptor, farewell, farewell_size) < 0 && errno == EINTR)
        ;
}

static void on_crash(int number)
{
    screen_rescue();
    signal(number, SIG_DFL);
    raise(number);
}

static void on_request(int number)
{
    asked = number;
}

static void catch_signals(void)
{
    static const int crashes[] = {SIGSEGV, SIGILL, SIGFPE, SIGABRT}, requests[] = {SIGINT, SIGTERM, SIGHUP};
    static char stack[CRASH_STACK];
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
    struct sigaction crash = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_RESETHAND};
    struct sigaction request = {.sa_handler = on_request};
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        sigaction(crashes[i], &crash, NULL);
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct sigaction found;
        if (sigaction(requests[i], NULL, &found) == 0 && found.sa_handler != SIG_IGN)
            sigaction(requests[i], &request, NULL);
    }
}

/* What error() says must not vanish with the screen. */
static void before_error(void)
{
    screen_close();
    fprintf(stderr, "%s: ", program_invocation_short_name);
}

int screen_signal(void)
{
    return asked;
}

/* --- taking the terminal ----------------------------------------------------------------------------- */

bool screen_is_fit(FILE *out, FILE *keys, struct failure *why)
{
    int error;
    const char *term = getenv("TERM");
    if (!isatty(fileno(out)))
        return failure_set(why, "the output is no terminal");
    if (!isatty(fileno(keys)))
        return failure_set(why, "the input is no terminal");
    if (!term || !*term)
        return failure_set(why, "TERM is not set: what the terminal can do is not known");
    if (setupterm(NULL, fileno(out), &error) != OK)
        return failure_set(why, "a terminal of the kind TERM=%s is not known here", term);
    const char *move = tigetstr("cup");
    bool fit = move && move != (char *)-1;
    if (fit)
        prepare_farewell();
    descriptor = fileno(out);
    tcgetattr(descriptor, &before);
    del_curterm(cur_term);
    return fit || failure_set(why, "the terminal (TERM=%s) cannot show a full screen", term);
}

/* With few colours, with 256, and with those on the line where the user is; -1: the terminal's own. */
static const struct look {
    short few, many, chosen;
    attr_t attributes;
} looks[SCREEN_STYLES] = {
    [SCREEN_PLAIN] = {-1, -1, 255, A_NORMAL},
    [SCREEN_STRONG] = {-1, -1, 255, A_BOLD},
    [SCREEN_FAINT] = {-1, 245, 249, A_DIM},
    [SCREEN_WARN] = {COLOR_YELLOW, 208, 214, A_NORMAL},
    [SCREEN_GOOD] = {COLOR_GREEN, 71, 114, A_NORMAL},
    [SCREEN_FIRST] = {COLOR_CYAN, 74, 117, A_NORMAL},
    [SCREEN_SECOND] = {COLOR_YELLOW, 172, 214, A_NORMAL},
    [SCREEN_BAR] = {-1, 255, 255, A_REVERSE},
};

#define BACK_BAR    24  /* of 256 colours, behind head and titles */
#define BACK_CHOSEN 238 /* and behind the line where the user is */

static void set_style(int style, bool colour, bool rich)
{
    const struct look *look = &looks[style];
    attributes[style] = look->attributes;
    chosen[style] = A_REVERSE;
    if (rich) {
        init_pair((short)(style + 1), look->many, style == SCREEN_BAR ? BACK_BAR : -1);
        init_pair((short)(style + 1 + SCREEN_STYLES), look->chosen, BACK_CHOSEN);
        attr_t bold = look->attributes & A_BOLD;
        attributes[style] = (attr_t)COLOR_PAIR(style + 1) | bold;
        chosen[style] = (attr_t)COLOR_PAIR(style + 1 + SCREEN_STYLES) | bold;
    } else if (colour && look->few >= 0) {
        init_pair((short)(style + 1), look->few, -1);
        attributes[style] |= (attr_t)COLOR_PAIR(style + 1);
    }
}

static void set_styles(void)
{
    const char *no = getenv("NO_COLOR");
    bool colour = has_colors() && !(no && *no);
    if (colour) {
        start_color();
        use_default_colors();
    }
    bool rich = colour && COLORS >= 256 && COLOR_PAIRS > 2 * SCREEN_STYLES;
    for (int i = 0; i < SCREEN_STYLES; i++)
        set_style(i, colour, rich);
}

bool screen_open(FILE *out, FILE *keys, struct failure *why)
{
    if (!screen_is_fit(out, keys, why))
        return false;
    keyboard = fileno(keys);
    screen = newterm(NULL, out, keys);
    if (!screen)
        return failure_set(why, "the terminal cannot be used");
    atexit(screen_close);
    error_print_progname = before_error;
    catch_signals();
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    curs_set(0);
    set_styles();
    return true;
}

void screen_close(void)
{
    if (!screen)
        return;
    endwin();
    delscreen(screen);
    screen = NULL;
    error_print_progname = NULL;
}

/* --- pictures ------------------------------------------------------------------------------------------ */

int screen_rows(void)
{
    return LINES;
}

int screen_columns(void)
{
    return COLS;
}

void screen_erase(void)
{
    erase();
}

void screen_show(void)
{
    refresh();
}

static attr_t attributes_of(int style)
{
    int plain = style & (SCREEN_CHOSEN - 1);
    return style & SCREEN_CHOSEN ? chosen[plain] : attributes[plain];
}

int screen_put(int row, int column, int room, int style, const char *text)
{
    if (room > COLS - column)
        room = COLS - column;
    if (row < 0 || row >= LINES || column < 0 || room <= 0)
        return 0;
    int columns = (int)utf8_columns(text);
    char *clipped = columns > room ? utf8_clip(text, (size_t)room, terminal_is_wide(), false) : NULL;
    attrset(attributes_of(style));
    mvaddstr(row, column, clipped ? clipped : text);
    attrset(A_NORMAL);
    free(clipped);
    return columns > room ? room : columns;
}

void screen_line(int row, int style)
{
    if (row < 0 || row >= LINES)
        return;
    attrset(attributes_of(style));
    mvhline(row, 0, ' ', COLS);
    attrset(A_NORMAL);
}

/* --- keys ---------------------------------------------------------------------------------------------- */

static uint32_t key_of(wint_t code)
{
    static const struct {
        wint_t code;
        uint32_t key;
    } keys[] = {
        {KEY_UP, KEY_IS_UP},          {KEY_DOWN, KEY_IS_DOWN},     {KEY_LEFT, KEY_IS_LEFT},
        {KEY_RIGHT, KEY_IS_RIGHT},    {KEY_PPAGE, KEY_IS_PAGE_UP}, {KEY_NPAGE, KEY_IS_PAGE_DOWN},
        {KEY_HOME, KEY_IS_HOME},      {KEY_END, KEY_IS_END},       {KEY_ENTER, KEY_IS_ENTER},
        {KEY_BACKSPACE, KEY_IS_BACK}, {KEY_RESIZE, KEY_IS_RESIZE},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].code == code)
            return keys[i].key;
    return KEY_IS_OTHER;
}

/* A terminal that is gone never waits for a key. */
static void check_keyboard(void)
{
    struct pollfd state = {.fd = keyboard, .events = POLLIN};
    if (poll(&state, 1, 0) > 0 && state.revents & (POLLHUP | POLLERR | POLLNVAL))
        asked = SIGHUP;
}

uint32_t screen_key(unsigned milliseconds)
{
    wint_t code;
    timeout((int)milliseconds);
    switch (get_wch(&code)) {
    case KEY_CODE_YES:
        return key_of(code);
    case OK:
        break;
    default:
        check_keyboard();
        return KEY_IS_NONE;
    }
    if (code == '\r' || code == '\n')
        return KEY_IS_ENTER;
    if (code == 0x7f || code == '\b')
        return KEY_IS_BACK;
    return code == 0x1b ? KEY_IS_ESCAPE : (uint32_t)code;
}
