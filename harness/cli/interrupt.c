/* SPDX-License-Identifier: MIT */
/*
 * What ends a command early: its time, or SIGINT and SIGTERM, which are counted. Children of a
 * command are in groups of their own, so that a Ctrl-C reaches the command alone, which ends them
 * in order. A reader that has gone away (`mallet list | head`) is an interrupt too: what nobody
 * reads need not be found out.
 */
#include "harness/base/clock.h"
#include "harness/cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t interrupts, is_unread;
static uint64_t begun_ms;

static void on_signal(int number)
{
    interrupts = interrupts + 1;
    if (interrupts > 1)
        signal(number, SIG_DFL); /* the next one, if this one is not enough */
}

static bool has_no_reader(int descriptor)
{
    struct pollfd state = {.fd = descriptor, .events = POLLOUT};
    return poll(&state, 1, 0) == 1 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

/* A child that has died while something was sent to it raises the same signal. */
static void on_broken_pipe(int number)
{
    (void)number;
    int saved = errno;
    if (has_no_reader(STDOUT_FILENO) || has_no_reader(STDERR_FILENO)) {
        is_unread = 1;
        interrupts = interrupts > 0 ? interrupts : 1;
    }
    errno = saved;
}

void cli_catch_broken_pipes(void)
{
    struct sigaction action = {.sa_handler = on_broken_pipe};
    sigaction(SIGPIPE, &action, NULL);
}

bool cli_is_unread(void)
{
    return is_unread != 0;
}

void cli_catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    begun_ms = clock_now_ms();
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

unsigned cli_interrupts(void)
{
    return (unsigned)interrupts;
}

bool cli_is_interrupted(void)
{
    return interrupts > 0;
}

const char *cli_why_over(void)
{
    return cli_is_interrupted() ? "interrupted" : "the time was over";
}

bool cli_is_over(const struct cli *cli, uint64_t done, uint64_t found)
{
    if (cli_is_interrupted())
        return true;
    bool is_late = cli->limit != 0 && clock_now_ms() - begun_ms >= cli->limit * UINT64_C(1000);
    return is_late && (found > 0 || done >= cli->at_least);
}
