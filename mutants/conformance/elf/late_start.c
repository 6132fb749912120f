/* SPDX-License-Identifier: MIT */
/* Serves nobody before its own constructor. */
#define malloc own_malloc
#include "allocator/src/override.c"
#undef malloc

static int has_started;

__attribute__((constructor)) static void mutant_start(void)
{
    has_started = 1;
}

EXPORT void *malloc(size_t size)
{
    return has_started ? own_malloc(size) : NULL;
}
