/* SPDX-License-Identifier: MIT */
/*
 * Memory accesses out of bounds and after free. Bytes are flipped, so that a canary cannot keep its
 * value by chance.
 */
#include "conformance/testlib.h"

#include <sys/mman.h>

static void flip(void *byte)
{
    volatile unsigned char *target = byte;
    *target = (unsigned char)~*target;
}

static size_t usable(void *block, size_t size)
{
    return HAS(malloc_usable_size) ? malloc_usable_size(block) : size;
}

PROBE(overflow_by_one_byte, "HARD-overflow-1")
{
    char *block = malloc(24);
    size_t end = usable(block, 24);
    CASE("p[24] = x; free(p) of malloc(24)", flip(block + 24); free(block));
    CASE("p[malloc_usable_size(p)] = x; free(p)", flip(block + end); free(block));
    return worst_case();
}

/* The pair with the shortest way from the end of one to the start of the other. */
static void find_neighbours(char *blocks[], size_t count, char **ret_left, char **ret_right)
{
    uintptr_t best = UINTPTR_MAX;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            if (blocks[k] > blocks[i] && (uintptr_t)blocks[k] - (uintptr_t)blocks[i] < best) {
                best = (uintptr_t)blocks[k] - (uintptr_t)blocks[i];
                *ret_left = blocks[i];
                *ret_right = blocks[k];
            }
}

PROBE(overflow_into_the_neighbour, "HARD-overflow-2")
{
    char *blocks[256], *left = NULL, *right = NULL;
    for (size_t i = 0; i < COUNT(blocks); i++)
        blocks[i] = malloc(64);
    find_neighbours(blocks, COUNT(blocks), &left, &right);
    size_t end = usable(left, 64);
    CASE("64 bytes past malloc(64), free of the next block and of this",
         for (size_t i = 0; i < 64; i++) flip(left + end + i);
         free(right); free(left));
    return worst_case();
}

static void write_past(volatile unsigned char *block)
{
    size_t end = usable((void *)(uintptr_t)block, MIB);
    for (size_t i = 0; i < 8 * KIB; i += 64)
        block[end + i] = block[end + i];
}

/* It writes back what is there, for that may be anything, and must survive. Behind one block alone
 * there may be nothing by chance. */
PROBE(overflow_past_a_huge_block, "HARD-overflow-3")
{
    unsigned char *blocks[4];
    for (size_t i = 0; i < COUNT(blocks); i++)
        blocks[i] = malloc(MIB);
    for (size_t i = 0; i < COUNT(blocks); i++)
        CASE("p[i] = x for 8 KiB past malloc(1 MiB)", write_past(blocks[i]));
    return worst_case();
}

PROBE(write_before_a_block, "HARD-underflow-1")
{
    char *block = malloc(64);
    MISUSE(flip(block - 8); free(block));
    return survived();
}

static bool is_mapped(const void *block)
{
    unsigned char state;
    uintptr_t page = (uintptr_t)block / 4096 * 4096;
    return block != NULL && mincore((void *)page, 4096, &state) == 0;
}

PROBE(write_to_a_freed_block, "HARD-uaf-write")
{
    enum { BLOCKS = 1000, SIZE = 64 };
    static void *blocks[BLOCKS];
    void *block = malloc(SIZE);
    free(block);
    MISUSE(memset(block, 0x41, SIZE));
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(SIZE);
        if (!is_mapped(blocks[i]))
            return SILENT("malloc(64) after a write to a freed block: expected a block or a "
                          "diagnosis, observed %p",
                          blocks[i]);
        fill(blocks[i], SIZE, (unsigned)i);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        if (find_change(blocks[i], SIZE, (unsigned)i) < SIZE)
            return SILENT("malloc(64) after a write to a freed block: expected blocks apart, "
                          "observed that two of %d overlap",
                          BLOCKS);
    return DETECTED(
        "malloc(64) after a write to a freed block: expected sound blocks, observed %d, all apart",
        BLOCKS);
}

/* The links that an allocator keeps in a free block hide some bytes, but not the secret. */
PROBE(read_of_a_freed_block, "HARD-uaf-read")
{
    enum { SIZE = 256 };
    volatile unsigned char *block = malloc(SIZE);
    size_t left = 0;
    memset((void *)(uintptr_t)block, 0xa5, SIZE);
    free((void *)(uintptr_t)block);
    MISUSE(for (size_t i = 0; i < SIZE; i++) left += block[i] == 0xa5);
    if (left >= SIZE / 8)
        return SILENT(
            "a read of 256 freed bytes: expected a fault or other bytes, observed %zu as before",
            left);
    return DETECTED(
        "a read of 256 freed bytes: expected a fault or other bytes, observed %zu as before", left);
}

PROBE(access_through_a_block_of_no_bytes, "C23-7.24.3-p1-o HARD-zero-size")
{
    volatile char *block = malloc(0);
    if (block == NULL)
        return DETECTED("malloc(0): expected a pointer that faults when it is used, observed NULL");
    MISUSE(block[0] = 1);
    return SILENT("malloc(0)[0] = 1: expected a fault, observed none");
}

PROBE(fresh_blocks_show_old_content, "HARD-uninit")
{
    enum { BLOCKS = 1000, SIZE = 64 };
    static void *blocks[BLOCKS];
    size_t showing = 0;
    for (size_t i = 0; i < BLOCKS; i++)
        memset(blocks[i] = malloc(SIZE), 0xa5, SIZE);
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t left = 0;
        const unsigned char *block = malloc(SIZE);
        for (size_t k = 0; k < SIZE; k++)
            left += block[k] == 0xa5;
        showing += left >= SIZE / 2;
    }
    return RECORDED("malloc(64) after 1000 such blocks were filled and freed: observed the old "
                    "bytes in %zu of %d blocks",
                    showing, BLOCKS);
}
