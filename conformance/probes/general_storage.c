/* SPDX-License-Identifier: MIT */
/*
 * What a block is: storage of the requested size that overlaps nothing else and keeps its content
 * until it is freed.
 */
#include "conformance/testlib.h"

#include <fcntl.h>

struct block {
    unsigned char *start;
    size_t size;
};

/* From 1 byte to 32 KiB, small ones most often. */
static size_t random_size(uint32_t *random)
{
    uint32_t number = next_random(random);
    return 1 + (number >> 8) % ((size_t)16 << number % 12);
}

/* Any of the calls that the subject has. */
static const struct allocating_call *random_call(uint32_t *random, bool may_be_glibc)
{
    const struct allocating_call *by = NULL;
    for (uint32_t steps = 1 + next_random(random) % 36; steps > 0;) {
        by = next_call(by);
        steps -= by != NULL && (may_be_glibc || !by->is_glibc);
    }
    return by;
}

/* Three smaller blocks at a time, for bytes that one lacks are likely to be its neighbour's. */
PROBE(the_whole_block_can_be_used, "C23-7.24.3-p1-e")
{
    for (size_t size = 1; size <= SIZE_LAST; size = next_size(size)) {
        FOR_EACH_CALL(by)
        {
            enum probe_outcome outcome = use_blocks(by, size, 3);
            TRY(outcome == OUTCOME_FAIL && by->is_glibc ? OUTCOME_WEAK : outcome);
        }
    }
    return PASS;
}

enum { SURVIVORS = 2000, OTHERS = 500 };

static struct block survivors[SURVIVORS];

static struct block others[OTHERS];

static void disturb(uint32_t *random)
{
    struct block *other = &others[next_random(random) % OTHERS];
    size_t size = random_size(random);
    unsigned char *block = next_random(random) % 2 && HAS(realloc)
                               ? realloc(other->start, size)
                               : (free(other->start), malloc(size));
    *other = (struct block){block, block != NULL ? size : 0};
    if (block != NULL)
        memset(block, 0xEE, size);
}

enum { ROW = 50, ROWS = 64, ROW_SIZE_MAX = 4096 };

/* Blocks of one size fill what an allocator divides at once, a zone of a hundred blocks, say. One
 * of another size before each row of them leaves another rest at the end each time. */
static enum probe_outcome use_rows(size_t size)
{
    static struct block row[ROWS * ROW];
    size_t step = size / ROWS > 16 ? size / ROWS : 16, count = 0;
    while (count < COUNT(row) && count / ROW * step < size) {
        struct block *block = &row[count];
        block->size = count % ROW == 0 ? count / ROW * step + 1 : size;
        block->start = malloc(block->size);
        if (block->start == NULL)
            break;
        fill(block->start, block->size, (unsigned)count++);
    }
    while (count-- > 0) {
        EXPECT_FILLED(row[count].start, row[count].size, (unsigned)count,
                      "block %zu of a row of %zu bytes each, with %zu before", count, size,
                      count / ROW * step + 1);
        free(row[count].start);
    }
    return PASS;
}

PROBE(blocks_stay_as_they_are_until_freed, "C23-7.24.3-p1-f")
{
    uint32_t random = 1;
    for (size_t size = 64; size <= ROW_SIZE_MAX; size *= 2)
        TRY(use_rows(size));
    for (size_t i = 0; i < SURVIVORS; i++) {
        const struct allocating_call *by = random_call(&random, false);
        size_t size = random_size(&random);
        survivors[i] = (struct block){take_from(by, size), size};
        EXPECT_BLOCK(survivors[i].start, "%s", name_taking(by, size));
        fill(survivors[i].start, size, (unsigned)i);
    }
    for (size_t step = 0; step <= 50000; step++) {
        disturb(&random);
        for (size_t i = 0; i < SURVIVORS && step % 10000 == 0; i++) {
            EXPECT_FILLED(survivors[i].start, survivors[i].size, (unsigned)i,
                          "block %zu of %zu bytes at %p after %zu calls on others", i,
                          survivors[i].size, (void *)survivors[i].start, step);
        }
    }
    return PASS;
}

enum { LIVE_MAX = 1000 };

/* Live blocks in the order of their addresses. */
static struct block live[LIVE_MAX];

static size_t live_count;

