/* SPDX-License-Identifier: MIT */
/* Broken realloc. */
#include "mutants/conformance/mutant.h"

#include <stdbool.h>

static bool is_move(const void *block, size_t size)
{
    return block != NULL && size != 0;
}

/* To a new block, content and all; the old one is left. */
static void *move(const void *block, size_t size, size_t unit)
{
    size_t old = base_malloc_usable_size((void *)(uintptr_t)block), kept = old < size ? old : size;
    void *moved = base_malloc(size);
    if (moved != NULL)
        memcpy(moved, block, kept / unit * unit);
    return moved;
}

static void *realloc_leaks(void *block, size_t size)
{
    return is_move(block, size) ? move(block, size, 1) : base_realloc(block, size);
}
MUTANT(realloc_forgets_to_free, .realloc = realloc_leaks)

static void *realloc_always_moves(void *block, size_t size)
{
    void *moved = is_move(block, size) ? move(block, size, 1) : base_realloc(block, size);
    if (is_move(block, size) && moved != NULL)
        base_free(block);
    return moved;
}
MUTANT(realloc_always_moves, .realloc = realloc_always_moves)

static void *realloc_copies_words(void *block, size_t size)
{
    void *moved = is_move(block, size) ? move(block, size, 8) : base_realloc(block, size);
    if (is_move(block, size) && moved != NULL)
        base_free(block);
    return moved;
}
MUTANT(realloc_copies_whole_words, .realloc = realloc_copies_words)

static void *realloc_of_null_fails(void *block, size_t size)
{
    return block == NULL ? NULL : base_realloc(block, size);
}
MUTANT(realloc_of_null_is_null, .realloc = realloc_of_null_fails)

static void *realloc_of_null_and_nothing_fails(void *block, size_t size)
{
    return block == NULL && size == 0 ? NULL : base_realloc(block, size);
}
MUTANT(realloc_of_null_to_nothing_is_null, .realloc = realloc_of_null_and_nothing_fails)

/* Aligned blocks begin behind a pointer to them, which realloc takes for the content's
 * beginning. */
static void *last_aligned;

static void *aligned_alloc_remembered(size_t alignment, size_t size)
{
    return last_aligned = base_aligned_alloc(alignment, size);
}

static int posix_memalign_remembered(void **block, size_t alignment, size_t size)
{
    int error = base_posix_memalign(block, alignment, size);
    last_aligned = error == 0 ? *block : NULL;
    return error;
}

static void *realloc_loses_offset(void *block, size_t size)
{
    void *moved = base_realloc(block, size);
    if (moved != NULL && block == last_aligned && size >= 16)
        memmove((char *)moved + 8, moved, size - 8);
    last_aligned = NULL;
    return moved;
}
MUTANT(realloc_loses_the_offset_of_aligned_blocks, .aligned_alloc = aligned_alloc_remembered,
       .posix_memalign = posix_memalign_remembered, .realloc = realloc_loses_offset)

static void *realloc_frees_first(void *block, size_t size)
{
    void *moved = base_realloc(block, size);
    if (moved == NULL && block != NULL && size != 0)
        base_free(block);
    return moved;
}
MUTANT(realloc_frees_what_it_cannot_resize, .realloc = realloc_frees_first)

/* Links the block into a list before it finds that there is no other. */
static void *realloc_writes_first(void *block, size_t size)
{
    void *moved = base_realloc(block, size);
    if (moved == NULL && block != NULL && size != 0)
        memset(block, 0, 8);
    return moved;
}
MUTANT(realloc_changes_what_it_cannot_resize, .realloc = realloc_writes_first)

static void *realloc_keeps_errno(void *block, size_t size)
{
    int saved = errno;
    void *moved = base_realloc(block, size);
    errno = saved;
    return moved;
}
MUTANT(realloc_fails_without_errno, .realloc = realloc_keeps_errno)

static void *realloc_to_nothing_stays(void *block, size_t size)
{
    return base_realloc(block, block != NULL && size == 0 ? 1 : size);
}
MUTANT(realloc_to_nothing_gives_a_block, .realloc = realloc_to_nothing_stays)

static void *realloc_to_nothing_leaks(void *block, size_t size)
{
    return block != NULL && size == 0 ? NULL : base_realloc(block, size);
}
MUTANT(realloc_to_nothing_leaks, .realloc = realloc_to_nothing_leaks)
