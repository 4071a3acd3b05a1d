// SPDX-License-Identifier: MIT
/*
 * A terminal as a full screen.  However this program ends, by exit, a signal or a crash, the terminal is left
 * as it was found.
 */
#ifndef OUTPUT_SCREEN_H
#define OUTPUT_SCREEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/failure.h"

enum screen_style {
    SCREEN_PLAIN,
    SCREEN_STRONG,
    SCREEN_FAINT,
    SCREEN_WARN,
    SCREEN_GOOD,
    SCREEN_FIRST, /* the two colours of a picture */
    SCREEN_SECOND,
    SCREEN_BAR, /* head and foot */
    SCREEN_STYLES,
    SCREEN_CHOSEN = 0x100, /* besides: the line where the user is */
};

/* Keys that are no character. */
enum {
    KEY_IS_NONE = 0x200000, /* none was pressed */
    KEY_IS_UP,
    KEY_IS_DOWN,
    KEY_IS_LEFT,
    KEY_IS_RIGHT,
    KEY_IS_PAGE_UP,
    KEY_IS_PAGE_DOWN,
    KEY_IS_HOME,
    KEY_IS_END,
    KEY_IS_ENTER,
    KEY_IS_BACK, /* backspace */
    KEY_IS_ESCAPE,
    KEY_IS_RESIZE, /* the screen has another size */
    KEY_IS_OTHER,
};

/* Whether a full screen can be shown there: it is a terminal, and a fit one.  `keys`: where what is typed
   comes from. */
bool screen_is_fit(FILE *out, FILE *keys, struct failure *why);

/* Makes the terminal what it was when screen_is_fit() was asked, whatever who took it meanwhile has left it as.
   A handler of signals may call it. */
void screen_rescue(void);

/* Takes a terminal.  False: it is not fit. */
bool screen_open(FILE *out, FILE *keys, struct failure *why);

/* Gives it back; harmless when there is none. */
void screen_close(void);

int screen_rows(void);
int screen_columns(void);

/* Begins a new picture, and shows it. */
void screen_erase(void);
void screen_show(void);

/* Puts harmless text (see output/utf8.h) that is at most `room` columns wide, or the beginning of it; returns
   the columns that it took.  What is off the screen is left out. */
int screen_put(int row, int column, int room, int style, const char *text);

/* The whole line in a style. */
void screen_line(int row, int style);

/* The key that was pressed, a character or one of those above; waits so long for it. */
uint32_t screen_key(unsigned milliseconds);

/* The signal that asks this program to end (SIGINT, SIGTERM, SIGHUP), 0 if there was none. */
int screen_signal(void);

#endif
