/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* The consumer lives as long as the process; batches change hands through one place. */
enum { BATCH = 256, BATCHES = 40 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_full;
    void *blocks[BATCH];
    size_t sizes[BATCH];
} place = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void wait_until(bool is_full)
{
    while (place.is_full != is_full)
        pthread_cond_wait(&place.changed, &place.lock);
}

static void hand_over(bool is_full)
{
    place.is_full = is_full;
    pthread_cond_signal(&place.changed);
}

static void *consume(void *unused)
{
    pthread_mutex_lock(&place.lock);
    for (;;) {
        wait_until(true);
        for (size_t i = 0; i < BATCH; i++)
            growth_give(place.blocks[i], place.sizes[i]);
        hand_over(false);
    }
    return unused;
}

WORKLOAD(producer_consumer,
         "one thread allocates batches of 256 blocks of 16 bytes to 8 KiB, another frees them",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 100, .job.needs = NEEDS(threads))
{
    static pthread_t consumer;
    uint32_t state = 1;
    if (task->round == 0)
        pthread_create(&consumer, NULL, consume, NULL);
    pthread_mutex_lock(&place.lock);
    for (size_t batch = 0; batch < BATCHES; batch++) {
        for (size_t i = 0; i < BATCH; i++) {
            place.sizes[i] = growth_random_size(&state, 16, 8 << 10);
            place.blocks[i] = growth_take(place.sizes[i]);
        }
        hand_over(true);
        wait_until(false);
    }
    pthread_mutex_unlock(&place.lock);
}
