// SPDX-License-Identifier: MIT
/*
 * load_places TIMES: a thousand places in one function that allocate, TIMES times each; the blocks stay.
 */
#include "load.h"

static struct load load;

#define PLACE     load_born(&load, malloc(10), 10);
#define TEN(what) what what what what what what what what what what

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (int n = atoi(argv[1]); n > 0; n--) {
        TEN(TEN(TEN(PLACE)))
    }
    load_say(1, &load);
    return 0;
}
