/* SPDX-License-Identifier: MIT */
/* Broken free_sized and free_aligned_sized. */
#include "mutants/conformance/mutant.h"

/* Checks the size before it looks for NULL. */
static void check_null(void *block, size_t size)
{
    if (block == NULL && size > 0)
        abort();
    base_free_sized(block, size);
}
MUTANT(free_sized_of_null_aborts, .free_sized = check_null)

static void forget_sized(void *block, size_t size)
{
    if (size < 4096 || size >= 8192)
        base_free_sized(block, size);
}
MUTANT(free_sized_forgets_blocks, .free_sized = forget_sized)

/* Finds the class from the size, and there is none below the first. */
static void refuse_zero(void *block, size_t size)
{
    if (block != NULL && size == 0)
        abort();
    base_free_sized(block, size);
}
MUTANT(free_sized_has_no_class_of_zero, .free_sized = refuse_zero)

/* The whole capacity of a block is another class's size. */
static void refuse_a_capacity(void *block, size_t size)
{
    if (block != NULL && size == 112)
        abort();
    base_free_sized(block, size);
}
MUTANT(free_sized_refuses_the_usable_size, .free_sized = refuse_a_capacity)

static void check_null_aligned(void *block, size_t alignment, size_t size)
{
    if (block == NULL && size > 0)
        abort();
    base_free_aligned_sized(block, alignment, size);
}
MUTANT(free_aligned_sized_of_null_aborts, .free_aligned_sized = check_null_aligned)

static void forget_aligned(void *block, size_t alignment, size_t size)
{
    if (alignment != 4096)
        base_free_aligned_sized(block, alignment, size);
}
MUTANT(free_aligned_sized_forgets_blocks, .free_aligned_sized = forget_aligned)

/* A small alignment is malloc's, so that the block is not known as an aligned one. */
static int take_plain(void **ret_block, size_t alignment, size_t size)
{
    if (alignment != 16)
        return base_posix_memalign(ret_block, alignment, size);
    void *block = base_malloc(size);
    if (block == NULL)
        return ENOMEM;
    *ret_block = block;
    return 0;
}
MUTANT(free_aligned_sized_refuses_blocks_of_posix_memalign, .posix_memalign = take_plain)
