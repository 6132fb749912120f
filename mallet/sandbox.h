/* SPDX-License-Identifier: MIT */
/*
 * Where code runs that nobody trusts: no network, one folder that it may write to, limits on files
 * and processes, and first in line when memory runs out. It can read what its user can read.
 */
#ifndef MALLET_SANDBOX_H
#define MALLET_SANDBOX_H

#include <stdbool.h>

/* Call before any process enters. Returns false if nothing limits how many processes there are:
 * the system's own limit does not hold for root, and this one may make no control group. */
bool sandbox_open(void);
/* When all of them have ended. */
void sandbox_close(void);

/* Call in a child process of one thread, before it executes a program, which inherits it. `folder`
 * is an absolute path. Returns 0, or a positive errno: this system has no such thing. */
int sandbox_enter(const char *folder);

#endif
