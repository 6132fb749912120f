/* SPDX-License-Identifier: MIT */
/* The functions of a subject, registered once as (field and C name, result, parameters). Part of
 * exported programs too, so it needs nothing of the project. */
#ifndef HARNESS_SUBJECT_CALLS_H
#define HARNESS_SUBJECT_CALLS_H

#include <malloc.h>
#include <stddef.h>
#include <stdio.h>

/* The family that traces speak of. */
#define SUBJECT_CALLS(CALL)                                                      \
    CALL(malloc, void *, (size_t size))                                          \
    CALL(free, void, (void *block))                                              \
    CALL(calloc, void *, (size_t count, size_t size))                            \
    CALL(realloc, void *, (void *block, size_t size))                            \
    CALL(reallocarray, void *, (void *block, size_t count, size_t size))         \
    CALL(aligned_alloc, void *, (size_t alignment, size_t size))                 \
    CALL(posix_memalign, int, (void **block, size_t alignment, size_t size))     \
    CALL(memalign, void *, (size_t alignment, size_t size))                      \
    CALL(valloc, void *, (size_t size))                                          \
    CALL(pvalloc, void *, (size_t size))                                         \
    CALL(free_sized, void, (void *block, size_t size))                           \
    CALL(free_aligned_sized, void, (void *block, size_t alignment, size_t size)) \
    CALL(malloc_usable_size, size_t, (void *block))                              \
    CALL(malloc_trim, int, (size_t keep))

/* Functions beyond it that some clauses are about. */
#define SUBJECT_MORE_CALLS(CALL)                      \
    CALL(mallopt, int, (int parameter, int value))    \
    CALL(mallinfo, struct mallinfo, (void))           \
    CALL(mallinfo2, struct mallinfo2, (void))         \
    CALL(malloc_stats, void, (void))                  \
    CALL(malloc_info, int, (int options, FILE *file)) \
    CALL(memalignment, size_t, (const void *block))
#ifndef __GLIBC__ /* musl declares none of them */
struct mallinfo {
    int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct mallinfo2 {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
#endif

/* NULL where the subject has none. Called through volatile pointers only, so that no compiler may
 * leave a call out or assume anything about it. */
struct subject_calls {
#define CALL(name, result, parameters) result(*volatile name) parameters;
    SUBJECT_CALLS(CALL)
    SUBJECT_MORE_CALLS(CALL)
#undef CALL
};

enum subject_call {
#define CALL(name, result, parameters) SUBJECT_##name,
    SUBJECT_CALLS(CALL)
#undef CALL
        SUBJECT_CALL_COUNT
};

/* SUBJECT_CALL_COUNT itself stays free: it means no function. */
enum subject_more_call {
    SUBJECT_MORE_BEFORE = SUBJECT_CALL_COUNT,
#define CALL(name, result, parameters) SUBJECT_##name,
    SUBJECT_MORE_CALLS(CALL)
#undef CALL
        SUBJECT_MORE_END
};

#endif
