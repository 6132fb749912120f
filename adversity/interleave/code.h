/* SPDX-License-Identifier: MIT */
/* Turns return addresses into function, file and line. */
#ifndef INTERLEAVE_CODE_H
#define INTERLEAVE_CODE_H

#include <stdint.h>

enum { CODE_NAME_MAX = 160 };

/* "function at file.c:12" if addr2line is there, else the offset in the program; "" for 0. */
const char *code_name(uint64_t code, char ret_name[CODE_NAME_MAX]);

#endif
