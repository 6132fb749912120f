/* SPDX-License-Identifier: MIT */
/*
 * realloc(p, 0) and reallocarray with a zero factor, on which the standards disagree: the result,
 * and whether p was freed.
 */
#include "conformance/testlib.h"

/* What came of resizing live blocks to nothing. */
enum { ZERO_BLOCK = 64 << 10 };

struct zero_result {
    unsigned nulls, tries;
    int error;    /* errno of the first NULL */
    bool is_kept; /* memory runs away: the old blocks were not freed */
};

static void *resize_to_zero(void *block)
{
    return realloc(block, 0);
}

static void *resize_to_none(void *block)
{
    return reallocarray(block, 0, 8);
}

static void *resize_to_nothing(void *block)
{
    return reallocarray(block, 8, 0);
}

struct zero_test {
    void *(*resize)(void *block);
    struct zero_result result;
};

/* Resizes a block whose pages are all written. A block that comes back is freed. */
static enum probe_outcome resize_once_to_nothing(void *context)
{
    struct zero_test *test = context;
    unsigned char *block = malloc(ZERO_BLOCK);
    EXPECT_BLOCK(block, "malloc(%d)", ZERO_BLOCK);
    for (size_t i = 0; i < ZERO_BLOCK; i += 4096)
        block[i] = 1;
    CATCH_ERRNO(error, void *resized = test->resize(block));
    if (resized == NULL && test->result.nulls++ == 0)
        test->result.error = error;
    free(resized);
    test->result.tries++;
    return PASS;
}

static enum probe_outcome resize_often(void *(*resize)(void *block), struct zero_result *ret_result)
{
    struct zero_test test = {.resize = resize};
    const struct cycle cycle = {resize_once_to_nothing, &test, ZERO_BLOCK, 2};
    size_t growth = 0;
    TRY(watch_growth(&cycle, &growth));
    test.result.is_kept = growth > 0;
    *ret_result = test.result;
    return PASS;
}

PROBE(whether_realloc_to_nothing_releases, "C17-7.22.3.5-p3-e POSIX24-realloc-5", NEEDS(realloc))
{
    struct zero_result result;
    TRY(resize_often(resize_to_zero, &result));
    EXPECT(result.nulls == 0 || result.nulls == result.tries,
           "realloc(p, 0), %u times: expected one answer, observed NULL %u times", result.tries,
           result.nulls);
    CHOICE("realloc(p, 0)", result.nulls > 0 ? "NULL" : "a block");
    CHOICE("the block of realloc(p, 0)", result.is_kept ? "kept" : "released");
    EXPECT(result.nulls > 0 || !result.is_kept,
           "realloc(p, 0), %u times: expected the old blocks released with the new, observed "
           "more and more in use",
           result.tries);
    return RECORDED("realloc(p, 0): observed %s, and p %s", result.nulls > 0 ? "NULL" : "a block",
                    result.is_kept ? "kept" : "released");
}

PROBE(what_realloc_to_nothing_does, "C23-7.24.3.7-p3-d", NEEDS(realloc))
{
    struct zero_result result;
    TRY(resize_often(resize_to_zero, &result));
    return RECORDED("realloc(p, 0), %u times: observed NULL %u times, and p %s", result.tries,
                    result.nulls, result.is_kept ? "kept" : "released");
}

/* Permits a block, and NULL with an errno: EINVAL, or any if wanted is 0. */
static enum probe_outcome judge_zero(const char *call, const void *resized, int error, int wanted)
{
    bool is_permitted = resized != NULL || (wanted != 0 ? error == wanted : error != UNTOUCHED);
    EXPECT(is_permitted, "%s: expected a block or NULL with errno %s, observed NULL with errno %s",
           call, wanted != 0 ? name_error(wanted) : "set", name_error(error));
    return PASS;
}

static enum probe_outcome judge_realloc_to_zero(int wanted)
{
    int error = 0;
    void *resized = NULL;
    for (size_t size = 1; size <= MIB; size *= 4) {
        void *block = malloc(size);
        EXPECT_BLOCK(block, "malloc(%zu)", size);
        CATCH_ERRNO(after, resized = realloc(block, 0));
        error = after;
        TRY(judge_zero("realloc(p, 0)", resized, error, wanted));
        free(resized);
    }
    CHOICE("realloc(p, 0)", null_or_block(resized));
    return RECORDED("realloc(p, 0): observed %s with errno %s", null_or_block(resized),
                    name_error(error));
}

PROBE(realloc_to_nothing_that_gives_null_sets_errno, "POSIX17-realloc-3",
      NEEDS(realloc) | NEEDS(failure_errno))
{
    return judge_realloc_to_zero(0);
}

PROBE(realloc_to_nothing_that_gives_null_sets_einval, "POSIX24-realloc-4",
      NEEDS(realloc) | NEEDS(failure_errno))
{
    return judge_realloc_to_zero(EINVAL);
}

PROBE(reallocarray_to_nothing_that_gives_null_sets_einval, "POSIX24-reallocarray-6",
      NEEDS(reallocarray))
{
    static const size_t factors[][2] = {{0, 8}, {8, 0}, {0, 0}, {0, SIZE_MAX}, {SIZE_MAX, 0}};
    char call[64];
    int error = 0;
    void *resized = NULL;
    for (size_t i = 0; i < COUNT(factors); i++) {
        void *block = malloc(100);
        EXPECT_BLOCK(block, "malloc(100)");
        CATCH_ERRNO(after, resized = reallocarray(block, factors[i][0], factors[i][1]));
        error = after;
        snprintf(call, sizeof call, "reallocarray(p, %zu, %zu)", factors[i][0], factors[i][1]);
        TRY(judge_zero(call, resized, error, EINVAL));
        free(resized);
    }
    CHOICE("reallocarray(p, 0, 8)", null_or_block(resized));
    return RECORDED("reallocarray(p, 0, 8): observed %s with errno %s", null_or_block(resized),
                    name_error(error));
}

static enum probe_outcome judge_freed(const char *call, void *(*resize)(void *block))
{
    struct zero_result result;
    TRY(resize_often(resize, &result));
    EXPECT(result.nulls == result.tries, "%s, %u times: expected NULL, observed a block %u times",
           call, result.tries, result.tries - result.nulls);
    EXPECT(!result.is_kept, "%s, %u times: expected p freed, observed more and more in use", call,
           result.tries);
    return PASS;
}

PROBE(realloc_to_nothing_frees, "MAN-malloc-3", NEEDS(realloc))
{
    return judge_freed("realloc(p, 0)", resize_to_zero);
}

PROBE(reallocarray_to_nothing_frees, "MAN-malloc-4", NEEDS(reallocarray))
{
    TRY(judge_freed("reallocarray(p, 0, 8)", resize_to_none));
    return judge_freed("reallocarray(p, 8, 0)", resize_to_nothing);
}
