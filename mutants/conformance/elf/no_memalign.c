/* SPDX-License-Identifier: MIT */
/* memalign and pvalloc are the C library's. */
#define memalign own_memalign
#define pvalloc  own_pvalloc
#include "allocator/src/override.c"
