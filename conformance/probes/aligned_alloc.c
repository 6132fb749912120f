/* SPDX-License-Identifier: MIT */
/* aligned_alloc: which alignments it accepts, that the blocks have them, and how it refuses. */
#include "conformance/testlib.h"

#define TOP (SIZE_MAX / 2 + 1)

#define FUNDAMENTAL _Alignof(max_align_t)

/* A subject need not support alignments that no type needs. */
static bool supports(size_t alignment)
{
    CATCH_ERRNO(error, void *block = aligned_alloc(alignment, alignment));
    free(block);
    return block != NULL || error != EINVAL || alignment <= FUNDAMENTAL;
}

PROBE(aligned_alloc_honours_alignment_and_size, "C23-7.24.3.1-p2-a", NEEDS(aligned_alloc))
{
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2)
        for (size_t multiple = 1; multiple <= 17 && supports(alignment);
             multiple += multiple == 1 ? 1 : 15)
            TRY(hold_blocks(&by_aligned_alloc, alignment, multiple * alignment, 64));
    return PASS;
}

PROBE(aligned_alloc_refuses_what_is_no_alignment, "C23-7.24.3.1-p2-b", NEEDS(aligned_alloc))
{
    static const size_t alignments[] = {0, 3, 5, 6, 24, SIZE_MAX, TOP + 1};
    for (size_t i = 0; i < COUNT(alignments); i++) {
        void *block = aligned_alloc(alignments[i], 64);
        EXPECT_NULL(block, "aligned_alloc(%zu, 64)", alignments[i]);
        block = alignments[i] > 0 ? aligned_alloc(alignments[i], alignments[i]) : NULL;
        EXPECT_NULL(block, "aligned_alloc(%zu, %zu)", alignments[i], alignments[i]);
    }
    return PASS;
}

PROBE(aligned_alloc_supports_alignments_up_to_a_largest, "C23-7.24.3.1-p2-c", NEEDS(aligned_alloc))
{
    size_t largest = 0, refused = 0;
    for (unsigned k = 0; k <= 30; k++) {
        size_t alignment = (size_t)1 << k;
        CATCH_ERRNO(error, void *block = aligned_alloc(alignment, alignment));
        EXPECT(block != NULL || alignment > FUNDAMENTAL,
               "aligned_alloc(%zu, %zu): expected a block, as alignments up to %zu are "
               "fundamental, observed NULL with errno %d",
               alignment, alignment, FUNDAMENTAL, error);
        EXPECT(block == NULL || refused == 0,
               "aligned_alloc(%zu, %zu): expected NULL as for the smaller alignment %zu, observed "
               "a block",
               alignment, alignment, refused);
        if (block == NULL && error == EINVAL && refused == 0)
            refused = alignment;
        largest = block != NULL ? alignment : largest;
        free(block);
    }
    return RECORDED("aligned_alloc(2^k, 2^k), k to 30: expected a block up to some alignment, "
                    "observed one up to %zu",
                    largest);
}

PROBE(aligned_alloc_takes_any_size, "C23-7.24.3.1-p2-d", NEEDS(aligned_alloc))
{
    static const size_t requests[][2] = {{64, 65}, {4096, 1}, {16, 17},    {64, 32},
                                         {64, 63}, {64, 127}, {4096, 6144}};
    for (size_t i = 0; i < COUNT(requests); i++)
        TRY(hold_blocks(&by_aligned_alloc, requests[i][0], requests[i][1], 1));
    return PASS;
}

PROBE(aligned_alloc_never_gives_a_block_for_an_absurd_size, "C23-7.24.3.1-p3-a",
      NEEDS(aligned_alloc))
{
    /* Sums of alignment and size that wrap to something small. */
    static const size_t requests[][2] = {{4096, SIZE_MAX - 4095}, {64, SIZE_MAX - 63},
                                         {16, SIZE_MAX - 15},     {MIB, SIZE_MAX - MIB + 1},
                                         {4096, SIZE_MAX},        {64, TOP},
                                         {64, TOP - 64}};
    for (size_t i = 0; i < COUNT(requests); i++) {
        size_t alignment = requests[i][0], size = requests[i][1];
        if (size < TOP && sizeof size < 8)
            continue;
        free(aligned_alloc(alignment, alignment));
        void *block = aligned_alloc(alignment, size);
        EXPECT_NULL(block, "aligned_alloc(%zu, %zu)", alignment, size);
    }
    return PASS;
}

PROBE(free_releases_blocks_of_aligned_alloc, "C23-7.24.3.1-p3-b", NEEDS(aligned_alloc))
{
    for (size_t alignment = 1; alignment <= 4 * KIB; alignment *= 2) {
        size_t size = alignment < KIB ? KIB : alignment;
        if (supports(alignment))
            TRY(reuse_block(&by_aligned_alloc, alignment, size, &by_free));
    }
    return PASS;
}

PROBE(aligned_alloc_says_einval_for_what_is_no_alignment, "POSIX24-aligned_alloc-1",
      NEEDS(aligned_alloc) | NEEDS(failure_errno))
{
    static const size_t alignments[] = {0, 3, 24};
    for (size_t i = 0; i < COUNT(alignments); i++)
        EXPECT_FAILURE(aligned_alloc(alignments[i], 64), EINVAL, "aligned_alloc(%zu, 64)",
                       alignments[i]);
    return PASS;
}

