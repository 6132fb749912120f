/* SPDX-License-Identifier: MIT */
/*
 * The host subject: the malloc of the libc that this process runs on, or of whatever LD_PRELOAD put
 * in its place. Functions that the libc may lack are weak.
 */
#include "harness/subject/subject.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

extern void *reallocarray(void *block, size_t count, size_t size) __attribute__((weak));
extern void *valloc(size_t size) __attribute__((weak));
extern void *pvalloc(size_t size) __attribute__((weak));
extern void free_sized(void *block, size_t size) __attribute__((weak));
extern void free_aligned_sized(void *block, size_t alignment, size_t size) __attribute__((weak));
extern int malloc_trim(size_t keep) __attribute__((weak));
extern int mallopt(int parameter, int value) __attribute__((weak));
extern struct mallinfo mallinfo(void) __attribute__((weak));
extern struct mallinfo2 mallinfo2(void) __attribute__((weak));
extern void malloc_stats(void) __attribute__((weak));
extern int malloc_info(int options, FILE *file) __attribute__((weak));
extern size_t memalignment(const void *block) __attribute__((weak));

/* mallinfo is deprecated, and on trial all the same. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

int subject_bind_host(struct subject *ret_subject, char error[SUBJECT_ERROR_MAX])
{
    error[0] = 0;
    *ret_subject = (struct subject){.name = "host",
                                    .calls = {
#define CALL(name, result, parameters) .name = name,
                                        SUBJECT_CALLS(CALL) SUBJECT_MORE_CALLS(CALL)
#undef CALL
                                    }};
    return 0;
}
