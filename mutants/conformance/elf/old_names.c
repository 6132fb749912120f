/* SPDX-License-Identifier: MIT */
/* Names of old programs, with nothing behind them. */
#define cfree own_cfree
#include "allocator/src/override.c"
#undef cfree

EXPORT void *(*__malloc_hook)(size_t size, const void *caller);
EXPORT void *(*__morecore)(ptrdiff_t increment);
EXPORT void cfree(void *block);

void cfree(void *block)
{
    (void)block;
}
