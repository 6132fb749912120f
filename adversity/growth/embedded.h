/* SPDX-License-Identifier: MIT */
/* The text of what growth measures, which exported programs are made of. */
#ifndef GROWTH_EMBEDDED_H
#define GROWTH_EMBEDDED_H

#include "harness/program/embedded.h"

/* By its name from the root: "adversity/growth/kit.c". NULL: no such file. */
const struct embedded_file *growth_file_find(const char *name);

#endif
