/* SPDX-License-Identifier: MIT */
/*
 * The order in which threads see the accesses to one region. These litmus tests can only show an
 * order that the processor allows. x86 hardly reorders, so there they find an allocator that hands
 * out a region too early, but not a missing fence.
 */
#include "conformance/testlib.h"

#include <pthread.h>
#include <sched.h>

#define EVENTS    40000
#define SLOTS     32
#define ADDRESSES 131072

/* Allocations are noted after they return and releases before they begin, so that the log of one
 * region alternates if its life does. */
static struct event {
    void *block;
    bool is_release;
} event_log[2 * EVENTS];

static atomic_size_t events_noted, blocks_released;

static _Atomic(void *) slots[SLOTS];

static void note_event(void *block, bool is_release)
{
    event_log[atomic_fetch_add(&events_noted, 1)] = (struct event){block, is_release};
}

static void *produce(void *unused)
{
    for (size_t made = 0; made < EVENTS / 2; made++) {
        void *block = malloc(64), *none = NULL;
        if (block == NULL)
            return &events_noted;
        note_event(block, false);
        for (size_t i = made; !atomic_compare_exchange_strong(&slots[i % SLOTS], &none, block);
             i++, none = NULL)
            if (i % SLOTS == 0)
                sched_yield();
    }
    return unused;
}

static void *consume(void *unused)
{
    for (size_t i = 0; atomic_load(&blocks_released) < EVENTS; i++) {
        void *block = atomic_exchange(&slots[i % SLOTS], NULL);
        if (block != NULL) {
            note_event(block, true);
            free(block);
            atomic_fetch_add(&blocks_released, 1);
        } else if (i % SLOTS == 0) {
            sched_yield();
        }
    }
    return unused;
}

/* The entry of an address in a table of all. */
static size_t find_address(void *const *table, const void *block)
{
    size_t i = (uintptr_t)block / 16 * 40503 % ADDRESSES;
    while (table[i] != NULL && table[i] != block)
        i = (i + 1) % ADDRESSES;
    return i;
}

static enum probe_outcome read_event_log(void)
{
    static void *table[ADDRESSES];
    static bool is_live[ADDRESSES];
    for (size_t n = 0; n < COUNT(event_log); n++) {
        void *block = event_log[n].block;
        size_t i = find_address(table, block);
        table[i] = block;
        EXPECT(event_log[n].is_release == is_live[i],
               "%s %p: expected allocations and releases of a region to alternate, observed two %s",
               event_log[n].is_release ? "free of" : "malloc at", block,
               is_live[i] ? "allocations in a row" : "releases in a row");
        is_live[i] = !is_live[i];
    }
    return PASS;
}

PROCESS_PROBE_IF_POSSIBLE(allocations_and_releases_of_a_region_alternate, "C23-7.24.3-p2-c",
                          NEEDS(threads))
{
    pthread_t threads[4];
    void *result = NULL;
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, i % 2 == 0 ? produce : consume, NULL) != 0)
            return UNSUPPORTED("pthread_create: expected a thread, observed none");
    for (int i = 0; i < 4; i += 2) {
        pthread_join(threads[i], &result);
        EXPECT(result == NULL, "malloc(64): expected a block, observed NULL");
    }
    pthread_join(threads[1], NULL);
    pthread_join(threads[3], NULL);
    return read_event_log();
}

#define BATCH 256
#define TAKEN 1024

/* One batch of blocks on its way: made by the taker, marked and released by the giver, and taken
 * again. */
static struct {
    atomic_int offered, done; /* rounds */
    void *block[BATCH];
    /* not atomic on purpose: release and allocation of the block must order the accesses */
    int mark[BATCH];
    size_t size;
} litmus;

static void *mark_and_release(void *unused)
{
    for (int round = 1;; round++) {
        int offered;
        while ((offered = atomic_load(&litmus.offered)) < round && offered >= 0)
            sched_yield();
        if (offered < 0)
            return unused;
        for (size_t i = 0; i < BATCH; i++) {
            litmus.mark[i] = round;
            free(litmus.block[i]);
        }
        atomic_store(&litmus.done, round);
    }
}

/* The first block of the batch that shares a byte with a block; BATCH: none. */
static size_t find_overlap(const char *block, size_t size)
{
    size_t i = 0;
    while (i < BATCH && (block >= (char *)litmus.block[i] + litmus.size ||
                         (char *)litmus.block[i] >= block + size))
        i++;
    return i;
}

/* Allocates while the batch is being released, and does not look at `done` before the end: that
 * would order the accesses, too. */
static enum probe_outcome take_again(int round, size_t size)
{
    static void *taken[TAKEN];
    enum probe_outcome outcome = PASS;
    size_t count = 0;
    for (; count < TAKEN && outcome == PASS; count++) {
        taken[count] = malloc(size);
        size_t i = taken[count] == NULL ? BATCH : find_overlap(taken[count], size);
        if (i < BATCH && litmus.mark[i] != round)
            outcome = FAIL("malloc(%zu) at %p, released as %zu bytes by another thread: expected "
                           "what that thread wrote before, %d, observed %d",
                           size, taken[count], litmus.size, round, litmus.mark[i]);
    }
    while (atomic_load(&litmus.done) < round)
        sched_yield();
    while (count > 0)
        free(taken[--count]);
    return outcome;
}

static enum probe_outcome run_litmus(size_t first_size, size_t second_size, int rounds)
{
    pthread_t giver;
    enum probe_outcome outcome = PASS;
    atomic_store(&litmus.offered, 0);
    atomic_store(&litmus.done, 0);
    litmus.size = first_size;
    if (pthread_create(&giver, NULL, mark_and_release, NULL) != 0)
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    for (int round = 1; round <= rounds && outcome == PASS; round++) {
        for (size_t i = 0; i < BATCH; i++) {
            litmus.block[i] = malloc(first_size);
            EXPECT_BLOCK(litmus.block[i], "malloc(%zu)", first_size);
        }
        atomic_store(&litmus.offered, round);
        outcome = take_again(round, second_size);
    }
    atomic_store(&litmus.offered, -1);
    pthread_join(giver, NULL);
    return outcome;
}

PROCESS_PROBE_IF_POSSIBLE(release_happens_before_the_next_allocation, "C23-7.24.3-p2-d",
                          NEEDS(threads))
{
    TRY(run_litmus(256, 256, 30));
    TRY(run_litmus(40000, 40000, 10));
    return PASS;
}

PROCESS_PROBE_IF_POSSIBLE(release_happens_before_allocation_of_a_part, "C11-7.22.3-p2-e",
                          NEEDS(threads))
{
    TRY(run_litmus(900, 5000, 10));
    TRY(run_litmus(40000, 100000, 10));
    TRY(run_litmus(100000, 40000, 10));
    return PASS;
}
