// SPDX-License-Identifier: MIT
/* What a trace keeps open of its file, to read a snapshot when it is asked for. */
#ifndef MODEL_READER_H
#define MODEL_READER_H

#include "model/file.h"
#include "model/sections.h"

struct reader {
    struct file file;
    struct sections sections;
};

#endif
