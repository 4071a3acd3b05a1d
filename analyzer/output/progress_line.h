// SPDX-License-Identifier: MIT
/* How far long work is, in one line on stderr: only on a terminal, only after half a second, gone at its end. */
#ifndef OUTPUT_PROGRESS_LINE_H
#define OUTPUT_PROGRESS_LINE_H

/* From now on progress (model/progress.h) is shown, and what it says. */
void progress_line_start(void);

/* Takes it off the terminal, if it is there, before something else is written; it may come again. */
void progress_line_erase(void);

#endif
