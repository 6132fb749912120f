/* SPDX-License-Identifier: MIT */
/*
 * Several threads at once, and blocks that are freed by another thread or outlive the thread that
 * allocated them.
 */
#include "conformance/testlib.h"

#include <pthread.h>
#include <threads.h>

#define WORKERS_MAX 64

struct worker {
    pthread_t thread;
    struct churn churn;
    size_t steps;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    if (churn(&worker->churn, worker->steps))
        churn_end(&worker->churn);
    return NULL;
}

/* At least 8 threads and 4 a processor, so that threads are also stopped in the middle of a
 * call. */
static size_t many_threads(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = processors > 2 ? 4 * (size_t)processors : 8;
    return wanted < WORKERS_MAX ? wanted : WORKERS_MAX;
}

PROCESS_PROBE_IF_POSSIBLE(threads_need_no_lock_for_blocks_of_their_own,
                          "C23-7.24.3-p2-a POSIX17-thread-1", NEEDS(threads))
{
    static struct worker workers[WORKERS_MAX];
    size_t count = many_threads();
    for (size_t i = 0; i < count; i++) {
        workers[i].churn.random = (uint32_t)i * 2654435761u + 1;
        workers[i].steps = 160000 / count;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return UNSUPPORTED("pthread_create: expected thread %zu of %zu, observed none", i,
                               count);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < count; i++)
        EXPECT(workers[i].churn.wrong[0] == '\0', "in thread %zu of %zu, %s", i, count,
               workers[i].churn.wrong);
    return PASS;
}

#define BOX_BLOCKS 100

/* Blocks that one thread fills and another empties; a thread in between makes them happen in that
 * order. */
struct box {
    uint32_t random;
    size_t count;
    void *block[BOX_BLOCKS];
    size_t size[BOX_BLOCKS];
    bool is_refused;            /* why box_fill returned false */
    size_t bad_block, bad_byte; /* what box_empty found, if it returns false */
};

static bool box_fill(struct box *box, size_t count, uint32_t seed)
{
    box->random = seed;
    for (box->count = 0; box->count < count; box->count++) {
        size_t i = box->count;
        uint32_t kind = next_random(&box->random) % 64;
        box->size[i] = 1 + next_random(&box->random) % (kind == 0  ? 256 * KIB
                                                        : kind < 8 ? 16 * KIB
                                                                   : 512);
        box->block[i] = kind == 1 && HAS(aligned_alloc)
                            ? aligned_alloc(4096, 4096 * ((box->size[i] + 4095) / 4096))
                            : malloc(box->size[i]);
        if (box->block[i] == NULL) {
            box->is_refused = true;
            return false;
        }
        fill(box->block[i], box->size[i], (unsigned)i);
    }
    return true;
}

/* Releases the blocks from `first` on. */
static bool box_empty(struct box *box, size_t first)
{
    for (; box->count > first; box->count--) {
        size_t i = box->count - 1, at = find_change(box->block[i], box->size[i], (unsigned)i);
        if (at < box->size[i]) {
            box->bad_block = i;
            box->bad_byte = at;
            return false;
        }
        free(box->block[i]);
    }
    return true;
}

/* A short thread: what it finds in its box is another's, half of what it leaves there is for
 * another. */
static void *live_shortly(void *argument)
{
    struct box *box = argument;
    bool is_sound = box_empty(box, 0);
    is_sound =
        is_sound && box_fill(box, BOX_BLOCKS, box->random + 77) && box_empty(box, BOX_BLOCKS / 2);
    return is_sound ? NULL : box;
}

PROCESS_PROBE_IF_POSSIBLE(short_threads_leave_blocks_to_others, "C23-7.1.4-p5-a", NEEDS(threads))
{
    enum { AT_ONCE = 8, ROUNDS = 100 };
    static struct box boxes[AT_ONCE];
    pthread_t threads[AT_ONCE];
    for (int round = 0; round < ROUNDS; round++) {
        void *bad = NULL, *result = NULL;
        for (uint32_t i = 0; i < AT_ONCE; i++) {
            boxes[i].random += i;
            if (pthread_create(&threads[i], NULL, live_shortly, &boxes[i]) != 0)
                return UNSUPPORTED("pthread_create: expected a thread, observed none in round %d",
                                   round);
        }
        for (int i = 0; i < AT_ONCE; i++)
            if (pthread_join(threads[i], &result) == 0 && result != NULL)
                bad = result;
        struct box *box = bad;
        EXPECT(box == NULL || !box->is_refused,
               "malloc in one of %d threads: expected a block, observed NULL in round %d", AT_ONCE,
               round);
        if (box != NULL)
            return FAIL("free of a block of %zu bytes of an ended thread: expected the bytes "
                        "written, observed that byte %zu changed, in round %d",
                        box->size[box->bad_block], box->bad_byte, round);
    }
    return PASS;
}

#define HANDED_BOXES 24

static struct box handed[HANDED_BOXES];

/* Resizes every second block of the boxes, and releases the others. */
static void *resize_and_release(void *ret_bad)
{
    for (size_t b = 0; b < HANDED_BOXES; b++)
        for (size_t i = 0; i < handed[b].count; i++) {
            size_t old = handed[b].size[i], size = i % 4 == 0 ? old / 2 + 1 : 2 * old,
                   kept = old < size ? old : size;
            void *block =
                i % 2 == 0 && HAS(realloc) ? realloc(handed[b].block[i], size) : handed[b].block[i];
            kept = i % 2 == 0 ? kept : old;
            if (block == NULL || find_change(block, kept, (unsigned)i) < kept)
                return ret_bad;
            if (i % 2 == 0 && HAS(realloc))
                fill(block, handed[b].size[i] = size, (unsigned)i);
            else
                free(block);
            handed[b].block[i] = i % 2 == 0 && HAS(realloc) ? block : NULL;
        }
    return NULL;
}

