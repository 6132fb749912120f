/* SPDX-License-Identifier: MIT */
/* Broken aligned_alloc. */
#include "mutants/conformance/mutant.h"

static bool is_power_of_two(size_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static void *want_multiple(size_t alignment, size_t size)
{
    if (alignment != 0 && size % alignment != 0 && size <= SIZE_MAX / 2) {
        errno = EINVAL;
        return NULL;
    }
    return base_aligned_alloc(alignment, size);
}
MUTANT(aligned_alloc_wants_a_multiple, .aligned_alloc = want_multiple)

/* What a block of malloc with room for a header happens to be aligned to must do. */
static void *forget_alignment(size_t alignment, size_t size)
{
    return is_power_of_two(alignment) && size <= 1 << 20 ? base_malloc(size + 16)
                                                         : base_aligned_alloc(alignment, size);
}
MUTANT(aligned_alloc_forgets_the_alignment, .aligned_alloc = forget_alignment)

/* Zero and numbers between powers of two pass for plain malloc. */
static void *take_any_alignment(size_t alignment, size_t size)
{
    return is_power_of_two(alignment) ? base_aligned_alloc(alignment, size) : base_malloc(size);
}
MUTANT(aligned_alloc_takes_any_alignment, .aligned_alloc = take_any_alignment)

static void *refuse_silently(size_t alignment, size_t size)
{
    return is_power_of_two(alignment) ? base_aligned_alloc(alignment, size) : NULL;
}
MUTANT(aligned_alloc_refuses_silently, .aligned_alloc = refuse_silently)

static void *want_a_pointers_alignment(size_t alignment, size_t size)
{
    if (alignment < sizeof(void *)) {
        errno = EINVAL;
        return NULL;
    }
    return base_aligned_alloc(alignment, size);
}
MUTANT(aligned_alloc_wants_a_pointers_alignment, .aligned_alloc = want_a_pointers_alignment)

/* Room to align is added without a look at the sum. */
static void *wrap(size_t alignment, size_t size)
{
    bool wraps = is_power_of_two(alignment) && alignment <= 1 << 20 && size > SIZE_MAX - alignment;
    return base_aligned_alloc(alignment, wraps ? size + alignment : size);
}
MUTANT(aligned_alloc_wraps, .aligned_alloc = wrap)

static void *wrap_absurdly(size_t alignment, size_t size)
{
    return alignment > SIZE_MAX / 2 && is_power_of_two(alignment)
               ? base_malloc(size + alignment)
               : base_aligned_alloc(alignment, size);
}
MUTANT(aligned_alloc_wraps_absurdly, .aligned_alloc = wrap_absurdly)

/* The room that was only there to align is never given back. */
static void *lose_slack(size_t alignment, size_t size)
{
    void *slack = is_power_of_two(alignment) && size <= 64 << 10 ? base_malloc(size) : NULL;
    if (slack != NULL)
        memset(slack, 1, size);
    return base_aligned_alloc(alignment, size);
}
MUTANT(aligned_alloc_loses_the_slack, .aligned_alloc = lose_slack)

static void *say_einval(size_t alignment, size_t size)
{
    void *block = base_aligned_alloc(alignment, size);
    if (block == NULL)
        errno = EINVAL;
    return block;
}
MUTANT(aligned_alloc_says_einval_for_lack_of_memory, .aligned_alloc = say_einval)
