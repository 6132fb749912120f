/* SPDX-License-Identifier: MIT */
/* What a thread may do, for scenarios that combine it. A role runs until the time is over and then
 * drops what it holds. */
#ifndef TORTURE_ROLES_H
#define TORTURE_ROLES_H

#include "adversity/torture/testlib.h"

/* Makes blocks, hands them to any worker's boxes, takes from its own. scenario_handoff.c */
void role_handoff(struct worker *worker);
/* The same `steps` times, whatever the time. */
void role_handoff_steps(struct worker *worker, unsigned steps);
/* Forks, again and again. scenario_fork.c */
void role_fork(struct worker *worker);
/* The same, and no child calls exit, which would wait for streams that threads held. */
void role_fork_without_exit(struct worker *worker);
/* Trims and asks. scenario_trim.c */
void role_trim(struct worker *worker);
/* A short life with destructors; keys must have been made. scenario_tls_destructors.c */
void role_tls_life(struct worker *worker);
void make_tls_keys(void);

#endif
