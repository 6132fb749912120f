/* SPDX-License-Identifier: MIT */
/* realloc: which blocks it accepts, and that it releases the old block. */
#include "conformance/testlib.h"

PROBE(realloc_releases_the_old_block, "C23-7.24.3.7-p2-a", NEEDS(realloc))
{
    enum { TIMES = 120 };
    void *block = realloc(malloc(MIB), 2 * MIB);
    size_t before = memory_resident();
    /* Addresses may stay reserved for a while: the limit is for where memory cannot be seen. */
    bool is_limited = before == 0 && limit_memory(128 * MIB);
    for (unsigned i = 0; i < TIMES; i++) {
        size_t size = i % 2 == 0 ? MIB : 2 * MIB;
        block = realloc(block, size);
        EXPECT_BLOCK(block, "realloc between 1 and 2 MiB, call %u", i + 1);
        fill(block, size, i);
        EXPECT_FILLED(block, size, i, "realloc to %zu bytes, all of them filled", size);
        size_t now = memory_resident();
        EXPECT(now <= before + 100 * MIB,
               "realloc between 1 and 2 MiB: expected the old block released, observed %zu MiB "
               "more in use at call %u",
               (now - before) / MIB, i + 1);
    }
    free(block);
    return is_limited || before > 0
               ? PASS
               : UNSUPPORTED("realloc: neither a limit of memory nor its use is to be had here");
}

PROBE(realloc_of_null_is_malloc, "C23-7.24.3.7-p3-a", NEEDS(realloc))
{
    void *nothing = malloc(0), *block = realloc(NULL, 0);
    EXPECT((block == NULL) == (nothing == NULL),
           "realloc(NULL, 0): expected %s as from malloc(0), observed %s", null_or_block(nothing),
           null_or_block(block));
    free(nothing);
    free(block);
    for (size_t size = 1; size <= SIZE_LAST; size = next_size(size)) {
        size_t end = size <= MIB ? size : 4096;
        unsigned char *one = realloc(NULL, size), *two = realloc(NULL, size);
        EXPECT(one != NULL && two != NULL,
               "realloc(NULL, %zu): expected a block, observed NULL with errno %d", size, errno);
        fill(one + size - end, end, 1);
        fill(two + size - end, end, 2);
        EXPECT_FILLED(one + size - end, end, 1, "realloc(NULL, %zu) twice, both blocks filled",
                      size);
        free(one);
        free(two);
    }
    return PASS;
}

/* Resizes a block that some function gave, whose first `kept` bytes are filled, and looks at
 * them. */
static enum probe_outcome resize(void **block, size_t size, size_t kept, bool is_array,
                                 const char *source)
{
    const char *function = is_array ? "reallocarray" : "realloc";
    *block = is_array ? reallocarray(*block, size, 1) : realloc(*block, size);
    EXPECT_BLOCK(*block, "%s of %s to %zu", function, source, size);
    EXPECT_FILLED(*block, kept, 9, "%s of %s to %zu", function, source, size);
    return PASS;
}

/* To more and to less than its first `size` bytes. */
static enum probe_outcome resize_both_ways(void *block, size_t size, bool is_array,
                                           const char *source)
{
    EXPECT_BLOCK(block, "%s", source);
    fill(block, size, 9);
    TRY(resize(&block, size + 3000, size, is_array, source));
    TRY(resize(&block, size / 2 + 1, size / 2 + 1, is_array, source));
    free(block);
    return PASS;
}

/* At once smaller than its alignment. */
static enum probe_outcome shrink(void *block, size_t size, const char *source)
{
    EXPECT_BLOCK(block, "%s", source);
    fill(block, size, 9);
    TRY(resize(&block, size / 4 + 1, size / 4 + 1, false, source));
    free(block);
    return PASS;
}

PROBE(realloc_takes_aligned_blocks, "C23-7.24.3.7-p3-b", NEEDS(aligned_alloc) | NEEDS(realloc))
{
    char source[64];
    for (size_t alignment = 8;
         alignment <= 64 * KIB && supports_alignment(&by_aligned_alloc, alignment);
         alignment *= 2) {
        for (size_t multiple = 1; multiple <= 3; multiple++) {
            size_t size = alignment * multiple;
            snprintf(source, sizeof source, "aligned_alloc(%zu, %zu)", alignment, size);
            TRY(resize_both_ways(aligned_alloc(alignment, size), size, false, source));
            TRY(shrink(aligned_alloc(alignment, size), size, source));
        }
    }
    return PASS;
}

