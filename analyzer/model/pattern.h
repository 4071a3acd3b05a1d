// SPDX-License-Identifier: MIT
/* Patterns that frames are chosen by: a shell's glob over function, file or module. */
#ifndef MODEL_PATTERN_H
#define MODEL_PATTERN_H

#include "model/symbols.h"

enum pattern_field { PATTERN_ANY, PATTERN_FUNCTION, PATTERN_FILE, PATTERN_MODULE };

struct pattern {
    enum pattern_field field;
    char *glob;
    char *file; /* the glob without ":LINE" at its end; null: there is none */
    int line;
};

struct patterns {
    struct pattern *all;
    size_t count, capacity;
};

/* Adds what "function=GLOB", "file=GLOB", "file=GLOB:LINE", "module=GLOB" says, or a GLOB for the field
   `otherwise`.  False: it says nothing that makes sense. */
bool patterns_add(struct patterns *patterns, const char *text, enum pattern_field otherwise,
                  struct failure *why);

void patterns_free(struct patterns *patterns);

/* Whether any of the patterns matches the frame.  Of C++ functions the parameters can be left out; of files
   and modules any number of leading directories; a relative path of debug information matches what ends with
   it. */
bool patterns_match(const struct patterns *patterns, const struct source_frame *frame);

#endif
