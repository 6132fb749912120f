/* SPDX-License-Identifier: MIT */
/* Calls that do not return, or end the process. */
#include "harness/program/parts/fail.h"

static void give_up(int number)
{
    (void)number;
    FAIL("a call did not return within 10 s\n");
}

static int is_done;

static void check_done(void)
{
    if (!is_done)
        FAIL("a call ended the process\n");
}
