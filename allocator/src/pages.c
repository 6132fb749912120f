/* SPDX-License-Identifier: MIT */
/* The front of the page source: counts requests, keeps the sum of what is held, injects refusals,
 * and calls the source. */
#include "pages.h"

#include <errno.h>

/* Counts a request. Returns true if it must fail. */
static bool is_refused(struct pages *pages)
{
    pages->calls++;
    if (pages->refuse_in == 0)
        return false;
    pages->refuse_in--;
    return pages->refuse_in == 0;
}

static void subtract_held(struct pages *pages, size_t length)
{
    ASSERT(pages->held >= length);
    pages->held -= length;
}

static void add_held(struct pages *pages, size_t length)
{
    ASSERT(pages->held + length >= length);
    pages->held += length;
    pages->held_peak = size_max(pages->held_peak, pages->held);
}

int pages_grow(struct pages *pages, size_t length, char **ret_start)
{
    ASSERT(is_page_run(NULL, length));
    int error = is_refused(pages) ? ENOMEM : pages->ops->grow(pages, length, ret_start);
    if (error == 0)
        add_held(pages, length);
    ASSERT(error != 0 || is_page_run(*ret_start, length));
    return error;
}

int pages_map(struct pages *pages, size_t length, char **ret_start)
{
    ASSERT(is_page_run(NULL, length));
    int error = is_refused(pages) ? ENOMEM : pages->ops->map(pages, length, ret_start);
    if (error == 0)
        add_held(pages, length);
    ASSERT(error != 0 || is_page_run(*ret_start, length));
    return error;
}

int pages_release(struct pages *pages, char *start, size_t length, size_t dirty)
{
    ASSERT(is_page_run(start, length) && dirty <= length);
    int error = is_refused(pages) ? ENOMEM : pages->ops->release(pages, start, length, dirty);
    if (error == 0)
        subtract_held(pages, length);
    return error;
}

int pages_map_guarded(struct pages *pages, size_t length, char **ret_start)
{
    if (!pages->ops->is_system)
        return pages_map(pages, length, ret_start);
    int error = is_refused(pages) ? ENOMEM : os_map_guarded(length, ret_start);
    if (error == 0) {
        add_held(pages, length);
        pages->apart = *ret_start;
    }
    return error;
}

COLD int pages_release_guarded(struct pages *pages, char *start, size_t length, size_t dirty)
{
    if (!pages->ops->is_system)
        return pages_release(pages, start, length, dirty);
    int error = is_refused(pages) ? ENOMEM : os_unmap_guarded(start, length);
    if (error == 0)
        subtract_held(pages, length);
    return error;
}

COLD void pages_abandon(struct pages *pages, char *start, size_t length, size_t dirty)
{
    for (int tries = 0; tries < 2; tries++)
        if (pages_release(pages, start, length, dirty) == 0)
            return;
    subtract_held(pages, length);
}

int pages_purge(struct pages *pages, char *start, size_t length)
{
    ASSERT(is_page_run(start, length));
    return is_refused(pages) ? ENOMEM : pages->ops->purge(pages, start, length);
}

int pages_resize(struct pages *pages, char *start, size_t old_length, size_t new_length)
{
    ASSERT(is_page_run(start, old_length) && is_page_run(NULL, new_length));
    int error =
        is_refused(pages) ? ENOMEM : pages->ops->resize(pages, start, old_length, new_length);
    if (error == 0) {
        subtract_held(pages, old_length);
        add_held(pages, new_length);
    }
    return error;
}

int pages_move(struct pages *pages, char *start, size_t old_length, char *target, size_t new_length)
{
    ASSERT(is_page_run(start, old_length) && is_page_run(target, new_length));
    int error =
        is_refused(pages) ? ENOMEM : pages->ops->move(pages, start, old_length, target, new_length);
    if (error == 0)
        subtract_held(pages, old_length);
    return error;
}

int pages_map_shared(struct pages *pages, size_t length, char **ret_start)
{
    if (pages->ops->is_system && is_refused(pages))
        return ENOMEM;
    return os_map_guarded(length, ret_start);
}

void pages_release_shared(char *start, size_t length)
{
    /* a failure leaks a node that nobody uses: nothing better can be done */
    (void)os_unmap_guarded(start, length);
}
