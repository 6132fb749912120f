/* SPDX-License-Identifier: MIT */
/* realloc and reallocarray are the C library's. */
#include "mutants/conformance/elf/elf.h"

#define realloc      own_realloc
#define reallocarray own_reallocarray
#include "allocator/src/override.c"

MUST_FAIL("GLIBC-replace-1 GLIBC-replace-2 GLIBC-replace-3 GLIBC-replace-4 ELF-interpose-1")
