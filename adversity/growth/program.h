/* SPDX-License-Identifier: MIT */
/* From a finding to a C program that needs nothing of this project: the workload as it stands here,
 * what it is written with, and a main. */
#ifndef GROWTH_PROGRAM_H
#define GROWTH_PROGRAM_H

#include "adversity/growth/growth.h"

#include <stdio.h>

/* Returns 0 or a positive errno, as program_end. */
int growth_program(FILE *out, const char *subject, const struct growth_result *result);

#endif
