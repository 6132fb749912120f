/* SPDX-License-Identifier: MIT */
/*
 * A list of freed chunks of one size, which stay as they are: for the mutants that have one. The
 * correct allocator has none. See heap.h.
 */
#include "heap.h"

#include <string.h>

enum { QUICK_SIZE = 64, QUICK_MAX = 24, FILL = 8 };

static struct chunk *quick[QUICK_MAX];
static size_t quick_count;

static bool is_quick(size_t size)
{
    return (HAS(flush_keeps_last) || HAS(oom_mid_fill)) && size == QUICK_SIZE;
}

/* A failure in the middle is noticed too late: what lay in the list before counts again. */
static void fill(void)
{
    for (quick_count = 0; quick_count < FILL; quick_count++) {
        struct chunk *chunk = heap_take(QUICK_SIZE);
        if (chunk != NULL)
            quick[quick_count] = chunk;
        else if (quick[quick_count] == NULL)
            break;
    }
}

struct chunk *quick_take(size_t need)
{
    if (!is_quick(need))
        return NULL;
    if (HAS(oom_mid_fill) && quick_count == 0)
        fill();
    return quick_count > 0 ? quick[--quick_count] : NULL;
}

/* Full: all go to the bins; the last one stays in the list as well. */
static void flush(void)
{
    while (quick_count > 0)
        heap_give(quick[--quick_count]);
    quick_count = HAS(flush_keeps_last);
}

bool quick_give(struct chunk *chunk)
{
    if (!is_quick(chunk_size(chunk)))
        return false;
    if (quick_count == QUICK_MAX)
        flush();
    quick[quick_count++] = chunk;
    return true;
}

void quick_reset(void)
{
    memset(quick, 0, sizeof quick);
    quick_count = 0;
}