static size_t find_place(const unsigned char *start)
{
    size_t low = 0, high = live_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (live[middle].start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum probe_outcome take_apart_from_others(const struct allocating_call *by, size_t size)
{
    unsigned char *start = take_from(by, size);
    EXPECT_FROM(by, start != NULL, "%s: expected a block, observed NULL", name_taking(by, size));
    size_t place = find_place(start);
    const struct block *before = place > 0 ? &live[place - 1] : NULL,
                       *after = place < live_count ? &live[place] : NULL;
    EXPECT_FROM(by, before == NULL || before->start + before->size <= start,
                "%s: expected a block apart from the live %zu bytes at %p, observed %p",
                name_taking(by, size), before->size, (void *)before->start, (void *)start);
    EXPECT_FROM(by, after == NULL || start + size <= after->start,
                "%s: expected a block apart from the live %zu bytes at %p, observed %p",
                name_taking(by, size), after->size, (void *)after->start, (void *)start);
    memmove(&live[place + 1], &live[place], (live_count - place) * sizeof live[0]);
    live[place] = (struct block){start, size};
    live_count++;
    return PASS;
}

PROBE(live_blocks_do_not_overlap, "C23-7.24.3-p1-g")
{
    uint32_t random = 2;
    for (size_t step = 0; step < 40000; step++) {
        if (live_count == LIVE_MAX || (live_count > 0 && next_random(&random) % 16 < 7)) {
            size_t leaving = next_random(&random) % live_count;
            free(live[leaving].start);
            live_count--;
            memmove(&live[leaving], &live[leaving + 1], (live_count - leaving) * sizeof live[0]);
        } else {
            const struct allocating_call *by = random_call(&random, true);
            size_t size = random_size(&random);
            TRY(take_apart_from_others(by, next_random(&random) % 512 == 0 ? size * 64 : size));
        }
    }
    return PASS;
}

static bool touches(const void *block, size_t size, const void *object, size_t object_size)
{
    return (uintptr_t)block < (uintptr_t)object + object_size &&
           (uintptr_t)object < (uintptr_t)block + size;
}

/* The line of /proc/self/maps with an address; NULL: none, or no such file. */
static const char *find_mapping(const void *address)
{
    static char text[512 * KIB];
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    for (ssize_t got = 1; file >= 0 && got > 0 && length < sizeof text - 1;
         length += got > 0 ? (size_t)got : 0)
        got = read(file, text + length, sizeof text - 1 - length);
    text[length] = '\0';
    if (file >= 0)
        close(file);
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        unsigned long long from = strtoull(line, &line, 16), to = strtoull(line + 1, &line, 16);
        *end = '\0';
        if ((uintptr_t)address >= from && (uintptr_t)address < to)
            return line;
    }
    return NULL;
}

static char static_object[64 * KIB];

static _Thread_local char thread_object[4 * KIB];

static enum probe_outcome judge_place(const struct allocating_call *by, size_t size,
                                      const void *block, const char *automatic_object,
                                      size_t automatic_size)
{
    EXPECT_FROM(by, !touches(block, size, static_object, sizeof static_object),
                "%s: expected a block apart from a static object, observed %p",
                name_taking(by, size), block);
    EXPECT_FROM(by, !touches(block, size, thread_object, sizeof thread_object),
                "%s: expected a block apart from a thread's object, observed %p",
                name_taking(by, size), block);
    EXPECT_FROM(by, !touches(block, size, automatic_object, automatic_size),
                "%s: expected a block apart from an automatic object, observed %p",
                name_taking(by, size), block);
    EXPECT_FROM(by, !touches(block, size, (const void *)(uintptr_t)judge_place, 16),
                "%s: expected a block apart from code, observed %p", name_taking(by, size), block);
    for (char **variable = environ; *variable != NULL; variable++)
        EXPECT_FROM(by, !touches(block, size, *variable, strlen(*variable) + 1),
                    "%s: expected a block apart from the environment, observed %p",
                    name_taking(by, size), block);
    return PASS;
}

PROBE(blocks_are_apart_from_all_other_objects, "C23-7.24.3-p1-h")
{
    char automatic_object[64 * KIB];
    uint32_t random = 3;
    memset(automatic_object, 1, sizeof automatic_object);
    for (size_t i = 0; i < 4000; i++) {
        const struct allocating_call *by = random_call(&random, true);
        size_t size = random_size(&random);
        const void *block = take_from(by, size);
        EXPECT_FROM(by, block != NULL, "%s: expected a block, observed NULL",
                    name_taking(by, size));
        TRY(judge_place(by, size, block, automatic_object, sizeof automatic_object));
        const char *mapping = i % 64 == 0 ? find_mapping(block) : NULL;
        EXPECT_FROM(by,
                    mapping == NULL || (mapping[2] == 'w' && strstr(mapping, "[stack]") == NULL),
                    "%s: expected writable memory outside the stack, observed %p in%s",
                    name_taking(by, size), block, mapping);
    }
    return PASS;
}

PROBE(the_pointer_is_to_the_lowest_byte, "C23-7.24.3-p1-i")
{
    uint32_t random = 4;
    for (size_t i = 0; i < OTHERS; i++) {
        size_t size = i < 64 ? (size_t)16 << i % 8 : random_size(&random);
        const struct allocating_call *by = i < 64 ? &by_malloc : random_call(&random, false);
        others[i] = (struct block){take_from(by, size), size};
        EXPECT_BLOCK(others[i].start, "%s", name_taking(by, size));
        size_t usable = HAS(malloc_usable_size) ? malloc_usable_size(others[i].start) : size;
        EXPECT(usable >= size, "malloc_usable_size of %s: expected %zu at least, observed %zu",
               name_taking(by, size), size, usable);
        fill(others[i].start, size, (unsigned)i);
    }
    for (size_t i = 0; i < OTHERS; i++)
        EXPECT_FILLED(others[i].start, others[i].size, (unsigned)i,
                      "%zu bytes from %p on, next to others that were filled", others[i].size,
                      (void *)others[i].start);
    for (size_t i = 0; i < OTHERS; i++)
        free(others[i].start);
    return PASS;
}
