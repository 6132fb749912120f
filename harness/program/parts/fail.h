/* SPDX-License-Identifier: MIT */
/*
 * What the parts of an exported program are written with. The files of this folder are compiled as
 * one source by harness/tests/parts_test.c, and an exported program holds the functions of them
 * that it uses. `#ifdef WITH_…` is resolved when a program is written (program.h).
 *
 * Here stands what a program has of its own: the number of its blocks, and its calls of the malloc
 * family, as volatile pointers.
 */
#ifndef HARNESS_PARTS_FAIL_H
#define HARNESS_PARTS_FAIL_H

#include <stdio.h>
#include <unistd.h>

#define FAIL(...) (dprintf(2, __VA_ARGS__), _exit(1))

#endif
