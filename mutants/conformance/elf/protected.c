/* SPDX-License-Identifier: MIT */
/* Nothing can be put over malloc. */
#include "allocator/src/override.c"

__asm__(".protected malloc");
