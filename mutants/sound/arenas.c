/* SPDX-License-Identifier: MIT */
/*
 * An arena of slabs for each thread. A block goes back to the arena that it is from, whoever frees
 * it; the arena of a thread that ends is the next thread's. An arena keeps up to ARENA_KEPT bytes
 * of empty spans, ARENA_AHEAD of them from the start.
 *
 * `list_lock` guards the lists of arenas. A thread holds at most one lock, but in a fork: the
 * list's, then each arena's. Destructors that run after the thread's arena was handed back use
 * `late`.
 */
#include "sound.h"

#include <pthread.h>

struct arena {
    pthread_mutex_t lock;
    struct slabs slabs; /* guarded by lock */
    struct arena *next, *next_idle;
    bool is_idle;
};
#define LOCK_INIT PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP
#define SPAN      ((size_t)128 << 10)

static pthread_mutex_t list_lock = LOCK_INIT;
static struct arena late = {.lock = LOCK_INIT};
static struct arena *arenas = &late, *idle;
static pthread_key_t key;
static bool has_key;
static __thread struct arena *mine __attribute__((tls_model("initial-exec")));

static void hand_back(void *context)
{
    struct arena *arena = context;
    mine = &late;
    pthread_mutex_lock(&list_lock);
    arena->is_idle = true;
    arena->next_idle = idle;
    idle = arena;
    pthread_mutex_unlock(&list_lock);
}

static struct arena *arena_new(void)
{
    struct arena *arena = pages_map(round_up(sizeof *arena, PAGE), PAGE);
    if (arena == NULL)
        return NULL;
    arena->lock = (pthread_mutex_t)LOCK_INIT;
    arena->slabs.empty_max = ARENA_KEPT / SPAN;
    slabs_fill(&arena->slabs, ARENA_AHEAD / SPAN);
    arena->next = arenas;
    arenas = arena;
    return arena;
}

/* NULL: no memory. `mine` is set before the key is, since that may allocate. */
static struct arena *arena_of_thread(void)
{
    if (mine != NULL)
        return mine;
    pthread_mutex_lock(&list_lock);
    if (!has_key)
        has_key = pthread_key_create(&key, hand_back) == 0;
    struct arena *arena = idle != NULL ? idle : arena_new();
    if (arena != NULL && arena == idle) {
        idle = arena->next_idle;
        arena->is_idle = false;
    }
    pthread_mutex_unlock(&list_lock);
    mine = arena;
    if (arena != NULL && has_key)
        pthread_setspecific(key, arena);
    return arena;
}

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    struct arena *arena = arena_of_thread();
    if (arena == NULL)
        return NULL;
    pthread_mutex_lock(&arena->lock);
    void *block = slabs_take(&arena->slabs, size, alignment, ret_clean_from);
    pthread_mutex_unlock(&arena->lock);
    return block;
}

static struct arena *arena_lock_of(const void *block)
{
    struct slabs *slabs = slabs_of(block);
    struct arena *arena = (struct arena *)((uintptr_t)slabs - offsetof(struct arena, slabs));
    pthread_mutex_lock(&arena->lock);
    return arena;
}

void sound_give(void *block)
{
    struct arena *arena = arena_lock_of(block);
    slabs_give(block);
    pthread_mutex_unlock(&arena->lock);
}

bool sound_resize(void *block, size_t size)
{
    struct arena *arena = arena_lock_of(block);
    bool stays = slabs_resize(block, size);
    pthread_mutex_unlock(&arena->lock);
    return stays;
}

size_t sound_capacity(const void *block)
{
    return slabs_capacity(block); /* of a live block nobody else changes it */
}

static void lock_all(void)
{
    pthread_mutex_lock(&list_lock);
    for (struct arena *arena = arenas; arena != NULL; arena = arena->next)
        pthread_mutex_lock(&arena->lock);
}

static void unlock_all(void)
{
    for (struct arena *arena = arenas; arena != NULL; arena = arena->next)
        pthread_mutex_unlock(&arena->lock);
    pthread_mutex_unlock(&list_lock);
}

/* The other threads are gone: their arenas are idle. */
static void reset_all(void)
{
    list_lock = (pthread_mutex_t)LOCK_INIT;
    idle = NULL;
    for (struct arena *arena = arenas; arena != NULL; arena = arena->next) {
        arena->lock = (pthread_mutex_t)LOCK_INIT;
        arena->is_idle = arena != mine && arena != &late;
        if (arena->is_idle) {
            arena->next_idle = idle;
            idle = arena;
        }
    }
}

const struct sound_rules sound_rules = {
    .lock_all = lock_all, .unlock_all = unlock_all, .reset_all = reset_all};
