// SPDX-License-Identifier: MIT
#include "output/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LEAST_COLUMNS 40

bool terminal_is_wide(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int columns_of(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col < LEAST_COLUMNS ? LEAST_COLUMNS : size.ws_col;
}

static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no && *no) && term && strcmp(term, "dumb") != 0;
}

struct terminal terminal_of(FILE *file)
{
    int fd = fileno(file);
    bool is = isatty(fd);
    return (struct terminal){
        .wide = terminal_is_wide(), .colour = is && wants_colour(), .columns = is ? columns_of(fd) : 0};
}
