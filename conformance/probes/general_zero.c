/* SPDX-License-Identifier: MIT */
/*
 * Requests of zero bytes: the result is NULL or a unique block, the same in every call, and free
 * and realloc accept it.
 */
#include "conformance/testlib.h"

static void *calloc_of_none(size_t alignment, size_t size)
{
    (void)alignment;
    return calloc(size, 8);
}

static void *calloc_of_nothing(size_t alignment, size_t size)
{
    (void)alignment;
    return calloc(8, size);
}

static void *calloc_of_neither(size_t alignment, size_t size)
{
    (void)alignment;
    return calloc(size, size);
}

static const struct allocating_call by_calloc_of_none = {
    .text = "calloc(%1$zu, 8)", .allocate = calloc_of_none, .function = &calls.calloc};

static const struct allocating_call by_calloc_of_nothing = {
    .text = "calloc(8, %1$zu)", .allocate = calloc_of_nothing, .function = &calls.calloc};

static const struct allocating_call by_calloc_of_neither = {
    .text = "calloc(%1$zu, %1$zu)", .allocate = calloc_of_neither, .function = &calls.calloc};

/* Makes a request many times; stores the answer, and errno after the first call. */
static enum probe_outcome ask_often(const struct allocating_call *by, bool *ret_is_null,
                                    int *ret_errno)
{
    enum { TIMES = 1000 };
    static void *blocks[TIMES];
    for (size_t i = 0; i < TIMES; i++) {
        CATCH_ERRNO(error, blocks[i] = take_from(by, 0));
        if (i == 0)
            *ret_errno = error;
        EXPECT((blocks[i] == NULL) == (blocks[0] == NULL),
               "%s: expected %s as at first, observed %s at call %zu", name_taking(by, 0),
               null_or_block(blocks[0]), null_or_block(blocks[i]), i + 1);
    }
    *ret_is_null = blocks[0] == NULL;
    for (size_t i = 0; i < TIMES; i++)
        free(blocks[i]);
    CHOICE(name_taking(by, 0), *ret_is_null ? "NULL" : "a block");
    return PASS;
}

static enum probe_outcome record_answers(const struct allocating_call *const requests[],
                                         size_t count)
{
    char text[EVIDENCE_MAX] = "";
    bool is_null = false;
    int error = 0;
    for (size_t i = 0, used = 0; i < count; i++) {
        if (!has_call(requests[i]))
            continue;
        TRY(ask_often(requests[i], &is_null, &error));
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s: observed %s",
                                 i > 0 ? "; " : "", name_taking(requests[i], 0),
                                 is_null ? "NULL" : "a block");
        if (is_null)
            used += (size_t)snprintf(text + used, sizeof text - used, " with errno %s",
                                     name_error(error));
    }
    return RECORDED("%s", text);
}

PROBE(a_request_for_no_bytes_is_answered_in_one_way, "C23-7.24.3-p1-k C23-7.24.3-p1-l")
{
    const struct allocating_call *const requests[] = {&by_malloc, &by_calloc_of_none,
                                                      &by_calloc_of_nothing, &by_calloc_of_neither,
                                                      &by_aligned_alloc};
    return record_answers(requests, COUNT(requests));
}

PROBE(malloc_of_no_bytes_may_set_errno, "POSIX17-malloc-3")
{
    const struct allocating_call *const requests[] = {&by_malloc};
    return record_answers(requests, 1);
}

PROBE(calloc_of_no_bytes_is_answered_in_one_way, "POSIX17-calloc-2", NEEDS(calloc))
{
    const struct allocating_call *const requests[] = {&by_calloc_of_none, &by_calloc_of_nothing,
                                                      &by_calloc_of_neither};
    return record_answers(requests, COUNT(requests));
}

enum { PAIRS = 1000 };

static unsigned char *no_bytes[PAIRS], *one_byte[PAIRS];

static int compare_addresses(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t)*(unsigned char *const *)left,
              b = (uintptr_t)*(unsigned char *const *)right;
    return a < b ? -1 : a > b;
}

/* Many blocks without bytes among blocks of one byte, all alive: no two at one address. */
static enum probe_outcome judge_distinct(const struct allocating_call *by)
{
    static unsigned char *all[2 * PAIRS];
    size_t count = 0;
    for (size_t i = 0; i < PAIRS; i++) {
        no_bytes[i] = take_from(by, 0);
        one_byte[i] = malloc(1);
        if (no_bytes[i] != NULL)
            all[count++] = no_bytes[i];
        if (one_byte[i] != NULL)
            all[count++] = one_byte[i];
    }
    qsort(all, count, sizeof all[0], compare_addresses);
    for (size_t i = 1; i < count; i++)
        EXPECT(all[i] != all[i - 1],
               "%s among blocks of malloc(1): expected addresses of their own, observed %p twice",
               name_taking(by, 0), (void *)all[i]);
    for (size_t i = 0; i < PAIRS; i++) {
        free(no_bytes[i]);
        free(one_byte[i]);
    }
    return PASS;
}

PROBE(blocks_without_bytes_are_distinct, "C23-7.24.3-p1-m")
{
    const struct allocating_call *const requests[] = {&by_malloc, &by_calloc_of_none,
                                                      &by_calloc_of_nothing, &by_realloc};
    for (size_t i = 0; i < COUNT(requests); i++)
        if (has_call(requests[i]))
            TRY(judge_distinct(requests[i]));
    return PASS;
}

static enum probe_outcome free_and_grow_nothing(void *unused)
{
    (void)unused;
    free(malloc(0));
    free(HAS(calloc) ? calloc(0, 8) : NULL);
    if (!HAS(realloc))
        return PASS;
    unsigned char *block = realloc(malloc(0), 100);
    EXPECT_BLOCK(block, "realloc(malloc(0), 100)");
    fill(block, 100, 7);
    EXPECT_FILLED(block, 100, 7, "realloc(malloc(0), 100)");
    free(block);
    return PASS;
}

PROBE(blocks_without_bytes_can_be_freed_and_grown, "C23-7.24.3-p1-n")
{
    const struct cycle cycle = {free_and_grow_nothing, NULL, 100, 3};
    size_t growth = 0;
    for (unsigned i = 0; i < 1000; i++)
        TRY(free_and_grow_nothing(NULL));
    TRY(watch_growth(&cycle, &growth));
    EXPECT(
        growth == 0,
        "free of malloc(0)%s%s, again and again: expected no growth, observed %zu resident bytes "
        "more and no end of it",
        HAS(calloc) ? " and of calloc(0, 8)" : "",
        HAS(realloc) ? " and of realloc(malloc(0), 100)" : "", growth);
    return PASS;
}

PROBE(a_request_for_no_bytes_gives_a_block, "MAN-malloc-1", NEEDS(calloc))
{
    enum { TIMES = 4 };
    void *blocks[100];
    size_t count = 0;
    FOR_EACH_CALL(by)
    {
        for (size_t i = 0; i < TIMES && count < COUNT(blocks); i++) {
            void *block = take_from(by, 0);
            EXPECT_BLOCK(block, "%s", name_taking(by, 0));
            for (size_t k = 0; k < count; k++)
                EXPECT(blocks[k] != block, "%s: expected an address of its own, observed %p again",
                       name_taking(by, 0), block);
            blocks[count++] = block;
        }
    }
    EXPECT_BLOCK(calloc(0, 8), "calloc(0, 8)");
    if (HAS(reallocarray))
        EXPECT_BLOCK(reallocarray(NULL, 0, 8), "reallocarray(NULL, 0, 8)");
    return PASS;
}
