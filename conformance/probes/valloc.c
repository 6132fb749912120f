/* SPDX-License-Identifier: MIT */
/* valloc and pvalloc: page-aligned blocks. */
#include "conformance/testlib.h"

#define TOP (SIZE_MAX / 2 + 1)

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

PROBE(valloc_gives_blocks_at_pages, "GLIBC-valloc-1", NEEDS(valloc))
{
    const size_t sizes[] = {0, 1, 4095, 4096, 4097, 3 * page_size() - 1, 300000};
    for (size_t i = 0; i < COUNT(sizes); i++)
        TRY(hold_blocks(&by_valloc, page_size(), sizes[i], 8));
    return PASS;
}

PROBE(valloc_of_too_much_says_enomem, "GLIBC-valloc-2", NEEDS(valloc) | NEEDS(failure_errno))
{
    static const size_t sizes[] = {SIZE_MAX,
                                   SIZE_MAX - 100,
                                   SIZE_MAX - 4094,
                                   SIZE_MAX - 4095,
                                   SIZE_MAX - 4096,
                                   SIZE_MAX - 8192,
                                   TOP};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        free(valloc(1));
        EXPECT_FAILURE(valloc(sizes[i]), ENOMEM, "valloc(%zu)", sizes[i]);
    }
    return PASS;
}

PROBE(pvalloc_gives_whole_pages, "GLIBC-pvalloc-1", NEEDS(pvalloc))
{
    const size_t page = page_size(),
                 sizes[] = {1, 1, 100, 100, page - 1, page, page + 1, page + 1, 10 * page + 1};
    void *block[COUNT(sizes)];
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        size_t whole = (sizes[i] + page - 1) / page * page;
        block[i] = pvalloc(sizes[i]);
        EXPECT_BLOCK(block[i], "pvalloc(%zu)", sizes[i]);
        EXPECT_ALIGNED(block[i], page, "pvalloc(%zu)", sizes[i]);
        size_t usable = HAS(malloc_usable_size) ? malloc_usable_size(block[i]) : whole;
        EXPECT(usable >= whole,
               "malloc_usable_size(pvalloc(%zu)): expected %zu or more, observed %zu", sizes[i],
               whole, usable);
        fill(block[i], whole, i);
    }
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        size_t whole = (sizes[i] + page - 1) / page * page;
        EXPECT_FILLED(block[i], whole, i, "pvalloc(%zu)", sizes[i]);
        free(block[i]);
    }
    return PASS;
}

PROBE(pvalloc_does_not_wrap, "GLIBC-pvalloc-2", NEEDS(pvalloc))
{
    static const size_t sizes[] = {SIZE_MAX,        SIZE_MAX - 100,  SIZE_MAX - 4094,
                                   SIZE_MAX - 4095, SIZE_MAX - 4096, TOP};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        free(pvalloc(1));
        EXPECT_FAILURE(pvalloc(sizes[i]), ENOMEM, "pvalloc(%zu)", sizes[i]);
    }
    return PASS;
}

PROBE(pvalloc_of_zero_bytes, "GLIBC-pvalloc-3", NEEDS(pvalloc))
{
    void *block[8];
    for (size_t i = 0; i < COUNT(block); i++) {
        block[i] = pvalloc(0);
        EXPECT_BLOCK(block[i], "pvalloc(0)");
        EXPECT_ALIGNED(block[i], page_size(), "pvalloc(0)");
    }
    size_t usable = HAS(malloc_usable_size) ? malloc_usable_size(block[0]) : 0;
    for (size_t i = 0; i < COUNT(block); i++)
        free(block[i]);
    return RECORDED("malloc_usable_size(pvalloc(0)): expected any size, observed %zu", usable);
}
