/* SPDX-License-Identifier: MIT */
/* malloc: the whole of the block, and how it fails. */
#include "conformance/kit.h"

/* Writes a block to its last byte, but beyond 1 MiB only a byte in every 16 KiB. */
static void write_block(unsigned char *block, size_t size, unsigned seed)
{
    fill(block, size <= MIB ? size : 4096, seed);
    for (size_t i = MIB; size > MIB && i < size; i += 16 * KIB)
        block[i] = (unsigned char)seed;
    block[size - 1] = (unsigned char)seed;
}

PROBE(malloc_gives_the_requested_size, "C23-7.24.3.6-p2-a")
{
    enum { BLOCKS = 4 };
    for (size_t size = 1; size <= SIZE_LAST; size = next_size(size)) {
        unsigned char *blocks[BLOCKS];
        size_t count = size <= MIB ? BLOCKS : 1, whole = size <= MIB ? size - 1 : 4096;
        for (unsigned i = 0; i < count; i++) {
            blocks[i] = malloc(size);
            EXPECT(blocks[i] != NULL, "malloc(%zu): expected a block, observed NULL with errno %d",
                   size, errno);
            write_block(blocks[i], size, i);
        }
        for (unsigned i = 0; i < count; i++) {
            size_t changed = find_change(blocks[i], whole, i);
            EXPECT(changed == whole && blocks[i][size - 1] == i,
                   "malloc(%zu): expected %zu bytes of its own, observed another byte after its "
                   "neighbours were written",
                   size, size);
        }
        for (unsigned i = 0; i < count; i++)
            free(blocks[i]);
    }
    return PASS;
}

PROBE(malloc_does_not_wrap_huge_sizes, "C23-7.24.3.6-p3-a")
{
    for (size_t size = 16; size <= 4096; size *= 2)
        free(malloc(size));
    for (size_t i = 0; i < 9001 + HUGE_COUNT; i++) {
        size_t size = i <= 9000 ? SIZE_MAX - i : huge_size(i - 9001);
        void *block = malloc(size);
        EXPECT(block == NULL, "malloc(%zu): expected NULL, observed %p", size, block);
    }
    return PASS;
}

static enum probe_outcome judge_any_errno(const char *call, int error)
{
    EXPECT(error != UNTOUCHED && error != 0,
           "%s: expected NULL with an errno, observed NULL and errno %s", call,
           error == 0 ? "set to 0" : "as it was");
    return PASS;
}

static enum probe_outcome judge_enomem(const char *call, int error)
{
    if (error == EAGAIN)
        return WEAK(
            "%s: expected NULL with errno %d (ENOMEM), observed EAGAIN, a temporary shortage", call,
            ENOMEM);
    EXPECT(error == ENOMEM, "%s: expected NULL with errno %d (ENOMEM), observed %d%s", call, ENOMEM,
           error, error == UNTOUCHED ? ", as it was" : "");
    return PASS;
}

/* Fails malloc by sizes that cannot be, then by a limit of memory, and has every errno judged. */
static enum probe_outcome fail_malloc(enum probe_outcome (*judge)(const char *call, int error))
{
    char call[64];
    for (size_t i = 0; i < HUGE_COUNT; i++) {
        errno = UNTOUCHED;
        void *block = malloc(huge_size(i));
        int error = errno;
        snprintf(call, sizeof call, "malloc(%zu)", huge_size(i));
        EXPECT(block == NULL, "%s: expected NULL, observed %p", call, block);
        TRY(judge(call, error));
    }
    int error = 0;
    if (!exhaust(0, &error))
        return UNSUPPORTED("malloc(%zu) under a limit of memory: expected a failure, observed none",
                           16 * MIB);
    return judge("malloc(16777216) under a limit of memory", error);
}

PROBE(malloc_sets_errno_when_it_fails, "POSIX17-malloc-1")
{
    return fail_malloc(judge_any_errno);
}

PROBE(malloc_fails_with_enomem, "POSIX17-malloc-2")
{
    return fail_malloc(judge_enomem);
}
