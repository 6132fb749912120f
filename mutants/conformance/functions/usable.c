/* SPDX-License-Identifier: MIT */
/* Broken malloc_usable_size and memalignment. */
#include "mutants/conformance/mutant.h"

static size_t count_header_of_null(void *block)
{
    return block == NULL ? 16 : base_malloc_usable_size(block);
}
MUTANT(usable_size_of_null_is_a_header, .malloc_usable_size = count_header_of_null)

/* Takes a header off blocks that have none. */
static size_t take_off_header(void *block)
{
    size_t size = base_malloc_usable_size(block);
    return size == 1 << 20 ? size - 16 : size;
}
MUTANT(usable_size_is_too_small, .malloc_usable_size = take_off_header)

/* Adds what is free behind the block at the moment. */
static size_t add_what_is_free(void *block)
{
    static unsigned asked;
    size_t size = base_malloc_usable_size(block);
    return size >= 64 << 10 && size <= 512 << 10 && ++asked > 8 ? size + 4096 : size;
}
MUTANT(usable_size_changes, .malloc_usable_size = add_what_is_free)

static size_t add_header(void *block)
{
    size_t size = base_malloc_usable_size(block);
    return block != NULL && size < 1024 ? size + 16 : size;
}
MUTANT(usable_size_counts_the_header, .malloc_usable_size = add_header)

/* Moves a block that is full, and copies less than all. */
static void *lose_last_byte(void *block, size_t size)
{
    if (block == NULL || size != base_malloc_usable_size(block))
        return base_realloc(block, size);
    char *moved = base_malloc(size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, size - 1);
    moved[size - 1] = 0;
    base_free(block);
    return moved;
}
MUTANT(realloc_to_the_usable_size_loses_a_byte, .realloc = lose_last_byte)

static size_t set_errno(void *block)
{
    errno = ENOENT;
    return base_malloc_usable_size(block);
}
MUTANT(usable_size_sets_errno, .malloc_usable_size = set_errno)

/* anvil has no memalignment, so it stands here, sound unless its mutant is chosen. */
size_t memalignment(const void *block)
{
    const char *name = getenv("MALLET_MUTANT");
    if (name != NULL && strcmp(name, "memalignment_of_null_is_one") == 0 && block == NULL)
        return 1;
    return (uintptr_t)block & -(uintptr_t)block;
}
MUTANT(memalignment_of_null_is_one, .memalignment = memalignment)
