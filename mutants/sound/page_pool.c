/* SPDX-License-Identifier: MIT */
/* Whole pages for each block, out of a pool of 1 MiB; what does not fit there is refused. */
#include "sound.h"

enum { PAGES = 256 };

static _Alignas(PAGE) uint8_t pool[PAGES][PAGE];
static uint16_t runs[PAGES]; /* pages of the block that begins here; 0: free, or inside a block */

/* The first free run of so many pages; PAGES: none. */
static size_t run_find(size_t count, size_t alignment)
{
    size_t start = 0, at = 0;
    while (at < PAGES && at - start < count) {
        if (runs[at] != 0) {
            at += runs[at];
            start = at;
        } else if (at == start && (uintptr_t)pool[at] % alignment != 0) {
            start = ++at;
        } else {
            at++;
        }
    }
    return at - start >= count ? start : PAGES;
}

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    (void)ret_clean_from;
    size_t count = size / PAGE + (size % PAGE != 0);
    size_t start = count <= PAGES ? run_find(count, alignment) : PAGES;
    if (start == PAGES)
        return NULL;
    runs[start] = (uint16_t)count;
    return pool[start];
}

static size_t page_of(const void *block)
{
    return ((uintptr_t)block - (uintptr_t)pool) / PAGE;
}

void sound_give(void *block)
{
    runs[page_of(block)] = 0;
}

bool sound_resize(void *block, size_t size)
{
    size_t page = page_of(block), count = size / PAGE + (size % PAGE != 0);
    if (count > runs[page])
        return false;
    runs[page] = (uint16_t)count;
    return true;
}

size_t sound_capacity(const void *block)
{
    return runs[page_of(block)] * (size_t)PAGE;
}

const struct sound_rules sound_rules = {.zero_is_null = false};
