/* SPDX-License-Identifier: MIT */
/*
 * The calls: which part a size goes to, and what is above the parts. The settings are made by the
 * first call, under a lock, and published. Each class counts its live blocks under a mutex of its
 * own; realloc between classes changes both counts at once, locking the smaller class first. Fork
 * takes every lock in the same order, the large list's last.
 */
#include "threaded.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

enum class { SMALL, MEDIUM, LARGE, CLASSES };

struct settings {
    size_t limits[CLASSES];
};

int threaded_mutant;

static struct {
    pthread_mutex_t lock;
    _Atomic(bool) is_ready;
    struct settings settings;
    struct stack medium;
    struct {
        pthread_mutex_t lock;
        size_t live;
    } counts[CLASSES];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .counts = {{PTHREAD_MUTEX_INITIALIZER, 0},
                      {PTHREAD_MUTEX_INITIALIZER, 0},
                      {PTHREAD_MUTEX_INITIALIZER, 0}}};

struct header *block_map(size_t capacity)
{
    size_t length = (capacity + sizeof(struct header) + 4095) & ~(size_t)4095;
    struct header *block =
        mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    block->capacity = capacity;
    return block;
}

/* ---- the first call ---- */

static void set_up(void)
{
    if (atomic_load_explicit(&state.is_ready, memory_order_relaxed))
        return; /* somebody was faster */
    state.settings = (struct settings){{64, 512, SIZE_MAX / 2}};
    small_init();
    atomic_store_explicit(&state.is_ready, true, memory_order_release);
}

static void be_ready(void)
{
    if (atomic_load_explicit(&state.is_ready, memory_order_acquire))
        return;
    if (has_mutant(MUTANT_racy_first_call)) {
        set_up();
        return;
    }
    pthread_mutex_lock(&state.lock);
    set_up();
    pthread_mutex_unlock(&state.lock);
}

/* ---- counts ---- */

static enum class class_of(size_t size) {
    enum class class = SMALL; while (size > state.settings.limits[class]) class ++; return class;
}

static void count_take(enum class class)
{
    pthread_mutex_lock(&state.counts[class].lock);
    state.counts[class].live++;
    pthread_mutex_unlock(&state.counts[class].lock);
}

static void count_give(enum class class)
{
    if (has_mutant(MUTANT_missing_lock_in_count)) {
        state.counts[class].live--;
        return;
    }
    pthread_mutex_lock(&state.counts[class].lock);
    state.counts[class].live--;
    pthread_mutex_unlock(&state.counts[class].lock);
}

static void count_move(enum class from, enum class to)
{
    bool is_from_first = has_mutant(MUTANT_ab_ba_deadlock) || from < to;
    if (from == to)
        return;
    pthread_mutex_lock(&state.counts[is_from_first ? from : to].lock);
    pthread_mutex_lock(&state.counts[is_from_first ? to : from].lock);
    state.counts[from].live--;
    state.counts[to].live++;
    pthread_mutex_unlock(&state.counts[to].lock);
    pthread_mutex_unlock(&state.counts[from].lock);
}

/* ---- the calls ---- */

static struct header *take(enum class class, size_t size)
{
    struct header *block;
    if (class == SMALL)
        return small_take(state.settings.limits[SMALL]);
    if (class == LARGE)
        return large_take(size);
    block = stack_pop(&state.medium);
    return block != NULL ? block : block_map(state.settings.limits[MEDIUM]);
}

static void give(enum class class, struct header *block)
{
    if (class == SMALL)
        small_give(block);
    else if (class == MEDIUM)
        stack_push(&state.medium, block);
    else
        large_give(block);
}

void *threaded_malloc(size_t size)
{
    be_ready();
    enum class class = class_of(size);
    struct header *block = take(class, size);
    if (block == NULL)
        return NULL;
    count_take(class);
    return block + 1;
}

void threaded_free(void *pointer)
{
    struct header *block = (struct header *)pointer - 1;
    enum class class = class_of(block->capacity);
    count_give(class);
    give(class, block);
}

void *threaded_realloc(void *pointer, size_t size)
{
    struct header *old = (struct header *)pointer - 1;
    if (size <= old->capacity && class_of(size) == class_of(old->capacity))
        return pointer;
    struct header *block = take(class_of(size), size);
    if (block == NULL)
        return NULL;
    count_move(class_of(old->capacity), class_of(size));
    memcpy(block + 1, pointer, old->capacity < size ? old->capacity : size);
    give(class_of(old->capacity), old);
    return block + 1;
}

/* ---- fork ---- */

static void fork_prepare(void)
{
    if (has_mutant(MUTANT_lock_held_over_fork))
        return;
    pthread_mutex_lock(&state.lock);
    for (int i = 0; i < CLASSES; i++)
        pthread_mutex_lock(&state.counts[i].lock);
    large_lock();
}

static void fork_done(void)
{
    if (has_mutant(MUTANT_lock_held_over_fork))
        return;
    large_unlock();
    for (int i = 0; i < CLASSES; i++)
        pthread_mutex_unlock(&state.counts[i].lock);
    pthread_mutex_unlock(&state.lock);
}

__attribute__((constructor)) static void register_fork_handlers(void)
{
    (void)pthread_atfork(fork_prepare, fork_done, fork_done);
}
