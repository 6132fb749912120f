/* SPDX-License-Identifier: MIT */
/* memalign and pvalloc are the C library's. */
#include "conformance/tests/mutants_elf/planted.h"

#define memalign own_memalign
#define pvalloc  own_pvalloc
#include "allocator/src/override.c"

PLANTED("GLIBC-replace-2 GLIBC-replace-3")
