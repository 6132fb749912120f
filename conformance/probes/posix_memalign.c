/* SPDX-License-Identifier: MIT */
/* posix_memalign: its result, its errors, and what it stores. */
#include "conformance/testlib.h"

#define TOP (SIZE_MAX / 2 + 1)

/* What a pointer holds before a call that is to fail. */
#define PRESET ((void *)(uintptr_t)0x55)

PROBE(posix_memalign_stores_an_aligned_block, "POSIX17-posix_memalign-1", NEEDS(posix_memalign))
{
    for (size_t alignment = sizeof(void *); alignment <= 4 * MIB; alignment *= 2) {
        TRY(hold_blocks(&by_posix_memalign, alignment, 1, 2));
        TRY(hold_blocks(&by_posix_memalign, alignment, alignment / 2 + 1, 2));
        TRY(hold_blocks(&by_posix_memalign, alignment, alignment, 2));
        TRY(hold_blocks(&by_posix_memalign, alignment, 3 * alignment, 2));
    }
    return hold_blocks(&by_posix_memalign, 32, 2406, 2);
}

PROBE(posix_memalign_returns_einval_for_a_bad_alignment, "POSIX17-posix_memalign-2",
      NEEDS(posix_memalign))
{
    static const size_t alignments[] = {0,
                                        1,
                                        2,
                                        sizeof(void *) / 2,
                                        3,
                                        12,
                                        24,
                                        3 * sizeof(void *),
                                        sizeof(void *) + 4,
                                        SIZE_MAX,
                                        SIZE_MAX - 7};
    for (size_t i = 0; i < COUNT(alignments); i++) {
        bool is_fine = alignments[i] % sizeof(void *) == 0 && alignments[i] > 0 &&
                       (alignments[i] & (alignments[i] - 1)) == 0;
        void *block = NULL;
        int error = is_fine ? EINVAL : posix_memalign(&block, alignments[i], 64);
        EXPECT(error == EINVAL, "posix_memalign(&p, %zu, 64): expected %d (EINVAL), observed %d",
               alignments[i], EINVAL, error);
    }
    return PASS;
}

PROBE(posix_memalign_returns_enomem, "POSIX17-posix_memalign-3", NEEDS(posix_memalign))
{
    void *block = NULL;
    for (size_t i = 0; i < (sizeof(size_t) == 8 ? 2 : 1); i++)
        TRY(judge_enomem(&by_posix_memalign, name_call(&by_posix_memalign, TOP >> i, TOP >> i),
                         posix_memalign(&block, TOP >> i, TOP >> i)));
    return judge_failures(&by_posix_memalign, 64, 64 * MIB, judge_enomem);
}

/* Requests that are to fail: two for their alignment, three for their size. */
static const size_t bad_requests[][2] = {
    {3, 64}, {24, 64}, {64, SIZE_MAX}, {4096, TOP}, {64, SIZE_MAX - 63}};

PROBE(posix_memalign_stores_no_garbage_on_error, "POSIX17-posix_memalign-4", NEEDS(posix_memalign))
{
    for (size_t i = 0; i < COUNT(bad_requests); i++) {
        void *block = PRESET;
        int error = posix_memalign(&block, bad_requests[i][0], bad_requests[i][1]);
        EXPECT(error == 0 || block == PRESET || block == NULL,
               "posix_memalign(&p, %zu, %zu), p = 0x55: expected p unchanged or NULL after error "
               "%d, observed %p",
               bad_requests[i][0], bad_requests[i][1], error, block);
    }
    return PASS;
}

PROBE(posix_memalign_stores_nothing_on_error, "POSIX17-posix_memalign-5", NEEDS(posix_memalign))
{
    for (size_t i = 0; i < COUNT(bad_requests); i++) {
        void *block = PRESET;
        int error = posix_memalign(&block, bad_requests[i][0], bad_requests[i][1]);
        EXPECT(error == 0 || block == PRESET,
               "posix_memalign(&p, %zu, %zu), p = 0x55: expected p unchanged after error %d, "
               "observed %p",
               bad_requests[i][0], bad_requests[i][1], error, block);
    }
    return PASS;
}

