/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* What a thread kept for itself must not be lost when it ends. */
enum { BLOCKS = 400 };

static void *live(void *unused)
{
    void *blocks[BLOCKS];
    size_t sizes[BLOCKS];
    uint32_t state = 1;
    for (size_t i = 0; i < BLOCKS; i++) {
        sizes[i] = growth_random_size(&state, 16, 8 << 10);
        blocks[i] = growth_take(sizes[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        growth_give(blocks[i], sizes[i]);
    return unused;
}

WORKLOAD(
    thread_churn,
    "threads that come, two at a time, allocate 400 blocks of 16 bytes to 8 KiB, free them, and go",
    .kind = WORKLOAD_FOOTPRINT, .rounds = 300, .job.needs = NEEDS(threads))
{
    pthread_t pair[2];
    (void)task;
    for (size_t i = 0; i < 2; i++)
        if (pthread_create(&pair[i], NULL, live, NULL) != 0)
            growth_want(NULL, "pthread_create", 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(pair[i], NULL);
}
