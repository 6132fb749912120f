/* SPDX-License-Identifier: MIT */
/* The text of the kit and the scenarios, which exported programs are made of. */
#ifndef TORTURE_EMBEDDED_H
#define TORTURE_EMBEDDED_H

#include "harness/program/embedded.h"

/* By its name in this folder. NULL: no such file. */
const struct embedded_file *torture_file_find(const char *name);

#endif
