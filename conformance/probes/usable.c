/* SPDX-License-Identifier: MIT */
/* What a block tells about itself: malloc_usable_size, and memalignment of C23. */
#include "conformance/kit.h"

/* Ways to a block, by number; NULL: the subject lacks the function. */
enum { WAYS = 9 };

static const char *const way_names[WAYS] = {"malloc(n)",
                                            "calloc(1, n)",
                                            "realloc(NULL, n)",
                                            "reallocarray(NULL, 1, n)",
                                            "aligned_alloc(4096, n)",
                                            "posix_memalign(&p, 256, n)",
                                            "memalign(64, n)",
                                            "valloc(n)",
                                            "pvalloc(n)"};

static void *take_by(int way, size_t size)
{
    void *block = NULL;
    switch (way) {
    case 0:
        return malloc(size);
    case 1:
        return HAS(calloc) ? calloc(1, size) : NULL;
    case 2:
        return HAS(realloc) ? realloc(NULL, size) : NULL;
    case 3:
        return HAS(reallocarray) ? reallocarray(NULL, 1, size) : NULL;
    case 4:
        return HAS(aligned_alloc) ? aligned_alloc(4096, size) : NULL;
    case 5:
        return HAS(posix_memalign) && posix_memalign(&block, 256, size) == 0 ? block : NULL;
    case 6:
        return HAS(memalign) ? memalign(64, size) : NULL;
    case 7:
        return HAS(valloc) ? valloc(size) : NULL;
    default:
        return HAS(pvalloc) ? pvalloc(size) : NULL;
    }
}

PROBE(usable_size_of_null_is_zero, "GLIBC-usable-1")
{
    NEED(malloc_usable_size);
    size_t usable = malloc_usable_size(NULL);
    EXPECT(usable == 0, "malloc_usable_size(NULL): expected 0, observed %zu", usable);
    return PASS;
}

PROBE(usable_size_is_at_least_what_was_asked_for, "GLIBC-usable-2")
{
    NEED(malloc_usable_size);
    for (size_t size = 0; size <= SIZE_LAST; size = next_size(size)) {
        for (int way = 0; way < WAYS; way++) {
            void *block = take_by(way, size);
            size_t usable = block != NULL ? malloc_usable_size(block) : size;
            EXPECT(usable >= size,
                   "malloc_usable_size of %s, n = %zu: expected %zu or more, observed %zu",
                   way_names[way], size, size, usable);
            free(block);
        }
    }
    return PASS;
}

PROBE(usable_size_is_stable, "GLIBC-usable-3")
{
    enum { KEPT = 96, OTHERS = 64, OPERATIONS = 10000 };
    void *kept[KEPT], *other[OTHERS] = {NULL};
    size_t usable[KEPT];
    uint32_t state = 1;
    NEED(malloc_usable_size);
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
        EXPECT(block[i] != NULL, "malloc(%zu): expected a block, observed NULL", size);
        usable[i] = malloc_usable_size(block[i]);
        fill(block[i], usable[i], i);
    }
    for (unsigned i = 0; i < COUNT(block); i++) {
        size_t changed = find_change(block[i], usable[i], i);
        EXPECT(changed == usable[i],
               "writing all usable bytes of 32 blocks of malloc(%zu): expected them disjoint, "
               "observed byte %zu of %zu changed",
               size, changed, usable[i]);
    }
    for (unsigned i = 0; i < COUNT(block); i++)
        free(block[i]);
    return PASS;
}

PROBE(usable_bytes_can_be_written, "GLIBC-usable-4")
{
    NEED(malloc_usable_size);
    for (size_t size = 1; size <= 600; size++)
        TRY(fill_neighbours(size));
    return PASS;
}

PROBE(realloc_to_the_usable_size_keeps_content, "GLIBC-usable-5")
{
    NEED(malloc_usable_size);
    NEED(realloc);
    for (size_t size = 1; size <= SIZE_LAST / 4; size = next_size(size)) {
        char *block = malloc(size);
        EXPECT(block != NULL, "malloc(%zu): expected a block, observed NULL", size);
        fill(block, size, 1);
        size_t usable = malloc_usable_size(block);
        block = realloc(block, usable);
        EXPECT(block != NULL,
               "realloc(malloc(%zu), %zu), its usable size: expected a block, observed NULL", size,
               usable);
        size_t changed = find_change(block, size, 1);
        EXPECT(changed == size,
               "realloc(malloc(%zu), %zu), its usable size: expected its bytes kept, observed byte "
               "%zu changed",
               size, usable, changed);
        block[usable - 1] = 1;
        free(block);
    }
    return PASS;
}

PROBE(usable_size_keeps_errno, "GLIBC-usable-6")
{
    NEED(malloc_usable_size);
    for (size_t size = 0; size <= SIZE_LAST; size = next_size(size)) {
        void *block = size == 0 ? NULL : malloc(size);
        errno = UNTOUCHED;
        (void)malloc_usable_size(block);
        int error = errno;
        EXPECT(error == UNTOUCHED,
               "errno = %d, malloc_usable_size(%s), n = %zu: expected errno %d, observed %d",
               UNTOUCHED, block == NULL ? "NULL" : "malloc(n)", size, UNTOUCHED, error);
        free(block);
    }
    return PASS;
}

PROBE(memalignment_tells_a_power_of_two, "C23-7.24.9.1-p2-a")
{
    NEED(memalignment);
    NEED(aligned_alloc);
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
