/* SPDX-License-Identifier: MIT */
/* Serves nobody after its own destructor. */
#define malloc own_malloc
#include "allocator/src/override.c"
#undef malloc

static int has_ended;

__attribute__((destructor)) static void mutant_end(void)
{
    has_ended = 1;
}

EXPORT void *malloc(size_t size)
{
    return has_ended ? NULL : own_malloc(size);
}
