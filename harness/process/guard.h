/* SPDX-License-Identifier: MIT */
/*
 * A small process beside this one that outlives it for a moment: when this process ends in whatever
 * way, SIGKILL included, the guard kills every session that was announced and not withdrawn, and
 * every process that inherited this one's mark, whatever session it made and whoever its parent is
 * by then; then it ends. A child's death signal (PR_SET_PDEATHSIG) reaches the child alone, not
 * what it started, and what is orphaned is nobody's descendant any more.
 */
#ifndef HARNESS_GUARD_H
#define HARNESS_GUARD_H

#include <sys/types.h>

/* Starts the guard if there is none yet. Without one (no process to be had) the rest does
 * nothing. */
void guard_start(void);
/* The mark, as an environment variable "NAME=value" that a child is to be started with; those of
 * processes above this one are part of it. */
const char *guard_mark(void);
/* Announces a session; called by its leader, before it starts anything. */
void guard_announce(pid_t session);
/* Withdraws it; called while its leader cannot be reused as a number: before it is waited for. */
void guard_withdraw(pid_t session);

#endif
