/* SPDX-License-Identifier: MIT */
/* valloc and pvalloc: blocks of pages. */
#include "conformance/kit.h"

#define TOP (SIZE_MAX / 2 + 1)

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Holds some blocks, as one alone may lie at a page by chance. */
static enum probe_outcome hold_blocks_of_valloc(size_t size)
{
    const size_t page = page_size();
    void *block[8];
    for (unsigned i = 0; i < COUNT(block); i++) {
        errno = UNTOUCHED;
        block[i] = valloc(size);
        int error = errno;
        EXPECT(block[i] != NULL || size == 0,
               "valloc(%zu): expected a block, observed NULL with errno %d", size, error);
        EXPECT(is_aligned(block[i], page), "valloc(%zu): expected a multiple of %zu, observed %p",
               size, page, block[i]);
        fill(block[i], size, i);
    }
    for (unsigned i = 0; i < COUNT(block); i++) {
        size_t changed = find_change(block[i], size, i);
        EXPECT(
            changed == size,
            "valloc(%zu) 8 times: expected each block to keep its bytes, observed byte %zu changed",
            size, changed);
    }
    for (unsigned i = 0; i < COUNT(block); i++)
        free(block[i]);
    return PASS;
}

PROBE(valloc_gives_blocks_at_pages, "GLIBC-valloc-1")
{
    const size_t sizes[] = {0, 1, 4095, 4096, 4097, 3 * page_size() - 1, 300000};
    NEED(valloc);
    for (size_t i = 0; i < COUNT(sizes); i++)
        TRY(hold_blocks_of_valloc(sizes[i]));
    return PASS;
}

PROBE(valloc_of_too_much_says_enomem, "GLIBC-valloc-2")
{
    static const size_t sizes[] = {SIZE_MAX,
                                   SIZE_MAX - 100,
                                   SIZE_MAX - 4094,
                                   SIZE_MAX - 4095,
                                   SIZE_MAX - 4096,
                                   SIZE_MAX - 8192,
                                   TOP};
    NEED(valloc);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        free(valloc(1));
        errno = UNTOUCHED;
        void *block = valloc(sizes[i]);
        int error = errno;
        EXPECT(block == NULL && error == ENOMEM,
               "valloc(%zu): expected NULL with errno %d (ENOMEM), observed %s with errno %d",
               sizes[i], ENOMEM, null_or_block(block), error);
    }
    return PASS;
}

PROBE(pvalloc_gives_whole_pages, "GLIBC-pvalloc-1")
{
    const size_t page = page_size(),
                 sizes[] = {1, 1, 100, 100, page - 1, page, page + 1, page + 1, 10 * page + 1};
    void *block[COUNT(sizes)];
    NEED(pvalloc);
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        size_t whole = (sizes[i] + page - 1) / page * page;
        errno = UNTOUCHED;
        block[i] = pvalloc(sizes[i]);
        int error = errno;
        EXPECT(block[i] != NULL, "pvalloc(%zu): expected a block, observed NULL with errno %d",
               sizes[i], error);
        EXPECT(is_aligned(block[i], page), "pvalloc(%zu): expected a multiple of %zu, observed %p",
               sizes[i], page, block[i]);
        size_t usable = HAS(malloc_usable_size) ? malloc_usable_size(block[i]) : whole;
        EXPECT(usable >= whole,
               "malloc_usable_size(pvalloc(%zu)): expected %zu or more, observed %zu", sizes[i],
               whole, usable);
        fill(block[i], whole, i);
    }
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        size_t whole = (sizes[i] + page - 1) / page * page,
               changed = find_change(block[i], whole, i);
        EXPECT(changed == whole,
               "pvalloc(%zu): expected the bytes of %zu to be its own, observed byte %zu changed",
               sizes[i], whole, changed);
        free(block[i]);
    }
    return PASS;
}

PROBE(pvalloc_does_not_wrap, "GLIBC-pvalloc-2")
{
    static const size_t sizes[] = {SIZE_MAX,        SIZE_MAX - 100,  SIZE_MAX - 4094,
                                   SIZE_MAX - 4095, SIZE_MAX - 4096, TOP};
    NEED(pvalloc);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        free(pvalloc(1));
        errno = UNTOUCHED;
        void *block = pvalloc(sizes[i]);
        int error = errno;
        EXPECT(block == NULL && error == ENOMEM,
               "pvalloc(%zu): expected NULL with errno %d (ENOMEM), observed %s with errno %d",
               sizes[i], ENOMEM, null_or_block(block), error);
    }
    return PASS;
}

PROBE(pvalloc_of_zero_bytes, "GLIBC-pvalloc-3")
{
    void *block[8];
    NEED(pvalloc);
    for (size_t i = 0; i < COUNT(block); i++) {
        errno = UNTOUCHED;
        block[i] = pvalloc(0);
        int error = errno;
        EXPECT(block[i] != NULL, "pvalloc(0): expected a block, observed NULL with errno %d",
               error);
        EXPECT(is_aligned(block[i], page_size()),
               "pvalloc(0): expected a multiple of %zu, observed %p", page_size(), block[i]);
    }
    size_t usable = HAS(malloc_usable_size) ? malloc_usable_size(block[0]) : 0;
    for (size_t i = 0; i < COUNT(block); i++)
        free(block[i]);
    return RECORDED("malloc_usable_size(pvalloc(0)): expected any size, observed %zu", usable);
}
