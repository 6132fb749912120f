/* SPDX-License-Identifier: MIT */
/* posix_memalign: its result, its errors, and what it stores. */
#include "conformance/kit.h"

#define TOP (SIZE_MAX / 2 + 1)

/* What a pointer holds before a call that is to fail. */
#define PRESET ((void *)(uintptr_t)0x55)

static enum probe_outcome check_success(size_t alignment, size_t size)
{
    void *block[2];
    for (unsigned i = 0; i < COUNT(block); i++) {
        block[i] = PRESET;
        int error = posix_memalign(&block[i], alignment, size);
        EXPECT(error == 0, "posix_memalign(&p, %zu, %zu): expected 0, observed %d", alignment, size,
               error);
        EXPECT(block[i] != NULL && is_aligned(block[i], alignment),
               "posix_memalign(&p, %zu, %zu): expected a multiple of %zu, observed %p", alignment,
               size, alignment, block[i]);
        fill(block[i], size, i);
    }
    for (unsigned i = 0; i < COUNT(block); i++) {
        size_t changed = find_change(block[i], size, i);
        EXPECT(changed == size,
               "posix_memalign(&p, %zu, %zu) twice: expected both blocks to keep their bytes, "
               "observed byte %zu changed",
               alignment, size, changed);
        free(block[i]);
    }
    return PASS;
}

PROBE(posix_memalign_stores_an_aligned_block, "POSIX17-posix_memalign-1")
{
    NEED(posix_memalign);
    for (size_t alignment = sizeof(void *); alignment <= 4 * MIB; alignment *= 2) {
        TRY(check_success(alignment, 1));
        TRY(check_success(alignment, alignment / 2 + 1));
        TRY(check_success(alignment, alignment));
        TRY(check_success(alignment, 3 * alignment));
    }
    return check_success(32, 2406);
}

PROBE(posix_memalign_returns_einval_for_a_bad_alignment, "POSIX17-posix_memalign-2")
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
    NEED(posix_memalign);
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

static enum probe_outcome expect_enomem(size_t alignment, size_t size)
{
    void *block = NULL;
    int error = posix_memalign(&block, alignment, size);
    if (error == EAGAIN)
        return WEAK("posix_memalign(&p, %zu, %zu): expected %d (ENOMEM), observed %d (EAGAIN)",
                    alignment, size, ENOMEM, EAGAIN);
    EXPECT(error == ENOMEM, "posix_memalign(&p, %zu, %zu): expected %d (ENOMEM), observed %d",
           alignment, size, ENOMEM, error);
    return PASS;
}

PROBE(posix_memalign_returns_enomem, "POSIX17-posix_memalign-3")
{
    void *block = NULL;
    NEED(posix_memalign);
    for (size_t i = 0; i < HUGE_COUNT; i++)
        TRY(expect_enomem(64, huge_size(i)));
    TRY(expect_enomem(TOP, TOP));
    if (sizeof(size_t) == 8)
        TRY(expect_enomem(TOP / 2, TOP / 2));
    if (posix_memalign(&block, 4096, 4096) != 0 || !limit_memory(64 * MIB))
        return UNSUPPORTED("setrlimit(RLIMIT_AS): expected 0, observed errno %d", errno);
    for (int i = 0; i < 4096; i++) {
        int error = posix_memalign(&block, 4096, 16 * MIB);
        if (error == EAGAIN)
            return WEAK("posix_memalign(&p, 4096, 16777216) at the limit of memory: expected %d "
                        "(ENOMEM), observed %d (EAGAIN)",
                        ENOMEM, EAGAIN);
        EXPECT(error == 0 || error == ENOMEM,
               "posix_memalign(&p, 4096, 16777216) at the limit of memory: expected %d (ENOMEM), "
               "observed %d",
               ENOMEM, error);
        if (error != 0)
            return PASS;
    }
    return UNSUPPORTED("posix_memalign(&p, 4096, 16777216) at the limit of memory: expected a "
                       "refusal, observed 4096 blocks");
}

/* Requests that are to fail: two for their alignment, three for their size. */
static const size_t bad_requests[][2] = {
    {3, 64}, {24, 64}, {64, SIZE_MAX}, {4096, TOP}, {64, SIZE_MAX - 63}};

