/* SPDX-License-Identifier: MIT */
/*
 * Files of this folder that are embedded in the program: the registry, and the sources from which
 * standalone programs are made.
 */
#ifndef CONFORMANCE_EMBEDDED_H
#define CONFORMANCE_EMBEDDED_H

#include "harness/program/embedded.h"

/* By its name in this folder: "probes/free.c". NULL: no such file. */
const struct embedded_file *conformance_file_find(const char *name);

#endif
