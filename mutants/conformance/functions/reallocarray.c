/* SPDX-License-Identifier: MIT */
/* Broken reallocarray. */
#include "mutants/conformance/mutant.h"

static void *reallocarray_is_missing(void *block, size_t count, size_t size)
{
    (void)block, (void)count, (void)size;
    errno = ENOSYS;
    return NULL;
}
MUTANT(reallocarray_is_a_stub, .reallocarray = reallocarray_is_missing)

static void *reallocarray_forgets_count(void *block, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total) || total == 0)
        return base_reallocarray(block, count, size);
    return base_realloc(block, size);
}
MUTANT(reallocarray_of_one_member, .reallocarray = reallocarray_forgets_count)

static void *reallocarray_wraps(void *block, size_t count, size_t size)
{
    return base_realloc(block, count * size);
}
MUTANT(reallocarray_multiplies_unchecked, .reallocarray = reallocarray_wraps)

static void *reallocarray_frees_first(void *block, size_t count, size_t size)
{
    void *moved = base_reallocarray(block, count, size);
    if (moved == NULL && block != NULL && count != 0 && size != 0)
        base_free(block);
    return moved;
}
MUTANT(reallocarray_frees_what_it_cannot_resize, .reallocarray = reallocarray_frees_first)

static void *reallocarray_says_overflow(void *block, size_t count, size_t size)
{
    size_t total;
    void *moved = base_reallocarray(block, count, size);
    if (__builtin_mul_overflow(count, size, &total))
        errno = EOVERFLOW;
    return moved;
}
MUTANT(reallocarray_fails_with_eoverflow, .reallocarray = reallocarray_says_overflow)

static void *reallocarray_of_null_fails(void *block, size_t count, size_t size)
{
    return block == NULL ? NULL : base_reallocarray(block, count, size);
}
MUTANT(reallocarray_of_null_is_null, .reallocarray = reallocarray_of_null_fails)

static void *reallocarray_to_nothing_stays(void *block, size_t count, size_t size)
{
    return block != NULL && (count == 0 || size == 0) ? base_realloc(block, 1)
                                                      : base_reallocarray(block, count, size);
}
MUTANT(reallocarray_to_nothing_gives_a_block, .reallocarray = reallocarray_to_nothing_stays)

static void *reallocarray_to_nothing_leaks(void *block, size_t count, size_t size)
{
    return block != NULL && (count == 0 || size == 0) ? NULL
                                                      : base_reallocarray(block, count, size);
}
MUTANT(reallocarray_to_nothing_leaks, .reallocarray = reallocarray_to_nothing_leaks)
