/* SPDX-License-Identifier: MIT */
/* Pairs of malloc and free of one size, in four orders. `count` is the number of pairs. */
#include "bench/child.h"

#include "harness/base/random.h"

#include <stdlib.h>

enum { LIVE_BLOCKS = 10000, LIVE_BYTES = 256 << 20, QUEUE = 100 };

/* So many blocks are live at a time, fewer if they are large. */
static size_t live_blocks(size_t size)
{
    return size * LIVE_BLOCKS <= LIVE_BYTES ? LIVE_BLOCKS : LIVE_BYTES / size;
}

/* Each block is freed before the next one is allocated. */
void run_lifo(size_t size, uint64_t count)
{
    measure_begin();
    for (uint64_t i = 0; i < count; i++)
        free(take(size));
    measure_end(count, 0);
}

/* The oldest of QUEUE blocks is freed. */
void run_fifo(size_t size, uint64_t count)
{
    void *queue[QUEUE] = {NULL};
    size_t at = 0;
    measure_begin();
    for (uint64_t i = 0; i < count; i++) {
        free(queue[at]);
        queue[at] = take(size);
        at = at + 1 < QUEUE ? at + 1 : 0;
    }
    measure_end(count, 0);
    for (at = 0; at < QUEUE; at++)
        free(queue[at]);
}

/* A block at random among all live ones is freed. The choices are made before. */
void run_random(size_t size, uint64_t count)
{
    enum { CHOICES = 1 << 16 };
    size_t live = live_blocks(size);
    void **blocks = map_table(live, sizeof *blocks);
    uint32_t *choices = map_table(CHOICES, sizeof *choices);
    struct random random = {.state = 1};
    for (size_t i = 0; i < CHOICES; i++)
        choices[i] = (uint32_t)random_below(&random, live);
    for (size_t i = 0; i < live; i++)
        blocks[i] = take(size);
    measure_begin();
    for (uint64_t i = 0; i < count; i++) {
        void **block = &blocks[choices[i % CHOICES]];
        free(*block);
        *block = take(size);
    }
    measure_end(count, 0);
}

static void shuffle(uint32_t *order, size_t count)
{
    struct random random = {.state = 1};
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        size_t other = random_below(&random, i);
        uint32_t kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

/* All blocks are allocated, then all are freed, in an order of their own. */
void run_batch(size_t size, uint64_t count)
{
    size_t live = live_blocks(size);
    uint64_t done = 0;
    void **blocks = map_table(live, sizeof *blocks);
    uint32_t *order = map_table(live, sizeof *order);
    shuffle(order, live);
    measure_begin();
    while (done < count) {
        size_t batch = count - done < live ? (size_t)(count - done) : live;
        for (size_t i = 0; i < batch; i++)
            blocks[i] = take(size);
        for (size_t i = 0; i < live; i++) {
            free(blocks[order[i]]);
            blocks[order[i]] = NULL;
        }
        done += batch;
    }
    measure_end(done, 0);
}