PROBE(aligned_alloc_refuses_or_rounds_up_an_odd_alignment, "GLIBC-aligned_alloc-1",
      NEEDS(aligned_alloc) | NEEDS(failure_errno))
{
    /* with the next power of two */
    static const size_t alignments[][2] = {{3, 4}, {24, 32}, {0, 1}};
    size_t accepted = 0, is_accepted = 0;
    for (size_t i = 0; i < COUNT(alignments); i++) {
        CATCH_ERRNO(error, void *block = aligned_alloc(alignments[i][0], 64));
        if (block == NULL)
            EXPECT_ERRNO(error, EINVAL, "aligned_alloc(%zu, 64)", alignments[i][0]);
        EXPECT(is_aligned(block, alignments[i][1]),
               "aligned_alloc(%zu, 64): expected NULL, or a multiple of %zu as before glibc 2.38, "
               "observed %p",
               alignments[i][0], alignments[i][1], block);
        accepted = block != NULL ? alignments[i][0] : accepted;
        is_accepted |= block != NULL;
    }
    return is_accepted ? WEAK("aligned_alloc(%zu, 64): expected NULL as of glibc 2.38, observed a "
                              "block as before",
                              accepted)
                       : PASS;
}

PROBE(aligned_alloc_supports_every_power_of_two, "GLIBC-aligned_alloc-2", NEEDS(aligned_alloc))
{
    for (unsigned k = 0; k <= 30; k++) {
        size_t alignment = (size_t)1 << k, sizes[] = {1, alignment + 1};
        for (size_t i = 0; i < COUNT(sizes); i++) {
            CATCH_ERRNO(error, char *block = aligned_alloc(alignment, sizes[i]));
            if (block == NULL && error == ENOMEM && alignment > 16 * MIB)
                continue;
            EXPECT_BLOCK(block, "aligned_alloc(%zu, %zu)", alignment, sizes[i]);
            EXPECT_ALIGNED(block, alignment, "aligned_alloc(%zu, %zu)", alignment, sizes[i]);
            block[0] = block[sizes[i] - 1] = 1;
            free(block);
        }
    }
    return PASS;
}

PROBE(aligned_alloc_says_enomem, "POSIX24-aligned_alloc-2",
      NEEDS(aligned_alloc) | NEEDS(failure_errno))
{
    char call[80];
    CATCH_ERRNO(error, void *block = aligned_alloc(4096, SIZE_MAX));
    snprintf(call, sizeof call, "aligned_alloc(4096, %zu)", SIZE_MAX);
    EXPECT_NULL(block, "%s", call);
    TRY(judge_enomem(&by_aligned_alloc, call, error));
    CATCH_ERRNO(other_error, block = aligned_alloc(GIB, PTRDIFF_MAX));
    snprintf(call, sizeof call, "aligned_alloc(%zu, %zu)", GIB, (size_t)PTRDIFF_MAX);
    EXPECT_NULL(block, "%s", call);
    if (other_error != EINVAL && other_error != EAGAIN)
        EXPECT_ERRNO(other_error, ENOMEM, "%s", call);
    TRY(judge_failures(&by_aligned_alloc, 64, 64 * MIB, judge_enomem));
    return PASS;
}

PROBE(aligned_alloc_of_zero_bytes, "POSIX24-aligned_alloc-3", NEEDS(aligned_alloc))
{
    const char *answer = "";
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        void *block[8]; /* held together, as one alone may be aligned by chance */
        for (size_t i = 0; i < COUNT(block); i++) {
            block[i] = aligned_alloc(alignment, 0);
            EXPECT(is_aligned(block[i], alignment),
                   "aligned_alloc(%zu, 0): expected NULL or a multiple of %zu, observed %p",
                   alignment, alignment, block[i]);
        }
        answer = alignment == 16 ? null_or_block(block[0]) : answer;
        for (size_t i = 0; i < COUNT(block); i++)
            free(block[i]);
    }
    CHOICE("aligned_alloc(16, 0)", answer);
    return RECORDED("aligned_alloc(16, 0): expected NULL or a block, observed %s", answer);
}

/* A call that failed without an errno that says why, if there was one. */
static char silent_call[96];

/* Either it is refused, or there is a block whose ends can be written. */
static enum probe_outcome ask_absurdly(size_t alignment, size_t size)
{
    FOR_EACH_CALL(by)
    {
        if (by->least_alignment == 0)
            continue;
        CATCH_ERRNO(error, char *block = by->allocate(alignment, size));
        const char *call = name_call(by, alignment, size);
        EXPECT(block == NULL || size < TOP, "%s: expected a refusal, observed %p", call,
               (void *)block);
        EXPECT(is_aligned(block, alignment),
               "%s: expected a refusal or a multiple of %zu, observed %p", call, alignment,
               (void *)block);
        if (block == NULL && error != ENOMEM && error != EINVAL)
            snprintf(silent_call, sizeof silent_call, "%s", call);
        if (block != NULL)
            block[0] = block[size - 1] = 1;
        free(block);
    }
    return PASS;
}

PROBE(absurd_alignments_with_sizes_are_refused_cleanly, "GLIBC-aligned_alloc-3")
{
    static const size_t requests[][2] = {{TOP, PTRDIFF_MAX}, {TOP / 2, TOP / 2}, {TOP, 64},
                                         {TOP, TOP - 1},     {TOP, TOP},         {TOP / 2, 1}};
    for (size_t i = 0; i < COUNT(requests); i++)
        TRY(ask_absurdly(requests[i][0], requests[i][1]));
    /* 2^32 to 2^40 where size_t has 64 bits. */
    for (size_t alignment = TOP >> 31; alignment <= TOP >> 23; alignment *= 2)
        TRY(ask_absurdly(alignment, 16));
    if (silent_call[0] != '\0')
        return WEAK("%s: expected NULL with errno %d (ENOMEM) or %d (EINVAL), observed NULL with "
                    "another errno",
                    silent_call, ENOMEM, EINVAL);
    return PASS;
}
