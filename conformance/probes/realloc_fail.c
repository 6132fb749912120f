/* SPDX-License-Identifier: MIT */
/* realloc that fails: the old block stays as it was, and errno says why. */
#include "conformance/kit.h"

/* The block must be alive and as it was: it outlasts new blocks of its size, and can be resized and
 * freed. */
static enum probe_outcome judge_kept(void *block, size_t size, const char *call)
{
    void *others[4];
    for (unsigned i = 0; i < COUNT(others); i++) {
        others[i] = malloc(size);
        if (others[i] != NULL)
            memset(others[i], 0xEE, size);
    }
    size_t changed = find_change(block, size, 7);
    EXPECT(changed == size,
           "%s: expected NULL and the old block as it was, observed NULL and another byte at %zu "
           "of it",
           call, changed);
    for (unsigned i = 0; i < COUNT(others); i++)
        free(others[i]);
    void *resized = realloc(block, 2 * size);
    EXPECT(resized != NULL,
           "realloc to %zu after a failure: expected a block, observed NULL with errno %d",
           2 * size, errno);
    changed = find_change(resized, size, 7);
    EXPECT(changed == size,
           "realloc to %zu after a failure: expected the first %zu bytes as they were, observed "
           "another at %zu",
           2 * size, size, changed);
    free(resized);
    return PASS;
}

/* Asks for sizes that cannot be, every `stride`th of them. */
static enum probe_outcome fail_resizes(size_t size, size_t stride, bool is_errno_judged)
{
    char call[80];
    unsigned char *block = malloc(size);
    EXPECT(block != NULL, "malloc(%zu): expected a block, observed NULL with errno %d", size,
           errno);
    fill(block, size, 7);
    for (size_t i = 0; i < HUGE_COUNT; i += stride) {
        errno = UNTOUCHED;
        void *resized = realloc(block, huge_size(i));
        int error = errno;
        snprintf(call, sizeof call, "realloc(malloc(%zu), %zu)", size, huge_size(i));
        EXPECT(resized == NULL, "%s: expected NULL, observed %p", call, resized);
        EXPECT(!is_errno_judged || error == ENOMEM,
               "%s: expected NULL with errno %d (ENOMEM), observed %d%s", call, ENOMEM, error,
               error == UNTOUCHED ? ", as it was" : "");
        size_t looked_at = size < 128 ? size : 128, changed = find_change(block, looked_at, 7);
        EXPECT(changed == looked_at,
               "%s: expected NULL and the old block as it was, observed NULL and another byte at "
               "%zu of it",
               call, changed);
    }
    return judge_kept(block, size, call);
}

PROBE(realloc_that_fails_leaves_the_block, "C23-7.24.3.7-p3-f POSIX24-realloc-8")
{
    TRY(fail_resizes(100, 1, false));
    TRY(fail_resizes(5000, 8, false));
    TRY(fail_resizes(MIB, 16, false));
    return fail_resizes(8 * MIB, 64, false);
}

PROBE(realloc_that_fails_with_enomem_leaves_the_block, "POSIX17-realloc-2")
{
    TRY(fail_resizes(100, 1, true));
    return fail_resizes(MIB, 16, true);
}

PROBE(realloc_without_memory_leaves_the_block, "C23-7.24.3.7-p3-g")
{
    enum { SIZE = 1000 };
    char call[80];
    for (size_t size = 100; size < 4 * MIB; size *= 4)
        free(realloc(malloc(size), 2 * size));
    void *block = malloc(SIZE);
    EXPECT(block != NULL, "malloc(%d): expected a block, observed NULL with errno %d", SIZE, errno);
    fill(block, SIZE, 7);
    if (!limit_memory(64 * MIB))
        return UNSUPPORTED("RLIMIT_AS: expected a limit, observed a refusal");
    for (size_t size = GIB; size <= PTRDIFF_MAX; size *= 2) {
        void *resized = realloc(block, size);
        snprintf(call, sizeof call, "realloc(malloc(%d), %zu) with 64 MiB more", SIZE, size);
        if (resized == NULL)
            return judge_kept(block, SIZE, call);
        block = realloc(resized, SIZE);
        EXPECT(block != NULL, "realloc from %zu to %d bytes: expected a block, observed NULL", size,
               SIZE);
    }
    return UNSUPPORTED("realloc under a limit of memory: expected a failure, observed none");
}

static enum probe_outcome judge_resize_failure(void *block, const char *source, size_t size)
{
    errno = UNTOUCHED;
    void *resized = realloc(block, size);
    int error = errno;
    EXPECT(resized == NULL, "realloc(%s, %zu): expected NULL, observed %p", source, size, resized);
    EXPECT(error == ENOMEM, "realloc(%s, %zu): expected NULL with errno %d (ENOMEM), observed %d%s",
           source, size, ENOMEM, error, error == UNTOUCHED ? ", as it was" : "");
    return PASS;
}

PROBE(realloc_fails_with_enomem, "POSIX17-realloc-1")
{
    void *block = malloc(100);
    EXPECT(block != NULL, "malloc(100): expected a block, observed NULL");
    for (size_t i = 0; i < HUGE_COUNT; i++) {
        TRY(judge_resize_failure(block, "malloc(100)", huge_size(i)));
        TRY(judge_resize_failure(NULL, "NULL", huge_size(i)));
    }
    for (size_t i = 0; sizeof(size_t) == 8 && i < 2; i++)
        TRY(judge_resize_failure(block, "malloc(100)",
                                 i == 0 ? SIZE_MAX / 100 * 49 : SIZE_MAX / 10));
    free(block);
    return PASS;
}

PROBE(realloc_to_less_without_memory, "C23-7.24.3.7-p4-b")
{
    enum { LESS = 3000 };
    unsigned char *block = malloc(8 * MIB);
    EXPECT(block != NULL, "malloc(%zu): expected a block, observed NULL", 8 * MIB);
    fill(block, 8 * MIB, 7);
    if (!limit_memory(0))
        return UNSUPPORTED("RLIMIT_AS: expected a limit, observed a refusal");
    errno = UNTOUCHED;
    void *resized = realloc(block, LESS);
    int error = errno;
    size_t size = resized != NULL ? LESS : 8 * MIB,
           changed = find_change(resized != NULL ? resized : block, size, 7);
    EXPECT(changed == size,
           "realloc(malloc(%zu), %d) without memory: expected %s content as it was, observed "
           "another byte at %zu",
           8 * MIB, LESS, resized != NULL ? "the new block's" : "NULL and the old block's",
           changed);
    if (resized == NULL)
        return RECORDED("realloc(malloc(%zu), %d) without memory: observed NULL with errno %d, the "
                        "old block as it was",
                        8 * MIB, LESS, error);
    return RECORDED("realloc(malloc(%zu), %d) without memory: observed a block with its content",
                    8 * MIB, LESS);
}
