/* SPDX-License-Identifier: MIT */
/*
 * Page source over the program break: growths come from sbrk, mappings of their own and descriptors
 * from mmap.
 *
 * The break belongs to the whole process. Somebody else may move it between two of our calls, by
 * any number of bytes, so no growth is assumed to touch the last one, and memory is given back only
 * while the break still stands at its end. When the break cannot move any further (another mapping
 * is in its way), growths come from mmap.
 *
 *     low                         top == sbrk(0)?
 *      |  ours  | foreign |  ours  |
 */
#include "pages.h"

#include "sync.h"

#include <errno.h>
#include <unistd.h>

/* Keeps the heaps of this process from racing for the break; foreign callers of sbrk cannot be kept
 * out. Taken below a heap's lock, but that lock may be off: so fork takes this one too. */
static struct sync_lock break_lock;

static char *break_now(void)
{
    return sbrk(0);
}

/* Moves the break up. The new pages start at *ret_start, page-aligned, even if a foreign break was
 * not. */
static int break_raise(size_t length, char **ret_start)
{
    char *before = break_now();
    if (before == (char *)-1)
        return ENOMEM;
    size_t padding = size_round_up((uintptr_t)before, PAGE_BYTES) - (uintptr_t)before;
    char *start = sbrk((intptr_t)(length + padding));
    if (start == (char *)-1)
        return ENOMEM;
    if (start != before) {                           /* somebody moved it in between: */
        if (break_now() == start + length + padding) /* undo, if that is still ours to undo */
            (void)sbrk(-(intptr_t)(length + padding));
        return ENOMEM;
    }
    *ret_start = start + padding;
    return 0;
}

static int sbrk_grow(struct pages *pages, size_t length, char **ret_start)
{
    char *start = NULL;
    sync_lock_acquire(&break_lock);
    int error = length > SIZE_LIMIT - PAGE_BYTES ? ENOMEM : break_raise(length, &start);
    sync_lock_release(&break_lock);
    if (error != 0)
        return os_map(length, ret_start);
    if (pages->low == NULL || start < pages->low)
        pages->low = start;
    pages->top = start + length;
    *ret_start = start;
    return 0;
}

static int sbrk_map(struct pages *pages, size_t length, char **ret_start)
{
    (void)pages;
    return os_map(length, ret_start);
}

/* Moves the break down from `end`, if it still stands there. */
static int break_lower(const char *end, size_t length)
{
    if (break_now() != end)
        return EBUSY;
    return sbrk(-(intptr_t)length) == (void *)-1 ? ENOMEM : 0;
}

static int sbrk_release(struct pages *pages, char *start, size_t length, size_t dirty)
{
    (void)dirty;
    if (start < pages->low || start >= pages->top)
        return os_unmap(start, length);
    if (start + length != pages->top)
        return EBUSY;
    sync_lock_acquire(&break_lock);
    int error = break_lower(pages->top, length);
    sync_lock_release(&break_lock);
    if (error == 0)
        pages->top = start;
    return error;
}

static int sbrk_purge(struct pages *pages, char *start, size_t length)
{
    (void)pages;
    return os_discard(start, length);
}

static int sbrk_resize(struct pages *pages, char *start, size_t old_length, size_t new_length)
{
    (void)pages;
    return os_resize(start, old_length, new_length);
}

static int sbrk_move(struct pages *pages, char *start, size_t old_length, char *target,
                     size_t new_length)
{
    (void)pages;
    return os_move(start, old_length, target, new_length);
}

static const struct pages_ops sbrk_ops = {
    .grow = sbrk_grow,
    .map = sbrk_map,
    .release = sbrk_release,
    .purge = sbrk_purge,
    .resize = sbrk_resize,
    .move = sbrk_move,
    .is_contiguous = true,
    .has_mappings = true,
    .is_system = true,
};

void pages_init_sbrk(struct pages *pages)
{
    *pages = (struct pages){.ops = &sbrk_ops};
}

void pages_sbrk_fork_begin(void)
{
    sync_lock_acquire(&break_lock);
    sync_fork_begin(&break_lock);
}

void pages_sbrk_fork_end(void)
{
    sync_fork_end(&break_lock);
}
