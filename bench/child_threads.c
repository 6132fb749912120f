/* SPDX-License-Identifier: MIT */
/* Two threads that free each other's blocks. */
#include "bench/child.h"

#include "harness/base/random.h"

#include <pthread.h>
#include <stdlib.h>

/* ---- producer and consumer ---- */

enum { BATCH = 64, BATCHES_AHEAD = 16 };

/* Batches in order; one producer, one consumer. lock: all but the blocks of a batch in use. */
struct channel {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void *blocks[BATCHES_AHEAD][BATCH];
    uint64_t produced, consumed, total; /* batches */
};

static struct channel channel = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                 .changed = PTHREAD_COND_INITIALIZER};

/* Waits until the consumer may take batch number `next`, or the producer may fill it. */
static void **wait_for_batch(uint64_t next, const uint64_t *other, uint64_t ahead)
{
    pthread_mutex_lock(&channel.lock);
    while (*other + ahead <= next)
        pthread_cond_wait(&channel.changed, &channel.lock);
    pthread_mutex_unlock(&channel.lock);
    return channel.blocks[next % BATCHES_AHEAD];
}

static void finish_batch(uint64_t *own)
{
    pthread_mutex_lock(&channel.lock);
    ++*own;
    pthread_cond_signal(&channel.changed);
    pthread_mutex_unlock(&channel.lock);
}

static void *consume(void *unused)
{
    for (uint64_t next = 0; next < channel.total; next++) {
        void **blocks = wait_for_batch(next, &channel.produced, 0);
        for (size_t i = 0; i < BATCH; i++)
            free(blocks[i]);
        finish_batch(&channel.consumed);
    }
    return unused;
}

/* One thread allocates `count` blocks, the other one frees them. */
void run_pass(size_t size, uint64_t count)
{
    pthread_t consumer;
    channel.total = (count + BATCH - 1) / BATCH;
    measure_begin();
    if (pthread_create(&consumer, NULL, consume, NULL) != 0)
        fail("no thread");
    for (uint64_t next = 0; next < channel.total; next++) {
        void **blocks = wait_for_batch(next, &channel.consumed, BATCHES_AHEAD);
        for (size_t i = 0; i < BATCH; i++)
            blocks[i] = take(size);
        finish_batch(&channel.produced);
    }
    pthread_join(consumer, NULL);
    measure_end(channel.total * BATCH, 0);
}

/* ---- after Larson and Krishnan: Memory allocation for long-running server applications (1998)
 * ---- */

enum { SLOTS = 1000, ROUNDS = 20, SIZE_MIN = 16, THREADS_MAX = 16 };

struct team {
    pthread_barrier_t barrier;
    size_t threads, size_max;
    uint64_t round_length;
    void *slots[THREADS_MAX][SLOTS];
};
static struct team team;

/* Replaces blocks at random; after each round the slots belong to the next thread. */
static void *larson_thread(void *argument)
{
    size_t number = (size_t)argument;
    struct random random = {.state = number + 1};
    for (size_t round = 0; round < ROUNDS; round++) {
        void **slots = team.slots[(number + round) % team.threads];
        for (uint64_t i = 0; i < team.round_length; i++) {
            uint64_t word = random_next(&random);
            void **slot = &slots[word % SLOTS];
            free(*slot);
            *slot = take(SIZE_MIN + (word >> 32) % (team.size_max - SIZE_MIN));
        }
        pthread_barrier_wait(&team.barrier);
    }
    return NULL;
}

/* `size` threads share `count` pairs of up to 512 bytes. */
void run_larson(size_t size, uint64_t count)
{
    pthread_t threads[THREADS_MAX];
    if (size == 0 || size > THREADS_MAX)
        fail("larson: 1 to 16 threads");
    team.threads = size;
    team.size_max = 512;
    team.round_length = count / (ROUNDS * size) + 1;
    pthread_barrier_init(&team.barrier, NULL, (unsigned)size);
    measure_begin();
    for (size_t i = 0; i < size; i++)
        if (pthread_create(&threads[i], NULL, larson_thread, (void *)i) != 0)
            fail("no thread");
    for (size_t i = 0; i < size; i++)
        pthread_join(threads[i], NULL);
    measure_end(team.round_length * ROUNDS * size, 0);
}
