/* SPDX-License-Identifier: MIT */
/* What the terminal that a command writes to can show. */
#include "harness/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_MIN = 40 };

bool cli_has_colour(void)
{
    const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && (refused == NULL || refused[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

unsigned cli_width(int descriptor, unsigned usual)
{
    struct winsize size;
    if (!isatty(descriptor) || ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return usual;
    unsigned width = size.ws_col < usual ? size.ws_col : usual;
    return width > WIDTH_MIN ? width : WIDTH_MIN;
}
