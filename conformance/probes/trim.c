/* SPDX-License-Identifier: MIT */
/* malloc_trim: its result, that live blocks keep their content, and calls beside other threads. */
#include "conformance/testlib.h"

#include <pthread.h>

/* 32 MiB in blocks of 1 KiB. */
enum { TRIMMED_BLOCKS = 32768, TRIMMED_SIZE = 1024 };

static void *trimmed[TRIMMED_BLOCKS];

/* Takes and touches them all, then gives back all but the last, which keeps the heap from shrinking
 * by itself. */
static enum probe_outcome free_much(void)
{
    for (size_t i = 0; i < TRIMMED_BLOCKS; i++) {
        trimmed[i] = malloc(TRIMMED_SIZE);
        EXPECT_BLOCK(trimmed[i], "malloc(%d)", TRIMMED_SIZE);
        memset(trimmed[i], 1, TRIMMED_SIZE);
    }
    for (size_t i = 0; i + 1 < TRIMMED_BLOCKS; i++)
        free(trimmed[i]);
    return PASS;
}

PROCESS_PROBE(trim_says_whether_memory_was_given_back, "GLIBC-trim-1", NEEDS(malloc_trim))
{
    enum { MUCH = 16 << 20, SOME = 1 << 20 };
    TRY(free_much());
    size_t before = memory_resident();
    CATCH_ERRNO(after, int first = malloc_trim(0));
    size_t now = memory_resident();
    size_t given = before > now ? before - now : 0;
    int second = malloc_trim(0);
    EXPECT_UNTOUCHED(after, "malloc_trim(0)");
    EXPECT(first == 0 || first == 1, "malloc_trim(0): expected 1 or 0, observed %d", first);
    EXPECT(second == 0 || second == 1, "malloc_trim(0) at once again: expected 1 or 0, observed %d",
           second);
    EXPECT(first == 1 || given < SOME,
           "malloc_trim(0): expected 1, for %zu bytes less are resident, observed 0", given);
    EXPECT(!is_libc_malloc() || (first == 1 && given >= MUCH),
           "malloc_trim(0) after 32 MiB were freed: expected 1 and 16 MiB less resident, observed "
           "%d and %zu bytes",
           first, given);
    if (first == 0)
        return RECORDED("malloc_trim(0) after 32 MiB were freed: %d, and %zu bytes less resident",
                        first, given);
    return PASS;
}

/* A block of every size up to 4096; each eighth stays, among free memory. */
enum { KEPT_BLOCKS = 4096, KEPT_EVERY = 8 };

static unsigned char *kept_blocks[KEPT_BLOCKS];

static enum probe_outcome keep_some_blocks(void)
{
    for (size_t i = 0; i < KEPT_BLOCKS; i++) {
        kept_blocks[i] = malloc(i + 1);
        EXPECT_BLOCK(kept_blocks[i], "malloc(%zu)", i + 1);
        fill(kept_blocks[i], i + 1, (unsigned)i);
    }
    for (size_t i = 0; i < KEPT_BLOCKS; i++)
        if ((i + 1) % KEPT_EVERY != 0)
            free(kept_blocks[i]);
    return PASS;
}

static enum probe_outcome find_kept_blocks(size_t keep)
{
    for (size_t size = KEPT_EVERY; size <= KEPT_BLOCKS; size += KEPT_EVERY) {
        EXPECT_FILLED(kept_blocks[size - 1], size, (unsigned)size - 1,
                      "malloc_trim(%zu) and a live block of %zu bytes", keep, size);
    }
    return PASS;
}

static enum probe_outcome find_zeros(size_t keep)
{
    for (size_t size = 1; size < KEPT_BLOCKS; size += 64) {
        void *zeroed = calloc(1, size);
        EXPECT(zeroed != NULL && find_nonzero(zeroed, size) == size,
               "calloc(1, %zu) after malloc_trim(%zu): expected a block of zeros, observed %s",
               size, keep, zeroed == NULL ? "NULL" : "another byte");
        memset(zeroed, 0xff, size);
        free(zeroed);
    }
    return PASS;
}

PROCESS_PROBE(trim_keeps_live_blocks_and_zeros, "GLIBC-trim-2", NEEDS(malloc_trim))
{
    static const size_t keeps[] = {0, 1 << 20};
    TRY(keep_some_blocks());
    for (size_t i = 0; i < COUNT(keeps); i++) {
        malloc_trim(keeps[i]);
        TRY(find_kept_blocks(keeps[i]));
        TRY(find_zeros(keeps[i]));
    }
    return PASS;
}

static atomic_int churns_left;

/* Allocates, checks and frees while the heap is trimmed; returns NULL, or a sentence. */
static void *churn_while_trimmed(void *argument)
{
    enum { ROUNDS = 100, STEPS = 100 };
    struct churn *mine = argument;
    bool is_well = true;
    for (int round = 0; round < ROUNDS && is_well; round++)
        is_well = churn(mine, STEPS);
    is_well = is_well && churn_end(mine);
    atomic_fetch_sub(&churns_left, 1);
    return is_well ? NULL : mine->wrong;
}

PROCESS_PROBE(trim_while_threads_allocate, "GLIBC-trim-3", NEEDS(malloc_trim))
{
    enum { THREADS = 4, PAUSE = 50 /* microseconds */ };
    static struct churn churns[THREADS];
    pthread_t threads[THREADS];
    void *wrong = NULL;
    atomic_store(&churns_left, THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        churns[i].random = (uint32_t)i + 1;
        if (pthread_create(&threads[i], NULL, churn_while_trimmed, &churns[i]) != 0)
            return UNSUPPORTED("thread %zu could not be created", i + 1);
    }
    for (size_t i = 0; atomic_load(&churns_left) > 0; i++) {
        malloc_trim(i % 2 == 0 ? 0 : MIB);
        usleep(PAUSE);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &wrong);
        EXPECT(wrong == NULL, "malloc_trim while %d threads allocate: %s", THREADS,
               (const char *)wrong);
    }
    return PASS;
}
