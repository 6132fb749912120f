/* SPDX-License-Identifier: MIT */
/* Names of old programs, with nothing behind them. */
#include "mutants/conformance/elf/elf.h"

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

MUST_FAIL("GLIBC-hooks-1 GLIBC-morecore-1 GLIBC-cfree-1")
