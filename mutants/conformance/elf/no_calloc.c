/* SPDX-License-Identifier: MIT */
/* calloc is the C library's. */
#include "mutants/conformance/elf/elf.h"

#define calloc own_calloc
#include "allocator/src/override.c"

MUST_FAIL("GLIBC-replace-1 GLIBC-replace-2 GLIBC-replace-3 ELF-interpose-1 C23-7.1.4-p1-a")