PROBE(posix_memalign_and_errno, "POSIX17-posix_memalign-6", NEEDS(posix_memalign))
{
    void *block = NULL;
    CATCH_ERRNO(misaligned, (void)posix_memalign(&block, 3, 64));
    CATCH_ERRNO(too_large, (void)posix_memalign(&block, 64, SIZE_MAX));
    return RECORDED(
        "posix_memalign(&p, 3, 64) and (&p, 64, SIZE_MAX): expected any errno, observed %s and %s",
        misaligned == UNTOUCHED ? "it kept" : "it set", too_large == UNTOUCHED ? "kept" : "set");
}

/* 8 at a time, as one alone may be aligned by chance. */
static enum probe_outcome take_zero_bytes(size_t alignment, const char **ret_answer)
{
    void *block[8];
    int error[COUNT(block)];
    for (size_t i = 0; i < COUNT(block); i++) {
        block[i] = PRESET;
        error[i] = posix_memalign(&block[i], alignment, 0);
        EXPECT(error[i] == 0 || block[i] == PRESET || block[i] == NULL,
               "posix_memalign(&p, %zu, 0), p = 0x55: expected p unchanged or NULL after error %d, "
               "observed %p",
               alignment, error[i], block[i]);
        EXPECT(error[i] != 0 || is_aligned(block[i], alignment),
               "posix_memalign(&p, %zu, 0), p = 0x55: expected 0 with NULL or a multiple of %zu, "
               "observed 0 with %p",
               alignment, alignment, block[i]);
    }
    *ret_answer = error[0] != 0 ? "an error" : null_or_block(block[0]);
    for (size_t i = 0; i < COUNT(block); i++)
        free(error[i] == 0 ? block[i] : NULL);
    return PASS;
}

PROBE(posix_memalign_of_zero_bytes, "POSIX17-posix_memalign-7", NEEDS(posix_memalign))
{
    const char *answer = "", *answer_for_16 = "";
    for (size_t alignment = sizeof(void *); alignment <= 4096; alignment *= 2) {
        TRY(take_zero_bytes(alignment, &answer));
        answer_for_16 = alignment == 16 ? answer : answer_for_16;
    }
    CHOICE("posix_memalign(&p, 16, 0)", answer_for_16);
    return RECORDED("posix_memalign(&p, 16, 0): expected an error, NULL or a block, observed %s",
                    answer_for_16);
}

PROBE(free_releases_blocks_of_posix_memalign, "POSIX17-posix_memalign-8", NEEDS(posix_memalign))
{
    return reuse_block(&by_posix_memalign, 64 * KIB, 64 * KIB, &by_free);
}

PROBE(posix_memalign_is_there_if_the_option_is, "POSIX17-posix_memalign-9", NEEDS(posix_memalign))
{
    void *block = NULL;
    if (sysconf(_SC_ADVISORY_INFO) <= 0)
        return UNSUPPORTED("sysconf(_SC_ADVISORY_INFO): expected the option, observed %ld",
                           sysconf(_SC_ADVISORY_INFO));
    int error = posix_memalign(&block, 64, 64);
    EXPECT(error != ENOSYS && error != ENOTSUP,
           "posix_memalign(&p, 64, 64): expected an implementation, observed error %d", error);
    return PASS;
}

PROBE(posix_memalign_blocks_are_disjoint, "POSIX17-posix_memalign-10", NEEDS(posix_memalign))
{
    static const size_t alignments[] = {sizeof(void *), 64, 256, 4096};
    for (size_t i = 0; i < COUNT(alignments); i++)
        TRY(hold_blocks(&by_posix_memalign, alignments[i], 1, 64));
    return PASS;
}