/* Blocks of the malloc family, resized by realloc or reallocarray. */
static enum probe_outcome resize_blocks_of_family(bool is_array)
{
    char source[96];
    FOR_EACH_CALL(by)
    {
        size_t most = by->least_alignment > 0 ? 64 * KIB : 8;
        for (size_t alignment = 8;
             alignment <= most && !by->is_glibc && supports_alignment(by, alignment);
             alignment *= 2) {
            size_t size = by->is_for_multiples ? alignment : 100;
            snprintf(source, sizeof source, "%s", name_call(by, alignment, size));
            TRY(resize_both_ways(by->allocate(alignment, size), size, is_array, source));
        }
    }
    return resize_both_ways(realloc(malloc(10), 5000), 5000, is_array, "realloc(malloc(10), 5000)");
}

/* Blocks that the C library hands out, as if by malloc. */
static enum probe_outcome resize_blocks_of_libc(bool is_array)
{
    static char text[] =
        "one line, long enough to be more than the smallest block, and nothing else\n";
    char *stream_text = NULL, *line = NULL;
    size_t stream_size = 0, line_size = 0;
    TRY(resize_both_ways(strdup(text), sizeof text, is_array, "strdup"));
    FILE *stream = open_memstream(&stream_text, &stream_size);
    if (stream == NULL || fputs(text, stream) < 0 || fclose(stream) != 0)
        return UNSUPPORTED("open_memstream: expected a stream, observed errno %d", errno);
    TRY(resize_both_ways(stream_text, stream_size + 1, is_array, "open_memstream"));
    stream = fmemopen(text, sizeof text - 1, "r");
    if (stream == NULL || getline(&line, &line_size, stream) < 0 || fclose(stream) != 0)
        return UNSUPPORTED("getline: expected a line, observed errno %d", errno);
    return resize_both_ways(line, sizeof text, is_array, "getline");
}

PROCESS_PROBE(realloc_takes_blocks_of_every_source, "POSIX24-realloc-6")
{
    TRY(resize_blocks_of_family(false));
    TRY(resize_blocks_of_libc(false));
    if (HAS(reallocarray)) {
        TRY(resize_blocks_of_family(true));
        TRY(resize_blocks_of_libc(true));
    }
    return PASS;
}

PROBE(whether_realloc_takes_aligned_blocks, "POSIX17-realloc-7", NEEDS(realloc))
{
    unsigned kept = 0, tried = 0;
    for (size_t alignment = 8; alignment <= 64 * KIB; alignment *= 2) {
        FOR_EACH_CALL(by)
        {
            void *block = by->least_alignment > 0 && !by->is_glibc
                              ? by->allocate(alignment, alignment)
                              : NULL;
            if (block == NULL)
                continue;
            fill(block, alignment, 1);
            void *resized = realloc(block, 2 * alignment + 100);
            kept += resized != NULL && find_change(resized, alignment, 1) == alignment;
            tried++;
        }
    }
    return RECORDED("realloc of aligned_alloc and posix_memalign to more: observed the content "
                    "kept %u times of %u",
                    kept, tried);
}

/* Small sizes a hundred times: some allocators move a block now and then, to have it guarded. */
PROBE(realloc_to_the_same_size_stays, "MAN-malloc-7", NEEDS(realloc))
{
    for (unsigned round = 0; round < 100; round++) {
        for (size_t size = 1; size <= (round == 0 ? SIZE_LAST : 1024); size = next_size(size)) {
            uintptr_t block = (uintptr_t)malloc(size),
                      same = (uintptr_t)realloc((void *)block, size);
            EXPECT(block == same,
                   "realloc(malloc(%zu), %zu): expected the same address, observed %p and then %p",
                   size, size, (void *)block, (void *)same);
            free((void *)same);
        }
    }
    return PASS;
}
