/* SPDX-License-Identifier: MIT */
/*
 * Finds the functions beyond the traced family in the libc of this process, or in what LD_PRELOAD
 * put before it. The references are weak, because many allocators lack these functions.
 */
#define PROBE_NO_NAMES
#include "conformance/process.h"

extern int mallopt(int parameter, int value) __attribute__((weak));
extern struct mallinfo mallinfo(void) __attribute__((weak));
extern struct mallinfo2 mallinfo2(void) __attribute__((weak));
extern void malloc_stats(void) __attribute__((weak));
extern int malloc_info(int options, FILE *file) __attribute__((weak));
extern size_t memalignment(const void *block) __attribute__((weak));

void bind_more_of_host(void)
{
/* mallinfo is deprecated, and on trial all the same. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#define CALL(name, result, parameters) calls.name = name;
    MORE_CALLS(CALL)
#undef CALL
}
