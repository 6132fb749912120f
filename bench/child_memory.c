/* SPDX-License-Identifier: MIT */
/*
 * Workloads whose peak of resident memory tells more than their time. Blocks are written whole, and
 * each holds the address of the next one, so that no table adds to what the subject holds.
 */
#include "bench/child.h"

#include "harness/base/random.h"

#include <stdlib.h>

struct block {
    struct block *next;
};

static struct block *push(struct block *chain, size_t size)
{
    struct block *block = take_whole(size);
    block->next = chain;
    return block;
}

static void free_chain(struct block *chain)
{
    while (chain != NULL) {
        struct block *next = chain->next;
        free(chain);
        chain = next;
    }
}

/* `count` blocks of one size, all live. */
void run_fill(size_t size, uint64_t count)
{
    struct block *chain = NULL;
    measure_begin();
    for (uint64_t i = 0; i < count; i++)
        chain = push(chain, size);
    free_chain(chain);
    measure_end(count, count * size);
}

/* Keeps one block in `share`; returns how many. */
static size_t thin(struct block **chain, size_t share, struct random *random)
{
    size_t kept = 0;
    for (struct block **link = chain; *link != NULL;) {
        struct block *block = *link;
        if (random_once_in(random, share)) {
            kept++;
            link = &block->next;
        } else {
            *link = block->next;
            free(block);
        }
    }
    return kept;
}

/* Live memory rises to `count` megabytes and falls to about a tenth, again and again, in blocks of
 * `size` at first. The blocks of each time are twice as large as those before, so that the holes do
 * not fit them. */
void run_sawtooth(size_t size, uint64_t count)
{
    enum { TEETH = 8, SHARE = 10 };
    struct block *teeth[TEETH] = {NULL};
    struct random random = {.state = 1};
    uint64_t operations = 0;
    size_t live = 0, peak = count << 20;
    measure_begin();
    for (size_t t = 0; t < TEETH; t++, size *= 2) {
        for (size_t bytes = live; bytes + size <= peak; bytes += size, operations++)
            teeth[t] = push(teeth[t], size);
        live += thin(&teeth[t], SHARE, &random) * size;
    }
    for (size_t t = 0; t < TEETH; t++)
        free_chain(teeth[t]);
    measure_end(operations, peak);
}
