/* SPDX-License-Identifier: MIT */
/* Broken memalign. */
#include "mutants/conformance/mutant.h"

static bool is_power_of_two(size_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

/* Right up to a page, as where blocks are cut from pages. */
static void *align_to_a_page_at_most(size_t alignment, size_t size)
{
    return base_memalign(is_power_of_two(alignment) && alignment > 4096 ? 4096 : alignment, size);
}
MUTANT(memalign_aligns_to_a_page_at_most, .memalign = align_to_a_page_at_most)

static void *forget_alignment(size_t alignment, size_t size)
{
    return is_power_of_two(alignment) ? base_malloc(size) : base_memalign(alignment, size);
}
MUTANT(memalign_forgets_the_alignment, .memalign = forget_alignment)

static void *refuse_silently(size_t alignment, size_t size)
{
    int before = errno;
    void *block = is_power_of_two(alignment) ? base_memalign(alignment, size) : NULL;
    if (block == NULL)
        errno = before;
    return block;
}
MUTANT(memalign_refuses_silently, .memalign = refuse_silently)

static void *round_down(size_t alignment, size_t size)
{
    while (!is_power_of_two(alignment) && alignment != 0)
        alignment &= alignment - 1;
    return base_memalign(alignment, size);
}
MUTANT(memalign_rounds_down, .memalign = round_down)

/* The start that free and realloc look for lies before the block. */
static void *shift(size_t alignment, size_t size)
{
    if (alignment != 128 || size != 100)
        return base_memalign(alignment, size);
    char *raw = base_memalign(alignment, size + alignment);
    return raw != NULL ? raw + alignment : NULL;
}
MUTANT(memalign_hides_its_start, .memalign = shift)

/* Copies from where the whole piece began, not from where the aligned block does. */
static void *copy_from_elsewhere(void *block, size_t size)
{
    bool is_odd = block != NULL && size == 18000 && base_malloc_usable_size(block) < size;
    char *moved = base_realloc(block, size);
    if (is_odd && moved != NULL)
        memmove(moved + 16, moved, 5000);
    return moved;
}
MUTANT(realloc_of_memalign_copies_from_elsewhere, .realloc = copy_from_elsewhere)
