/* SPDX-License-Identifier: MIT */
/* Blocks by number, filled and verified to their last usable byte. */
#include "harness/program/parts/fail.h"

static unsigned char *p[BLOCKS]; /* the blocks */
static size_t n[BLOCKS];         /* bytes asked for */
static size_t filled[BLOCKS];
static unsigned seed[BLOCKS];

/* Every byte of blocks up to 1 MiB; of larger ones both ends, and some between. */
static size_t next(size_t at, size_t size)
{
    if (size <= 1 << 20 || at < 4096 || size - at <= 4096)
        return at + 1;
    return size - at > 4096 + size / 1024 ? at + size / 1024 : size - 4096;
}

/* Depends on the block and on the position, so that a shifted, swapped or stale copy shows. */
static unsigned char byte_at(int i, size_t at)
{
    return (unsigned char)(seed[i] * 167 + (unsigned)at * 13 + (unsigned)(at / 251));
}

static void verify(int i, size_t size)
{
#ifdef WITH_LARGE
    for (size_t at = 0; at < size; at = next(at, filled[i]))
#else
    for (size_t at = 0; at < size; at++)
#endif
        if (p[i][at] != byte_at(i, at))
            FAIL("block %d of %zu bytes: byte %zu must be 0x%02x, is 0x%02x\n", i, n[i], at,
                 byte_at(i, at), p[i][at]);
}

/* Fills a new block to its last usable byte. */
static void take(int i, void *block, size_t size)
{
    static unsigned seeds;
    p[i] = block;
    n[i] = block != NULL ? size : 0;
    filled[i] = usable(block, n[i]);
    seed[i] = ++seeds;
#ifdef WITH_OVERLAP
    for (int j = 0; j < BLOCKS; j++)
        if (block != NULL && j != i && p[j] != NULL &&
            ((p[i] < p[j] + filled[j] && p[j] < p[i] + filled[i]) || p[i] == p[j]))
            FAIL("block %d: %p of %zu bytes intersects live block %d: %p of %zu bytes\n", i,
                 (void *)p[i], filled[i], j, (void *)p[j], filled[j]);
#endif
#ifdef WITH_BREAK
    if (block != NULL)
        keep_off(p[i], filled[i]);
#endif
#ifdef WITH_LARGE
    for (size_t at = 0; at < filled[i]; at = next(at, filled[i]))
#else
    for (size_t at = 0; at < filled[i]; at++)
#endif
        p[i][at] = byte_at(i, at);
}

/* Block i, which must be as it was filled. */
static void *hold(int i)
{
#ifdef WITH_STABLE
    if (p[i] != NULL && usable(p[i], n[i]) != filled[i])
        FAIL("malloc_usable_size of block %d was %zu and is %zu now\n", i, filled[i],
             usable(p[i], n[i]));
#endif
    if (p[i] != NULL)
        verify(i, filled[i]);
    return p[i];
}

/* Block i for the last time. */
static void *drop(int i)
{
    void *block = hold(i);
    p[i] = NULL;
    return block;
}

/* After a realloc: a failed one keeps the block, others keep its first bytes. */
static void move(int i, void *block, size_t size)
{
    if (block == NULL && size != 0) {
        hold(i);
        return;
    }
    p[i] = block;
    verify(i, n[i] < size ? n[i] : size);
    take(i, block, size);
}

static void *zeroed(void *block, size_t size)
{
    const unsigned char *bytes = block;
#ifdef WITH_LARGE
    for (size_t at = 0; block != NULL && at < size; at = next(at, size))
#else
    for (size_t at = 0; block != NULL && at < size; at++)
#endif
        if (bytes[at] != 0)
            FAIL("calloc of %zu bytes: byte %zu must be 0, is 0x%02x\n", size, at, bytes[at]);
    return block;
}
