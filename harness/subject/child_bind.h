/* SPDX-License-Identifier: MIT */
/*
 * Binds what a child process was told to: child_bind.c every foreign subject, child_bind_anvil.c
 * anvil, child_bind_host.c the libc that it runs on, for libcs other than glibc;
 * child_bind_sanitized.c says that it cannot.
 */
#ifndef HARNESS_CHILD_BIND_H
#define HARNESS_CHILD_BIND_H

#include "harness/subject/subject.h"

/* how, what: a plan's binding by its name, and its `what`. Returns 0, or a positive errno with one
 * sentence in `error`. */
int child_bind(struct subject *ret_subject, const char *how, const char *what,
               char error[SUBJECT_ERROR_MAX]);

#endif
