/* SPDX-License-Identifier: MIT */
/* Broken reallocarray. */
#include "mutants/conformance/mutant.h"

static void *reallocarray_is_missing(void *block, size_t count, size_t size)
{
    (void)block, (void)count, (void)size;
    errno = ENOSYS;
    return NULL;
}
MUTANT(reallocarray_is_a_stub,
       "POSIX24-reallocarray-1 POSIX24-reallocarray-2 POSIX24-reallocarray-4 "
       "POSIX24-reallocarray-5 MAN-malloc-1 C23-7.24.3-p1-e "
       "C23-7.24.3-p1-f C23-7.24.3-p1-g C23-7.24.3-p1-h C23-7.24.3-p1-i POSIX24-realloc-6 "
       "POSIX24-reallocarray-6 MAN-malloc-2 MAN-malloc-4",
       .reallocarray = reallocarray_is_missing)

static void *reallocarray_forgets_count(void *block, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total) || total == 0)
        return base_reallocarray(block, count, size);
    return base_realloc(block, size);
}
MUTANT(reallocarray_of_one_member,
       "POSIX24-reallocarray-2 POSIX24-reallocarray-5 C23-7.24.3-p1-e C23-7.24.3-p1-f "
       "C23-7.24.3-p1-g C23-7.24.3-p1-i POSIX24-realloc-6 "
       "MAN-malloc-2",
       .reallocarray = reallocarray_forgets_count)

static void *reallocarray_wraps(void *block, size_t count, size_t size)
{
    return base_realloc(block, count * size);
}
MUTANT(reallocarray_multiplies_unchecked, "POSIX24-reallocarray-3 POSIX24-reallocarray-4",
       .reallocarray = reallocarray_wraps)

static void *reallocarray_frees_first(void *block, size_t count, size_t size)
{
    void *moved = base_reallocarray(block, count, size);
    if (moved == NULL && block != NULL && count != 0 && size != 0)
        base_free(block);
    return moved;
}
MUTANT(reallocarray_frees_what_it_cannot_resize, "POSIX24-reallocarray-3 POSIX24-reallocarray-4",
       .reallocarray = reallocarray_frees_first)

static void *reallocarray_says_overflow(void *block, size_t count, size_t size)
{
    size_t total;
    void *moved = base_reallocarray(block, count, size);
    if (__builtin_mul_overflow(count, size, &total))
        errno = EOVERFLOW;
    return moved;
}
MUTANT(reallocarray_fails_with_eoverflow, "POSIX24-reallocarray-4",
       .reallocarray = reallocarray_says_overflow)

static void *reallocarray_of_null_fails(void *block, size_t count, size_t size)
{
    return block == NULL ? NULL : base_reallocarray(block, count, size);
}
MUTANT(reallocarray_of_null_is_null,
       "POSIX24-reallocarray-1 POSIX24-reallocarray-5 MAN-malloc-1 C23-7.24.3-p1-e C23-7.24.3-p1-f "
       "C23-7.24.3-p1-g C23-7.24.3-p1-h "
       "C23-7.24.3-p1-i POSIX24-realloc-6 POSIX24-reallocarray-4 MAN-malloc-2",
       .reallocarray = reallocarray_of_null_fails)

static void *reallocarray_to_nothing_stays(void *block, size_t count, size_t size)
{
    return block != NULL && (count == 0 || size == 0) ? base_realloc(block, 1)
                                                      : base_reallocarray(block, count, size);
}
MUTANT(reallocarray_to_nothing_gives_a_block, "MAN-malloc-4",
       .reallocarray = reallocarray_to_nothing_stays)

static void *reallocarray_to_nothing_leaks(void *block, size_t count, size_t size)
{
    return block != NULL && (count == 0 || size == 0) ? NULL
                                                      : base_reallocarray(block, count, size);
}
MUTANT(reallocarray_to_nothing_leaks, "MAN-malloc-4 POSIX24-reallocarray-6",
       .reallocarray = reallocarray_to_nothing_leaks)
