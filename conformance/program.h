/* SPDX-License-Identifier: MIT */
/* Turns a probe into a C program that stands alone, for bug reports: it needs nothing of this
 * project. */
#ifndef CONFORMANCE_PROGRAM_H
#define CONFORMANCE_PROGRAM_H

#include "conformance/gate.h"

#include <stdio.h>

/*
 * Writes the program that puts the clause's question to the malloc that it is run with. A comment
 * at its top says what was seen on `subject`. It exits with 1 if the requirement does not hold (for
 * undefined use: if nothing noticed it), with 0 if it does; to die is a finding, too.
 *
 * Returns 0, or a positive errno: ENOENT if the clause has no probe, EINVAL if the probe's file
 * breaks the rules of probe.h, then the text has an #error that says where; EIO if `out` failed. */
int program_write(FILE *out, const struct clause_result *result, const char *subject);

#endif