PROBE(posix_memalign_stores_no_garbage_on_error, "POSIX17-posix_memalign-4")
{
    NEED(posix_memalign);
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

PROBE(posix_memalign_stores_nothing_on_error, "POSIX17-posix_memalign-5")
{
    NEED(posix_memalign);
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

PROBE(posix_memalign_and_errno, "POSIX17-posix_memalign-6")
{
    void *block = NULL;
    int after[2];
    NEED(posix_memalign);
    errno = UNTOUCHED;
    (void)posix_memalign(&block, 3, 64);
    after[0] = errno;
    errno = UNTOUCHED;
    (void)posix_memalign(&block, 64, SIZE_MAX);
    after[1] = errno;
    return RECORDED(
        "posix_memalign(&p, 3, 64) and (&p, 64, SIZE_MAX): expected any errno, observed %s and %s",
        after[0] == UNTOUCHED ? "it kept" : "it set", after[1] == UNTOUCHED ? "kept" : "set");
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

PROBE(posix_memalign_of_zero_bytes, "POSIX17-posix_memalign-7")
{
    const char *answer = "", *answer_for_16 = "";
    NEED(posix_memalign);
    for (size_t alignment = sizeof(void *); alignment <= 4096; alignment *= 2) {
        TRY(take_zero_bytes(alignment, &answer));
        answer_for_16 = alignment == 16 ? answer : answer_for_16;
    }
    CHOICE("posix_memalign(&p, 16, 0)", answer_for_16);
    return RECORDED("posix_memalign(&p, 16, 0): expected an error, NULL or a block, observed %s",
                    answer_for_16);
}

PROBE(free_releases_blocks_of_posix_memalign, "POSIX17-posix_memalign-8")
{
    enum { ROUNDS = 20000 };
    size_t before = 0;
    void *block = NULL;
    NEED(posix_memalign);
    free(posix_memalign(&block, 64 * KIB, 64 * KIB) == 0 ? block : NULL);
    if (!limit_memory(256 * MIB))
        return UNSUPPORTED("setrlimit(RLIMIT_AS): expected 0, observed errno %d", errno);
    for (int i = 0; i < ROUNDS; i++) {
        int error = posix_memalign(&block, 64 * KIB, 64 * KIB);
        EXPECT(error == 0,
               "posix_memalign(&p, 65536, 65536) and free, round %d: expected 0, observed %d", i,
               error);
        *(char *)block = 1;
        free(block);
        before = i == ROUNDS / 4 ? resident_bytes() : before;
    }
    size_t after = resident_bytes();
    EXPECT(after < before + 16 * MIB,
           "posix_memalign(&p, 65536, 65536) and free, %d rounds: expected no growth, observed %zu "
           "resident bytes more",
           ROUNDS, after - before);
    return PASS;
}

PROBE(posix_memalign_is_there_if_the_option_is, "POSIX17-posix_memalign-9")
{
    void *block = NULL;
    if (sysconf(_SC_ADVISORY_INFO) <= 0)
        return UNSUPPORTED("sysconf(_SC_ADVISORY_INFO): expected the option, observed %ld",
                           sysconf(_SC_ADVISORY_INFO));
    EXPECT(HAS(posix_memalign),
           "posix_memalign: expected the function, as sysconf(_SC_ADVISORY_INFO) is %ld, observed "
           "none",
           sysconf(_SC_ADVISORY_INFO));
    int error = posix_memalign(&block, 64, 64);
    EXPECT(error != ENOSYS && error != ENOTSUP,
           "posix_memalign(&p, 64, 64): expected an implementation, observed error %d", error);
    return PASS;
}

PROBE(posix_memalign_blocks_are_disjoint, "POSIX17-posix_memalign-10")
{
    static const size_t alignments[] = {sizeof(void *), 64, 256, 4096};
    NEED(posix_memalign);
    for (size_t a = 0; a < COUNT(alignments); a++) {
        size_t alignment = alignments[a];
        void *block[64];
        for (unsigned i = 0; i < COUNT(block); i++) {
            int error = posix_memalign(&block[i], alignment, 1);
            EXPECT(error == 0 && is_aligned(block[i], alignment),
                   "posix_memalign(&p, %zu, 1): expected 0 and a multiple of it, observed %d, %p",
                   alignment, error, error == 0 ? block[i] : NULL);
            fill(block[i], 1, i);
        }
        for (unsigned i = 0; i < COUNT(block); i++)
            EXPECT(find_change(block[i], 1, i) == 1,
                   "posix_memalign(&p, %zu, 1) 64 times: expected each block to keep its byte, "
                   "observed block %u changed",
                   alignment, i);
        for (unsigned i = 0; i < COUNT(block); i++)
            free(block[i]);
    }
    return PASS;
}
