// SPDX-License-Identifier: MIT
/* Long work in the model tells how far it is, and what the user has to know meanwhile; whoever listens decides
   what is shown of it.  One thread. */
#ifndef MODEL_PROGRESS_H
#define MODEL_PROGRESS_H

#include <stdint.h>

/* A piece of work that is under way, maybe as a part of another. */
struct progress {
    const char *what;     /* "reading symbols" */
    uint64_t done, whole; /* in a unit of its own; whole 0: not known */
    struct progress *outer;
};

struct progress_listener {
    void (*show)(const struct progress *progress); /* null: no work is under way any more */
    void (*say)(const char *sentence);
};

/* From now on this one is told; without one nobody is. */
void progress_listen(const struct progress_listener *listener);

/* Begins and ends a piece of work; `what` must live as long.  Between them nothing else may be written to a
   terminal but by `say`. */
void progress_begin(struct progress *progress, const char *what);
void progress_end(const struct progress *progress);

/* How far the innermost piece of work is.  Cheap enough for an inner loop; without any it does nothing. */
void progress_at(uint64_t done, uint64_t whole);

/* It still goes on. */
void progress_tick(void);

/* Tells the user one sentence, without a newline. */
void progress_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
