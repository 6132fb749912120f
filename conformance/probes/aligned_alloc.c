/* SPDX-License-Identifier: MIT */
/* aligned_alloc: which alignments it takes, what it gives for them, and how it refuses. */
#include "conformance/kit.h"

#define TOP (SIZE_MAX / 2 + 1)

#define FUNDAMENTAL _Alignof(max_align_t)

/* Whether a refusal is one of an alignment that the subject does not support, as it may for all
 * that no type needs. */
static bool is_unsupported(size_t alignment, const void *block, int error)
{
    return block == NULL && error == EINVAL && alignment > FUNDAMENTAL;
}

/* Holds 64 blocks at a time, so that blocks that overlap spoil each other's bytes. */
static enum probe_outcome hold_blocks(size_t alignment, size_t size)
{
    void *block[64];
    for (unsigned i = 0; i < COUNT(block); i++) {
        errno = UNTOUCHED;
        block[i] = aligned_alloc(alignment, size);
        int error = errno;
        if (is_unsupported(alignment, block[i], error))
            return PASS;
        EXPECT(block[i] != NULL,
               "aligned_alloc(%zu, %zu): expected a block, observed NULL with errno %d", alignment,
               size, error);
        EXPECT(is_aligned(block[i], alignment),
               "aligned_alloc(%zu, %zu): expected a multiple of %zu, observed %p", alignment, size,
               alignment, block[i]);
        fill(block[i], size, i);
    }
    for (unsigned i = 0; i < COUNT(block); i++) {
        size_t changed = find_change(block[i], size, i);
        EXPECT(changed == size,
               "aligned_alloc(%zu, %zu), 64 blocks: expected each to keep its bytes, observed byte "
               "%zu of block %u changed",
               alignment, size, changed, i);
        free(block[i]);
    }
    return PASS;
}

PROBE(aligned_alloc_honours_alignment_and_size, "C23-7.24.3.1-p2-a")
{
    NEED(aligned_alloc);
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        TRY(hold_blocks(alignment, alignment));
        TRY(hold_blocks(alignment, 2 * alignment));
        TRY(hold_blocks(alignment, 17 * alignment));
    }
    return PASS;
}

PROBE(aligned_alloc_refuses_what_is_no_alignment, "C23-7.24.3.1-p2-b")
{
    static const size_t alignments[] = {0, 3, 5, 6, 24, SIZE_MAX, TOP + 1};
    NEED(aligned_alloc);
    for (size_t i = 0; i < COUNT(alignments); i++) {
        void *block = aligned_alloc(alignments[i], 64);
        EXPECT(block == NULL, "aligned_alloc(%zu, 64): expected NULL, observed %p", alignments[i],
               block);
        block = alignments[i] > 0 ? aligned_alloc(alignments[i], alignments[i]) : NULL;
        EXPECT(block == NULL, "aligned_alloc(%zu, %zu): expected NULL, observed %p", alignments[i],
               alignments[i], block);
    }
    return PASS;
}

