/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM, counted. Children of a command are in groups of their own, so that a Ctrl-C
 * reaches the command alone, which ends them in order. */
#include "harness/cli/cli.h"

#include <signal.h>

static volatile sig_atomic_t interrupts;

static void on_signal(int number)
{
    interrupts = interrupts + 1;
    if (interrupts > 1)
        signal(number, SIG_DFL); /* the next one, if this one is not enough */
}

void cli_catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_signal};
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
