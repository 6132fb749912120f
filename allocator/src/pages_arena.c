/* SPDX-License-Identifier: MIT */
/*
 * Page source over one fixed region of the caller's: deterministic, and it never asks the system,
 * unless the caller allowed it to discard.
 *
 *     start/low        top                      high            end
 *       |  growths ---> |        never used      | <--- mappings |
 *
 * Growths rise from the bottom, mappings (descriptors; large blocks never have one here) come down
 * from the end. Only the topmost growth can be given back, and it must be made zero then, because
 * the region between the two marks is zero at all times.
 */
#include "pages.h"

#include <errno.h>
#include <string.h>

/* bytes; below, memset is cheaper than the page faults that a discard brings */
enum { DISCARD_FROM = 128 * 1024 };

static size_t arena_room(const struct pages *pages)
{
    return (size_t)(pages->high - pages->top);
}

static void arena_clear(struct pages *pages, char *start, size_t length)
{
    if (pages->may_discard && length >= DISCARD_FROM && os_discard(start, length) == 0)
        return;
    memset(start, 0, length);
}

static int arena_grow(struct pages *pages, size_t length, char **ret_start)
{
    if (length > arena_room(pages))
        return ENOMEM;
    *ret_start = pages->top;
    pages->top += length;
    return 0;
}

static int arena_map(struct pages *pages, size_t length, char **ret_start)
{
    if (length > arena_room(pages))
        return ENOMEM;
    pages->high -= length;
    *ret_start = pages->high;
    return 0;
}

static int arena_release(struct pages *pages, char *start, size_t length, size_t dirty)
{
    if (start + length == pages->top)
        pages->top = start;
    else if (start == pages->high)
        pages->high += length;
    else
        return EBUSY;
    arena_clear(pages, start, dirty);
    return 0;
}

static int arena_purge(struct pages *pages, char *start, size_t length)
{
    return pages->may_discard ? os_discard(start, length) : ENOTSUP;
}

static int arena_resize(struct pages *pages, char *start, size_t old_length, size_t new_length)
{
    (void)pages, (void)start, (void)old_length, (void)new_length;
    return ENOTSUP;
}

static int arena_move(struct pages *pages, char *start, size_t old_length, char *target,
                      size_t new_length)
{
    (void)pages, (void)start, (void)old_length, (void)target, (void)new_length;
    return ENOTSUP;
}

static const struct pages_ops arena_ops = {
    .grow = arena_grow,
    .map = arena_map,
    .release = arena_release,
    .purge = arena_purge,
    .resize = arena_resize,
    .move = arena_move,
    .is_contiguous = true,
    .has_mappings = false,
    .is_system = false,
};

void pages_init_arena(struct pages *pages, char *start, size_t length, bool may_discard)
{
    ASSERT(is_page_run(start, length));
    *pages = (struct pages){.ops = &arena_ops,
                            .low = start,
                            .top = start,
                            .high = start + length,
                            .end = start + length,
                            .may_discard = may_discard};
}