PROBE(aligned_alloc_supports_alignments_up_to_a_largest, "C23-7.24.3.1-p2-c")
{
    size_t largest = 0, refused = 0;
    NEED(aligned_alloc);
    for (unsigned k = 0; k <= 30; k++) {
        size_t alignment = (size_t)1 << k;
        errno = UNTOUCHED;
        void *block = aligned_alloc(alignment, alignment);
        int error = errno;
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

PROBE(aligned_alloc_takes_any_size, "C23-7.24.3.1-p2-d")
{
    static const size_t requests[][2] = {{64, 65}, {4096, 1}, {16, 17},    {64, 32},
                                         {64, 63}, {64, 127}, {4096, 6144}};
    NEED(aligned_alloc);
    for (size_t i = 0; i < COUNT(requests); i++) {
        size_t alignment = requests[i][0], size = requests[i][1];
        errno = UNTOUCHED;
        void *block = aligned_alloc(alignment, size);
        int error = errno;
        EXPECT(block != NULL,
               "aligned_alloc(%zu, %zu): expected a block, observed NULL with errno %d", alignment,
               size, error);
        EXPECT(is_aligned(block, alignment),
               "aligned_alloc(%zu, %zu): expected a multiple of %zu, observed %p", alignment, size,
               alignment, block);
        fill(block, size, 1);
        free(block);
    }
    return PASS;
}

PROBE(aligned_alloc_never_gives_a_block_for_an_absurd_size, "C23-7.24.3.1-p3-a")
{
    /* Sums of alignment and size that wrap to something small. */
    static const size_t requests[][2] = {{4096, SIZE_MAX - 4095}, {64, SIZE_MAX - 63},
                                         {16, SIZE_MAX - 15},     {MIB, SIZE_MAX - MIB + 1},
                                         {4096, SIZE_MAX},        {64, TOP},
                                         {64, TOP - 64}};
    NEED(aligned_alloc);
    for (size_t i = 0; i < COUNT(requests); i++) {
        size_t alignment = requests[i][0], size = requests[i][1];
        if (size < TOP && sizeof size < 8)
            continue;
        free(aligned_alloc(alignment, alignment));
        void *block = aligned_alloc(alignment, size);
        EXPECT(block == NULL, "aligned_alloc(%zu, %zu): expected NULL, observed %p", alignment,
               size, block);
    }
    return PASS;
}

/* One block at a time is live; 8 MiB were, if none came back. */
static enum probe_outcome take_and_give(size_t alignment, size_t size)
{
    size_t before = 0, rounds = 8 * MIB / size;
    for (size_t i = 0; i < rounds; i++) {
        errno = UNTOUCHED;
        void *block = aligned_alloc(alignment, size);
        int error = errno;
        if (i == 0 && is_unsupported(alignment, block, error))
            return PASS;
        EXPECT(block != NULL,
               "aligned_alloc(%zu, %zu) and free, round %zu: expected a block, observed NULL with "
               "errno %d",
               alignment, size, i, error);
        memset(block, 1, size);
        free(block);
        before = i == rounds / 8 ? resident_bytes() : before;
    }
    size_t after = resident_bytes();
    EXPECT(after < before + 4 * MIB,
           "aligned_alloc(%zu, %zu) and free, %zu rounds: expected no growth, observed %zu "
           "resident bytes more",
           alignment, size, rounds, after - before);
    return PASS;
}

PROBE(free_releases_blocks_of_aligned_alloc, "C23-7.24.3.1-p3-b")
{
    NEED(aligned_alloc);
    for (size_t alignment = 1; alignment <= 4 * KIB; alignment *= 2)
        TRY(take_and_give(alignment, alignment < KIB ? KIB : alignment));
    return PASS;
}

PROBE(aligned_alloc_says_einval_for_what_is_no_alignment, "POSIX24-aligned_alloc-1")
{
    static const size_t alignments[] = {0, 3, 24};
    NEED(aligned_alloc);
    for (size_t i = 0; i < COUNT(alignments); i++) {
        errno = UNTOUCHED;
        void *block = aligned_alloc(alignments[i], 64);
        int error = errno;
        EXPECT(block == NULL && error == EINVAL,
               "aligned_alloc(%zu, 64): expected NULL with errno %d (EINVAL), observed %s with "
               "errno %d",
               alignments[i], EINVAL, null_or_block(block), error);
    }
    return PASS;
}

PROBE(aligned_alloc_refuses_or_rounds_up_an_odd_alignment, "GLIBC-aligned_alloc-1")
{
    /* with the next power of two */
    static const size_t alignments[][2] = {{3, 4}, {24, 32}, {0, 1}};
    size_t accepted = 0, is_accepted = 0;
    NEED(aligned_alloc);
    for (size_t i = 0; i < COUNT(alignments); i++) {
        errno = UNTOUCHED;
        void *block = aligned_alloc(alignments[i][0], 64);
        int error = errno;
        EXPECT(block != NULL || error == EINVAL,
               "aligned_alloc(%zu, 64): expected NULL with errno %d (EINVAL), observed NULL with "
               "errno %d",
               alignments[i][0], EINVAL, error);
        EXPECT(block == NULL || is_aligned(block, alignments[i][1]),
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

PROBE(aligned_alloc_supports_every_power_of_two, "GLIBC-aligned_alloc-2")
{
    NEED(aligned_alloc);
    for (unsigned k = 0; k <= 30; k++) {
        size_t alignment = (size_t)1 << k, sizes[] = {1, alignment + 1};
        for (size_t i = 0; i < COUNT(sizes); i++) {
            errno = UNTOUCHED;
            char *block = aligned_alloc(alignment, sizes[i]);
            int error = errno;
            if (block == NULL && error == ENOMEM && alignment > 16 * MIB)
                continue;
            EXPECT(block != NULL,
                   "aligned_alloc(%zu, %zu): expected a block, observed NULL with errno %d",
                   alignment, sizes[i], error);
            EXPECT(is_aligned(block, alignment),
                   "aligned_alloc(%zu, %zu): expected a multiple of %zu, observed %p", alignment,
                   sizes[i], alignment, (void *)block);
            block[0] = block[sizes[i] - 1] = 1;
            free(block);
        }
    }
    return PASS;
}

static enum probe_outcome expect_enomem(size_t alignment, size_t size)
{
    errno = UNTOUCHED;
    void *block = aligned_alloc(alignment, size);
    int error = errno;
    EXPECT(block == NULL, "aligned_alloc(%zu, %zu): expected NULL, observed %p", alignment, size,
           block);
    if (error == EAGAIN)
        return WEAK("aligned_alloc(%zu, %zu): expected errno %d (ENOMEM), observed %d (EAGAIN)",
                    alignment, size, ENOMEM, EAGAIN);
    EXPECT(error == ENOMEM,
           "aligned_alloc(%zu, %zu): expected NULL with errno %d (ENOMEM), observed NULL with "
           "errno %d",
           alignment, size, ENOMEM, error);
    return PASS;
}

/* Blocks of 16 MiB until there are no more. */
static enum probe_outcome expect_enomem_at_limit(void)
{
    free(aligned_alloc(4096, 4096)); /* what the subject maps at its start is not counted */
    if (!limit_memory(64 * MIB))
        return UNSUPPORTED("setrlimit(RLIMIT_AS): expected 0, observed errno %d", errno);
    for (int i = 0; i < 4096; i++) {
        errno = UNTOUCHED;
        void *block = aligned_alloc(4096, 16 * MIB);
        int error = errno;
        if (block == NULL && error == EAGAIN)
            return WEAK("aligned_alloc(4096, 16777216) at the limit of memory: expected errno %d "
                        "(ENOMEM), observed %d (EAGAIN)",
                        ENOMEM, EAGAIN);
        EXPECT(block != NULL || error == ENOMEM,
               "aligned_alloc(4096, 16777216) at the limit of memory: expected NULL with errno %d "
               "(ENOMEM), observed NULL with errno %d",
               ENOMEM, error);
        if (block == NULL)
            return PASS;
    }
    return UNSUPPORTED("aligned_alloc(4096, 16777216) at the limit of memory: expected a refusal, "
                       "observed 4096 blocks");
}

PROBE(aligned_alloc_says_enomem, "POSIX24-aligned_alloc-2")
{
    NEED(aligned_alloc);
    for (size_t i = 0; i < HUGE_COUNT; i++)
        TRY(expect_enomem(64, huge_size(i)));
    TRY(expect_enomem(4096, SIZE_MAX));
    errno = UNTOUCHED;
    void *block = aligned_alloc(GIB, PTRDIFF_MAX);
    int error = errno;
    EXPECT(block == NULL && (error == ENOMEM || error == EINVAL || error == EAGAIN),
           "aligned_alloc(%zu, %zu): expected NULL with errno %d (ENOMEM), or %d (EINVAL) for the "
           "alignment, observed %s with errno %d",
           GIB, (size_t)PTRDIFF_MAX, ENOMEM, EINVAL, null_or_block(block), error);
    return expect_enomem_at_limit();
}

PROBE(aligned_alloc_of_zero_bytes, "POSIX24-aligned_alloc-3")
{
    const char *answer = "";
    NEED(aligned_alloc);
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

/* The function that refused without a reason, if one did. */
static const char *silent_function;

/* Either it is refused, or there is a block whose ends can be written. */
static enum probe_outcome judge_absurd(const char *function, size_t alignment, size_t size,
                                       char *block, int error)
{
    EXPECT(block == NULL || size < TOP, "%s(%zu, %zu): expected a refusal, observed %p", function,
           alignment, size, (void *)block);
    EXPECT(is_aligned(block, alignment),
           "%s(%zu, %zu): expected a refusal or a multiple of %zu, observed %p", function,
           alignment, size, alignment, (void *)block);
    if (block == NULL && error != ENOMEM && error != EINVAL)
        silent_function = function;
    if (block != NULL)
        block[0] = block[size - 1] = 1;
    free(block);
    return PASS;
}

static enum probe_outcome ask_absurdly(size_t alignment, size_t size)
{
    errno = UNTOUCHED;
    void *block = HAS(aligned_alloc) ? aligned_alloc(alignment, size) : NULL;
    int error = errno;
    if (HAS(aligned_alloc))
        TRY(judge_absurd("aligned_alloc", alignment, size, block, error));
    block = NULL;
    if (HAS(posix_memalign)) {
        error = posix_memalign(&block, alignment, size);
        TRY(judge_absurd("posix_memalign", alignment, size, error == 0 ? block : NULL, error));
    }
    errno = UNTOUCHED;
    block = HAS(memalign) ? memalign(alignment, size) : NULL;
    error = errno;
    return HAS(memalign) ? judge_absurd("memalign", alignment, size, block, error) : PASS;
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
    if (silent_function != NULL)
        return WEAK("%s of absurd alignments: expected NULL with errno %d (ENOMEM) or %d (EINVAL), "
                    "observed NULL with another errno",
                    silent_function, ENOMEM, EINVAL);
    return PASS;
}
