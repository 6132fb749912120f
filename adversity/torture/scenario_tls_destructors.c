/* SPDX-License-Identifier: MIT */
/* Destructors of thread-specific data run late in the life of a thread, some of them after the
 * allocator's own have run. They may allocate and free, and may set their value again, for as many
 * rounds as POSIX grants. */
#include "adversity/torture/roles.h"
#include "adversity/torture/scenarios.h"

#include <limits.h>

/* ROUNDS: what POSIX grants at least */
enum { KEYS = 3, LIFE_HELD = 3, ROUNDS = 4, LIFE_SIZE_LIMIT = 24 << 10 };

static pthread_key_t keys[KEYS];

/* A life's data lies on no heap: destructors of one thread only ever see their own place. */
struct life {
    struct worker *worker;
    unsigned rounds;
    struct block held[LIFE_HELD];
};
static struct life lives[WORKERS_MAX][KEYS];

/* In every round it gives away, receives, and makes anew; in the last one it only frees. */
static void destroy(void *value)
{
    struct life *life = value;
    struct worker *worker = life->worker;
    struct block received;
    bool is_last = ++life->rounds == ROUNDS;
    if (box_take(worker, worker->id, &received))
        block_drop(worker, &received);
    for (unsigned i = 0; i < LIFE_HELD; i++) {
        if (box_put(worker, torture_random(worker, torture_options.workers), &life->held[i]))
            life->held[i].address = NULL;
        block_drop(worker, &life->held[i]);
        if (!is_last)
            block_make(worker, &life->held[i], LIFE_SIZE_LIMIT);
    }
    if (!is_last)
        pthread_setspecific(keys[life - lives[worker->id]], life);
}

void make_tls_keys(void)
{
    for (unsigned i = 0; i < KEYS; i++)
        pthread_key_create(&keys[i], destroy);
}

void role_tls_life(struct worker *worker)
{
    for (unsigned key = 0; key < KEYS; key++) {
        struct life *life = &lives[worker->id][key];
        *life = (struct life){.worker = worker};
        for (unsigned i = 0; i < LIFE_HELD; i++)
            block_make(worker, &life->held[i], LIFE_SIZE_LIMIT);
        pthread_setspecific(keys[key], life);
    }
}

void scenario_tls_destructors(void)
{
    make_tls_keys();
    while (!torture_is_over()) {
        workers_start(0, workers_to_start(), role_tls_life);
        workers_join(0, workers_to_start());
        boxes_drain(worker_main());
        footprint_note();
    }
    footprint_judge(worker_main());
}
