/* SPDX-License-Identifier: MIT */
/* calloc is the C library's. */
#define calloc own_calloc
#include "allocator/src/override.c"
