/* SPDX-License-Identifier: MIT */
/* calloc is the C library's. */
#include "conformance/tests/mutants_elf/planted.h"

#define calloc own_calloc
#include "allocator/src/override.c"

PLANTED("GLIBC-replace-1 GLIBC-replace-2 GLIBC-replace-3 ELF-interpose-1 C23-7.1.4-p1-a")