PROCESS_PROBE_IF_POSSIBLE(another_thread_may_resize_and_release, "POSIX17-thread-2", NEEDS(threads))
{
    static struct worker creator;
    pthread_t other;
    void *bad = NULL;
    creator.churn.random = 5;
    for (uint32_t b = 0; b < HANDED_BOXES; b++)
        EXPECT(box_fill(&handed[b], BOX_BLOCKS, b + 1),
               "malloc: expected %d blocks, observed NULL at %zu", BOX_BLOCKS, handed[b].count);
    if (pthread_create(&other, NULL, resize_and_release, &bad) != 0)
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    bool is_sound = churn(&creator.churn, 40000) && churn_end(&creator.churn);
    pthread_join(other, &bad);
    EXPECT(bad == NULL, "realloc or free in another thread: expected the bytes written by the "
                        "first, observed others, or NULL");
    EXPECT(is_sound, "while another thread releases blocks, %s", creator.churn.wrong);
    for (size_t b = 0; b < HANDED_BOXES; b++)
        for (size_t i = 0; i < BOX_BLOCKS && HAS(realloc); i += 2) {
            size_t size = handed[b].size[i],
                   at = find_change(handed[b].block[i], size, (unsigned)i);
            EXPECT(at == size,
                   "realloc in another thread, to %zu bytes: expected the bytes written, observed "
                   "that byte %zu changed",
                   size, at);
            free(handed[b].block[i]);
        }
    return PASS;
}

static void *fill_a_box(void *box)
{
    return box_fill(box, 40, ((struct box *)box)->random) ? box : NULL;
}

PROCESS_PROBE_IF_POSSIBLE(blocks_outlive_their_thread, "POSIX17-thread-3", NEEDS(threads))
{
    enum { ROUNDS = 400, KEPT = 16 };
    static struct box boxes[KEPT];
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct box *box = &boxes[round % KEPT];
        pthread_t thread;
        void *result = NULL;
        if (!box_empty(box, 0))
            return FAIL("free of a block of %zu bytes, %d threads after its maker ended: expected "
                        "the bytes written, observed that byte %zu changed",
                        box->size[box->bad_block], KEPT, box->bad_byte);
        box->random = round + 1;
        if (pthread_create(&thread, NULL, fill_a_box, box) != 0)
            return UNSUPPORTED("pthread_create: expected thread %u, observed none", round);
        pthread_join(thread, &result);
        EXPECT(result != NULL, "malloc in thread %u: expected a block, observed NULL", round);
    }
    return PASS;
}

static pthread_key_t key;

static tss_t c11_key;

static atomic_uint destructions, refusals;

/* Uses the heap when the allocator may have released what it kept for this thread. The value counts
 * the rounds of destructors. */
static void use_heap_in_destructor(void *value)
{
    uintptr_t round = (uintptr_t)value;
    char *block = malloc(1000 * round), *other = HAS(calloc) ? calloc(round, 24) : NULL;
    block = block == NULL || !HAS(realloc) ? block : realloc(block, 3000 * round);
    bool is_zeroed = other != NULL && find_nonzero(other, 24 * round) == 24 * round;
    if (block == NULL || (HAS(calloc) && !is_zeroed))
        atomic_fetch_add(&refusals, 1);
    free(block);
    free(other);
    atomic_fetch_add(&destructions, 1);
    if (round < 3)
        pthread_setspecific(key, (void *)(round + 1));
}

static void release_in_destructor(void *block)
{
    free(block);
    atomic_fetch_add(&destructions, 1);
}

static void *set_specific_data(void *unused)
{
    bool is_set =
        pthread_setspecific(key, (void *)1) == 0 && tss_set(c11_key, malloc(4000)) == thrd_success;
    return is_set ? NULL : unused;
}

/* Three rounds of the first destructor and one of the second, in each of `count` threads. */
static enum probe_outcome destroy_specific_data(unsigned count)
{
    atomic_store(&destructions, 0);
    for (unsigned i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, set_specific_data, NULL) != 0)
            return UNSUPPORTED("pthread_create: expected thread %u of %u, observed none", i, count);
        pthread_join(thread, NULL);
    }
    unsigned ran = atomic_load(&destructions), refused = atomic_load(&refusals);
    EXPECT(refused == 0,
           "malloc, calloc and realloc in destructors: expected blocks, observed %u refusals",
           refused);
    EXPECT(ran == 4 * count, "%u threads: expected %u destructors to run, observed %u", count,
           4 * count, ran);
    return PASS;
}

static enum probe_outcome end_a_thread(void *unused)
{
    (void)unused;
    return destroy_specific_data(1);
}

PROCESS_PROBE_IF_POSSIBLE(destructors_of_thread_data_may_allocate, "POSIX17-thread-4",
                          NEEDS(threads))
{
    const struct cycle cycle = {end_a_thread, NULL, 24 * KIB, 7};
    size_t growth = 0;
    if (pthread_key_create(&key, use_heap_in_destructor) != 0 ||
        tss_create(&c11_key, release_in_destructor) != thrd_success)
        return UNSUPPORTED("pthread_key_create: expected a key, observed none");
    TRY(destroy_specific_data(100));
    TRY(watch_growth(&cycle, &growth));
    EXPECT(growth == 0,
           "threads whose destructors allocate and release, one after the other: expected no "
           "growth, observed %zu KiB more and no end of it",
           growth / KIB);
    return PASS;
}
