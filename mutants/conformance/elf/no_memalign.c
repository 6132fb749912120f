/* SPDX-License-Identifier: MIT */
/* memalign and pvalloc are the C library's. */
#include "mutants/conformance/elf/elf.h"

#define memalign own_memalign
#define pvalloc  own_pvalloc
#include "allocator/src/override.c"

MUST_FAIL("GLIBC-replace-2 GLIBC-replace-3")
