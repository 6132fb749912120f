/* SPDX-License-Identifier: MIT */
#include "harness/base/clock.h"
#include "harness/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { TERMINAL_EVERY_MS = 500, PLAIN_EVERY_MS = 10000, LINE_MAX_BYTES = 512 };

static struct {
    bool has_begun, is_terminal;
    bool is_shown;     /* a line that has to be erased */
    uint64_t shown_ms; /* when it was; or the beginning */
} progress;

static bool is_due(void)
{
    uint64_t now = clock_now_ms();
    if (!progress.has_begun) {
        progress.has_begun = true;
        progress.is_terminal = isatty(STDERR_FILENO) != 0;
        progress.shown_ms = progress.is_terminal ? 0 : now;
    }
    uint64_t every = progress.is_terminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS;
    if (now - progress.shown_ms < every || cli_is_unread())
        return false;
    progress.shown_ms = now;
    return true;
}

void cli_show_progress(const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;
    if (!is_due())
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (progress.is_terminal) /* one that is wrapped could not be erased */
        fprintf(stderr, "\r\033[K%.*s", (int)cli_width(STDERR_FILENO, sizeof line) - 1, line);
    else
        fprintf(stderr, "%s\n", line);
    progress.is_shown = progress.is_terminal;
    fflush(stderr);
}

void cli_hide_progress(void)
{
    if (progress.is_shown)
        fputs("\r\033[K", stderr);
    progress.is_shown = false;
    progress.shown_ms = progress.is_terminal ? 0 : progress.shown_ms;
}
