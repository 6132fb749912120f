/* SPDX-License-Identifier: MIT */
#ifndef HARNESS_FORK_WAIT_H
#define HARNESS_FORK_WAIT_H

#include <sys/types.h>

enum fork_end {
    FORK_ENDED, /* by itself; the status is filled */
    FORK_HUNG,  /* killed: it had used its processor time */
    FORK_STUCK  /* killed: it had used none for as long as it may */
};

/* Waits for a plain fork of this process, for code that must go on in the same image, where
 * process.h has no place. A hang is processor time, so that a loaded machine invents none; a
 * deadlock is a long time without any. Allocates nothing. */
enum fork_end fork_wait(pid_t child, unsigned cpu_ms, unsigned idle_ms, int *ret_status);

#endif
