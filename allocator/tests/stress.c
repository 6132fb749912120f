/* SPDX-License-Identifier: MIT */
/*
 * Random operations on one heap, from several threads, with every byte of every block checked.
 *
 *     stress SOURCE FIT THREADS OPS SEED         stress mmap best 4 200000 1
 *
 * SOURCE default: the default heap, with the threads' caches.
 *
 * Each thread owns its slots, and now and then frees or resizes a block that another thread made
 * (blocks are handed over through a locked box). The heap is checked every few operations, refused
 * page-source requests included; at the end everything is freed, and the heap must be empty.
 */
#include "anvil.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SLOTS = 200, THREADS_MAX = 16, BOX = 64 };
#define ARENA_SIZE ((size_t)256 << 20)

struct held {
    unsigned char *block;
    size_t size;
    unsigned key;
};

struct worker {
    pthread_t thread;
    uint64_t random;
    struct held slots[SLOTS];
};

static anvil_heap *heap; /* NULL: the default heap, by its plain functions */
static size_t operations, check_every;
static pthread_mutex_t box_lock = PTHREAD_MUTEX_INITIALIZER;
static struct held box[BOX];

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "stress: %s: %s\n", what, detail);
    exit(1);
}

static uint64_t next_random(struct worker *worker)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return worker->random;
}

static size_t random_size(struct worker *worker)
{
    uint64_t random = next_random(worker);
    unsigned kind = (unsigned)(random % 100);
    size_t value = (size_t)(random >> 32);
    if (kind < 60)
        return value % 300;
    if (kind < 85)
        return value % 5000;
    return kind < 98 ? value % 100000 : value % 3000000;
}

/* The pattern is written and checked at the ends and in strides between, in full for small
 * blocks. */
static size_t stride_of(size_t size)
{
    return size < 8192 ? 1 : 509;
}

static unsigned char pattern(const struct held *held, size_t at)
{
    return (unsigned char)((size_t)held->key * 31 + at * 7 + 1);
}

static void fill(const struct held *held)
{
    for (size_t at = 0; at < held->size; at += stride_of(held->size))
        held->block[at] = pattern(held, at);
    if (held->size > 0)
        held->block[held->size - 1] = pattern(held, held->size - 1);
}

static void verify(const struct held *held, size_t size, size_t stride)
{
    for (size_t at = 0; at < size; at += stride)
        if (held->block[at] != pattern(held, at))
            die("content", "a byte has changed");
}

static void release(struct held *held)
{
    verify(held, held->size, stride_of(held->size));
    if (heap == NULL)
        anvil_free(held->block);
    else
        anvil_heap_free(heap, held->block);
    held->block = NULL;
}

static void acquire(struct worker *worker, struct held *held)
{
    uint64_t random = next_random(worker);
    size_t alignment = (size_t)1 << (random >> 8) % 17;
    held->size = random_size(worker);
    held->key = (unsigned)random;
    if (random % 8 == 0) {
        held->block = anvil_heap_aligned_alloc(heap, alignment, held->size);
    } else if (random % 4 == 1) {
        held->block = anvil_heap_calloc(heap, 1, held->size);
        for (size_t at = 0; held->block != NULL && at < held->size; at++)
            if (held->block[at] != 0)
                die("calloc", "a byte is not zero");
    } else {
        held->block = heap == NULL ? anvil_malloc(held->size) : anvil_heap_malloc(heap, held->size);
    }
    size_t granted = random % 8 == 0 ? alignment : 16;
    if (held->block != NULL && (uintptr_t)held->block % granted != 0)
        die("alignment", "less than promised");
    if (held->block != NULL)
        fill(held);
}

static void resize(struct worker *worker, struct held *held)
{
    size_t size = random_size(worker) + 1, kept = size < held->size ? size : held->size;
    verify(held, held->size, stride_of(held->size));
    unsigned char *block = anvil_heap_realloc(heap, held->block, size);
    if (block == NULL)
        return;
    held->block = block;
    verify(held, kept, stride_of(held->size));
    held->size = size;
    fill(held);
}

