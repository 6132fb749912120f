/* SPDX-License-Identifier: MIT */
/* What can be asked about a block: malloc_usable_size, and memalignment of C23. */
#include "conformance/testlib.h"

PROBE(usable_size_of_null_is_zero, "GLIBC-usable-1", NEEDS(malloc_usable_size))
{
    size_t usable = malloc_usable_size(NULL);
    EXPECT(usable == 0, "malloc_usable_size(NULL): expected 0, observed %zu", usable);
    return PASS;
}

static size_t alignment_for(const struct allocating_call *by)
{
    return by == &by_aligned_alloc ? 4096 : by == &by_posix_memalign ? 256 : 64;
}

PROBE(usable_size_is_at_least_what_was_asked_for, "GLIBC-usable-2", NEEDS(malloc_usable_size))
{
    for (size_t size = 0; size <= SIZE_LAST; size = next_size(size)) {
        FOR_EACH_CALL(by)
        {
            void *block = by->allocate(alignment_for(by), size);
            size_t usable = block != NULL ? malloc_usable_size(block) : size;
            EXPECT(usable >= size, "malloc_usable_size of %s: expected %zu or more, observed %zu",
                   name_call(by, alignment_for(by), size), size, usable);
            free(block);
        }
    }
    return PASS;
}

PROBE(usable_size_is_stable, "GLIBC-usable-3", NEEDS(malloc_usable_size))
{
    enum { KEPT = 96, OTHERS = 64, OPERATIONS = 10000 };
    void *kept[KEPT], *other[OTHERS] = {NULL};
    size_t usable[KEPT];
    uint32_t state = 1;
    for (size_t i = 0; i < KEPT; i++) {
        kept[i] = malloc(i < KEPT / 2 ? i * 37 : (size_t)1 << (i % 20));
        usable[i] = malloc_usable_size(kept[i]);
    }
    for (size_t i = 0; i < OPERATIONS; i++) {
        size_t at = next_random(&state) % OTHERS;
        free(other[at]);
        other[at] = malloc(next_random(&state) % ((size_t)1 << (i % 18)));
    }
    for (size_t i = 0; i < KEPT; i++) {
        size_t now = malloc_usable_size(kept[i]);
        EXPECT(now == usable[i],
               "malloc_usable_size of a block kept over %d other calls: expected %zu as before, "
               "observed %zu",
               2 * OPERATIONS, usable[i], now);
    }
    return PASS;
}

/* Fills all that 32 neighbours may use; then none may have lost its bytes. */
static enum probe_outcome fill_neighbours(size_t size)
{
    void *block[32];
    size_t usable[COUNT(block)];
    for (unsigned i = 0; i < COUNT(block); i++) {
        block[i] = malloc(size);
        EXPECT_BLOCK(block[i], "malloc(%zu)", size);
        usable[i] = malloc_usable_size(block[i]);
        fill(block[i], usable[i], i);
    }
    for (unsigned i = 0; i < COUNT(block); i++) {
        EXPECT_FILLED(
            block[i], usable[i], i,
            "writing all usable bytes of 32 blocks of malloc(%zu), which must be disjoint", size);
    }
    for (unsigned i = 0; i < COUNT(block); i++)
        free(block[i]);
    return PASS;
}

PROBE(usable_bytes_can_be_written, "GLIBC-usable-4", NEEDS(malloc_usable_size))
{
    for (size_t size = 1; size <= 600; size++)
        TRY(fill_neighbours(size));
    return PASS;
}

PROBE(realloc_to_the_usable_size_keeps_content, "GLIBC-usable-5",
      NEEDS(malloc_usable_size) | NEEDS(realloc))
{
    for (size_t size = 1; size <= SIZE_LAST / 4; size = next_size(size)) {
        char *block = malloc(size);
        EXPECT_BLOCK(block, "malloc(%zu)", size);
        fill(block, size, 1);
        size_t usable = malloc_usable_size(block);
        block = realloc(block, usable);
        EXPECT_BLOCK(block, "realloc(malloc(%zu), %zu), its usable size", size, usable);
        EXPECT_FILLED(block, size, 1, "realloc(malloc(%zu), %zu), its usable size", size, usable);
        block[usable - 1] = 1;
        free(block);
    }
    return PASS;
}

PROBE(usable_size_keeps_errno, "GLIBC-usable-6", NEEDS(malloc_usable_size))
{
    for (size_t size = 0; size <= SIZE_LAST; size = next_size(size)) {
        void *block = size == 0 ? NULL : malloc(size);
        CATCH_ERRNO(error, (void)malloc_usable_size(block));
        if (block == NULL)
            EXPECT_UNTOUCHED(error, "malloc_usable_size(NULL)");
        EXPECT_UNTOUCHED(error, "malloc_usable_size(malloc(%zu))", size);
        free(block);
    }
    return PASS;
}

PROBE(memalignment_tells_a_power_of_two, "C23-7.24.9.1-p2-a",
      NEEDS(memalignment) | NEEDS(aligned_alloc))
{
    size_t found = memalignment(NULL);
    EXPECT(found == 0, "memalignment(NULL): expected 0, observed %zu", found);
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        void *block = aligned_alloc(alignment, alignment);
        if (block == NULL)
            continue;
        found = memalignment(block);
        EXPECT(found >= alignment && (found & (found - 1)) == 0,
               "memalignment(aligned_alloc(%zu, %zu)): expected a power of two, at least %zu, "
               "observed %zu",
               alignment, alignment, alignment, found);
        free(block);
    }
    return PASS;
}
