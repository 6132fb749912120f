/* SPDX-License-Identifier: MIT */
/* realloc and reallocarray are the C library's. */
#define realloc      own_realloc
#define reallocarray own_reallocarray
#include "allocator/src/override.c"