static void exchange(struct worker *worker, struct held *held)
{
    struct held *other = &box[next_random(worker) % BOX];
    pthread_mutex_lock(&box_lock);
    struct held swapped = *other;
    *other = *held;
    *held = swapped;
    pthread_mutex_unlock(&box_lock);
}

static void disturb(struct worker *worker)
{
    uint64_t random = next_random(worker);
    if (random % 64 == 0)
        (void)anvil_heap_malloc_trim(heap, (size_t)(random >> 40));
    else
        anvil_heap_fail_os_call(heap, (unsigned)(random >> 8) % 4);
}

static void check_heap(void)
{
    char error[200];
    if (anvil_heap_check(heap, error, sizeof error) != 0)
        die("check", error);
}

static void *work(void *context)
{
    struct worker *worker = context;
    for (size_t i = 0; i < operations; i++) {
        struct held *held = &worker->slots[next_random(worker) % SLOTS];
        unsigned choice = (unsigned)(next_random(worker) % 16);
        if (held->block == NULL)
            acquire(worker, held);
        else if (choice < 5)
            resize(worker, held);
        else if (choice < 14)
            release(held);
        else
            exchange(worker, held);
        if (choice == 15)
            disturb(worker);
        if (i % check_every == 0)
            check_heap();
    }
    return NULL;
}

static void finish(struct worker *workers, unsigned threads)
{
    struct anvil_stats stats;
    for (unsigned i = 0; i < threads; i++)
        for (unsigned slot = 0; slot < SLOTS; slot++)
            if (workers[i].slots[slot].block != NULL)
                release(&workers[i].slots[slot]);
    for (unsigned i = 0; i < BOX; i++)
        if (box[i].block != NULL)
            release(&box[i]);
    anvil_heap_fail_os_call(heap, 0);
    (void)anvil_heap_malloc_trim(heap, 0);
    check_heap();
    anvil_heap_stats(heap, &stats);
    if (stats.live_blocks != 0 || stats.live_size != 0 || stats.live_capacity != 0)
        die("stats", "the empty heap counts live blocks");
    printf("mapped at most %zu KiB, at the end %zu KiB, %zu requests\n", stats.mapped_peak >> 10,
           stats.mapped >> 10, stats.os_calls);
}

static struct anvil_options options_of(const char *source, const char *fit)
{
    struct anvil_options options = {.mmap_threshold = 256 << 10, .trim_threshold = 512 << 10};
    char text[64], error[200];
    bool is_arena = strcmp(source, "arena") == 0, is_sbrk = strcmp(source, "sbrk") == 0;
    snprintf(text, sizeof text, "source:%s,fit:%s", is_sbrk ? "sbrk" : "mmap", fit);
    if (anvil_options_parse(text, &options, error, sizeof error) != 0)
        die("options", error);
    if (is_arena) {
        void *arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        options.source = ANVIL_SOURCE_ARENA;
        options.arena = arena;
        options.arena_size = ARENA_SIZE;
        options.arena_discard = true;
    }
    return options;
}

int main(int argc, char **argv)
{
    static struct worker workers[THREADS_MAX];
    if (argc != 6)
        die("usage", "stress SOURCE FIT THREADS OPS SEED");
    struct anvil_options options = options_of(argv[1], argv[2]);
    unsigned threads = (unsigned)atoi(argv[3]) % THREADS_MAX;
    operations = (size_t)atol(argv[4]);
    check_every = threads == 1 ? 7 : 199;
    if (strcmp(argv[1], "default") != 0 && anvil_heap_create(&heap, &options) != 0)
        die("create", "no heap");
    for (unsigned i = 0; i < threads; i++) {
        workers[i].random = (strtoull(argv[5], NULL, 10) + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    finish(workers, threads);
    anvil_heap_destroy(heap);
    return 0;
}
