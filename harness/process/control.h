/* SPDX-License-Identifier: MIT */
/*
 * A control process: it has this process's priority and wants the processor for a millisecond,
 * fifty times a second. How often it got it tells what time by the clock was worth to a process
 * that wants to run: beside others, an idle minute proves nothing.
 */
#ifndef HARNESS_CONTROL_H
#define HARNESS_CONTROL_H

#include <stdint.h>

/* A process that wants to run may call it a share if it is served every so often: a third of what
 * an idle machine has to give. */
enum { CONTROL_SHARE_MS = 60 };

/* How often it was served so far. Starts it at the first call; it ends with this process. Does not
 * grow where no process could be started. */
uint64_t control_turns(void);

#endif
