/* SPDX-License-Identifier: MIT */
#include "harness/base/clock.h"
#include "harness/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { TERMINAL_EVERY_MS = 500, PLAIN_EVERY_MS = 10000 };

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
    va_list arguments;
    if (!is_due())
        return;
    if (progress.is_terminal)
        fputs("\r\033[K", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    if (!progress.is_terminal)
        fputc('\n', stderr);
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
