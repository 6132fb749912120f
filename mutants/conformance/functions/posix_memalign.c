/* SPDX-License-Identifier: MIT */
/* Broken posix_memalign. */
#include "mutants/conformance/mutant.h"

static int give(void **ret_block, void *block)
{
    if (block == NULL)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

static bool is_good(size_t alignment)
{
    return alignment >= sizeof(void *) && (alignment & (alignment - 1)) == 0;
}

static int forget_alignment(void **ret_block, size_t alignment, size_t size)
{
    return is_good(alignment) ? give(ret_block, base_malloc(size)) : EINVAL;
}
MUTANT(posix_memalign_forgets_the_alignment, .posix_memalign = forget_alignment)

/* As memalign does, but POSIX wants the alignment of a pointer at least. */
static int take_any_power_of_two(void **ret_block, size_t alignment, size_t size)
{
    bool is_small = alignment == 1 || alignment == 2 || alignment == 4;
    return base_posix_memalign(ret_block, is_small ? sizeof(void *) : alignment, size);
}
MUTANT(posix_memalign_takes_any_power_of_two, .posix_memalign = take_any_power_of_two)

static int return_minus_one(void **ret_block, size_t alignment, size_t size)
{
    return base_posix_memalign(ret_block, alignment, size) != 0 ? -1 : 0;
}
MUTANT(posix_memalign_returns_minus_one, .posix_memalign = return_minus_one)

static int store_null(void **ret_block, size_t alignment, size_t size)
{
    *ret_block = NULL;
    return base_posix_memalign(ret_block, alignment, size);
}
MUTANT(posix_memalign_stores_null_on_error, .posix_memalign = store_null)

static int store_garbage(void **ret_block, size_t alignment, size_t size)
{
    *ret_block = (void *)alignment;
    return base_posix_memalign(ret_block, alignment, size);
}
MUTANT(posix_memalign_stores_garbage_on_error, .posix_memalign = store_garbage)

static int store_nothing_for_zero(void **ret_block, size_t alignment, size_t size)
{
    return size == 0 && is_good(alignment) ? 0 : base_posix_memalign(ret_block, alignment, size);
}
MUTANT(posix_memalign_stores_nothing_for_zero, .posix_memalign = store_nothing_for_zero)

/* Blocks of whole pages come from a second request whose first half is lost. */
static int lose_half(void **ret_block, size_t alignment, size_t size)
{
    if (size == 64 << 10 && alignment == size)
        (void)base_malloc(size);
    return base_posix_memalign(ret_block, alignment, size);
}
MUTANT(posix_memalign_loses_the_slack, .posix_memalign = lose_half)

static int refuse(void **ret_block, size_t alignment, size_t size)
{
    (void)ret_block, (void)alignment, (void)size;
    return ENOSYS;
}
MUTANT(posix_memalign_is_a_stub, .posix_memalign = refuse)

/* A block that is smaller than its alignment shares the place with the one before it. */
static int share_place(void **ret_block, size_t alignment, size_t size)
{
    static void *last;
    if (size == 1 && alignment == 4096 && last != NULL) {
        *ret_block = last;
        return 0;
    }
    int error = base_posix_memalign(ret_block, alignment, size);
    if (error == 0 && size == 1 && alignment == 4096)
        last = *ret_block;
    return error;
}
MUTANT(posix_memalign_shares_a_place, .posix_memalign = share_place)
