/* SPDX-License-Identifier: MIT */
/*
 * The alignment of blocks that a declaration frees in another way than the rest (free_aligned), for
 * whoever calls free does not say it. An entry is taken and given back without a lock, for a block
 * has one owner at a time. A bucket has few entries, so that no search is long; where all are taken
 * the request fails.
 */
#include <stddef.h>
#include <stdint.h>

enum { ALIGNED_BUCKETS = 4096, ALIGNED_ENTRIES = 16 };

static struct aligned_block {
    void *block; /* NULL: the entry is not in use */
    size_t alignment;
} aligned_blocks[ALIGNED_BUCKETS][ALIGNED_ENTRIES];

static struct aligned_block *aligned_bucket(const void *block)
{
    return aligned_blocks[((uintptr_t)block >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 52];
}

/* Returns whether there was room. */
static int remember_alignment(void *block, size_t alignment)
{
    struct aligned_block *bucket = aligned_bucket(block);
    for (int i = 0; i < ALIGNED_ENTRIES; i++) {
        void *none = NULL; /* acquire: of forget_alignment's release, before the entry is reused */
        if (!__atomic_compare_exchange_n(&bucket[i].block, &none, block, 0, __ATOMIC_ACQUIRE,
                                         __ATOMIC_RELAXED))
            continue;
        bucket[i].alignment = alignment;
        return 1;
    }
    return 0;
}

/* 0: it is no such block. To be called before the block is freed. */
static size_t forget_alignment(void *block)
{
    struct aligned_block *bucket = aligned_bucket(block);
    for (int i = 0; i < ALIGNED_ENTRIES && block != NULL; i++) {
        if (__atomic_load_n(&bucket[i].block, __ATOMIC_RELAXED) != block)
            continue;
        size_t alignment = bucket[i].alignment;
        __atomic_store_n(&bucket[i].block, NULL, __ATOMIC_RELEASE);
        return alignment;
    }
    return 0;
}
