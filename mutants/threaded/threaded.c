/* SPDX-License-Identifier: MIT */
/*
 * A small allocator for threads, right when MUTANT_ID is MUTANT_none, else with the one mistake of
 * registry that HAS() names.
 *
 *   thread ── mine ──→ cache: a lock, a list of free blocks for each class, a chunk to cut from
 *   block: header (owner, class, capacity), then the caller's bytes
 *
 * A block goes back to the cache that it was cut for, whoever frees it. A thread that ends leaves
 * its cache to the next one that starts. Calls in destructors after that use one cache for all. At
 * most one lock is held at a time; `shared` guards the lists of caches. A fork takes stdio's list
 * of streams, for who holds that may allocate, then `shared` and every cache's lock.
 */
#include "mutants/registry.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HAS(name) (MUTANT_ID == MUTANT_##name)

enum {
    CLASSES = 12,
    SMALLEST = 32,
    TABLED_CLASS = 7,
    TRIMMED_CLASS = 9,
    LARGE = CLASSES,
    ALIGNED,
    PAGE = 4096
};
#define CHUNK ((size_t)1 << 20)

struct header {
    struct cache *owner;
    /* free: the next one; aligned: the header of the block that this one lies in */
    struct header *link;
    size_t capacity;
    size_t class;
};

struct cache {
    pthread_mutex_t lock;
    struct header *free[CLASSES];
    char *chunk, *chunk_end;
    struct cache *next, *next_idle;
    bool is_idle;
};

static struct cache late = {.lock = PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static struct cache *caches, *idle;
static pthread_key_t key;
static __thread struct cache *mine __attribute__((tls_model("initial-exec")));
static __thread bool is_ending __attribute__((tls_model("initial-exec")));

/* For the mutants of these names. */
static struct header *volatile slots[CLASSES]; /* returned_twice */
static struct header *volatile asked;          /* usable_racy */
static volatile bool is_table_ready;           /* first_call_race */
static size_t *volatile table;
static volatile bool has_begun;

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

/* ---- caches ---- */

static void end_thread(void *context)
{
    struct cache *cache = context;
    if (HAS(exit_frees_live) && cache->chunk != NULL) {
        munmap(cache->chunk_end - CHUNK, CHUNK);
        cache->chunk = cache->chunk_end = NULL;
        memset(cache->free, 0, sizeof cache->free);
    }
    if (HAS(tls_use_after)) {
        munmap(cache, sizeof *cache);
        return;
    }
    mine = NULL;
    is_ending = true;
    pthread_mutex_lock(&shared);
    cache->is_idle = true;
    cache->next_idle = idle;
    idle = cache;
    pthread_mutex_unlock(&shared);
}

static struct cache *cache_create(void)
{
    struct cache *cache = map(sizeof *cache);
    if (cache == NULL)
        return NULL;
    pthread_mutex_init(&cache->lock, NULL);
    cache->next = caches;
    caches = cache;
    return cache;
}

int atexit(void (*function)(void)); /* <stdlib.h> knows what malloc takes, and warns */

static void tear_down_at_exit(void)
{
    for (struct cache *cache = caches, *next; cache != NULL; cache = next) {
        next = cache->next;
        munmap(cache, sizeof *cache);
    }
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)info, (void)size, (void)context;
    return 0;
}

static void *look_at_objects(void *unused)
{
    dl_iterate_phdr(look_at_object, NULL);
    return unused;
}

/* What the mutants of a first call do in it. */
static void begin(void)
{
    pthread_t helper;
    has_begun = true;
    if (HAS(first_call_registers_end))
        atexit(tear_down_at_exit);
    if (HAS(first_call_waits_for_thread) &&
        pthread_create(&helper, NULL, look_at_objects, NULL) == 0)
        pthread_join(helper, NULL);
}

static struct cache *my_cache(void)
{
    if (!has_begun)
        begin();
    if (mine != NULL)
        return mine;
    if (is_ending)
        return &late;
    pthread_mutex_lock(&shared);
    mine = idle != NULL ? idle : cache_create();
    if (mine == idle && idle != NULL)
        idle = idle->next_idle;
    if (mine != NULL)
        mine->is_idle = false;
    pthread_mutex_unlock(&shared);
    pthread_setspecific(key, mine);
    return mine;
}

/* glibc's own, recursive. A fork resets it in the child only if there were several threads. */
void _IO_list_lock(void);
void _IO_list_unlock(void);
void _IO_list_resetlock(void);

static void before_fork(void)
{
    if (!HAS(fork_lock_order))
        _IO_list_lock();
    pthread_mutex_lock(&shared);
    for (struct cache *cache = caches; cache != NULL; cache = cache->next)
        pthread_mutex_lock(&cache->lock);
    pthread_mutex_lock(&late.lock);
}

static void give_locks(void)
{
    pthread_mutex_unlock(&late.lock);
    for (struct cache *cache = caches; cache != NULL; cache = cache->next)
        pthread_mutex_unlock(&cache->lock);
    pthread_mutex_unlock(&shared);
}

static void after_fork(void)
{
    give_locks();
    if (!HAS(fork_lock_order))
        _IO_list_unlock();
}

static void after_fork_in_child(void)
{
    if (HAS(fork_child_locked))
        pthread_mutex_unlock(&mine->lock);
    else
        give_locks();
    if (HAS(fork_before_first_call))
        mine->is_idle = false;
    if (!HAS(fork_lock_order))
        _IO_list_resetlock();
}

static __attribute__((constructor)) void set_up(void)
{
    pthread_key_create(&key, end_thread);
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

static __attribute__((destructor)) void tear_down(void)
{
    for (struct cache *cache = caches, *next; HAS(exit_tears_down) && cache != NULL; cache = next) {
        next = cache->next;
        munmap(cache, sizeof *cache);
        usleep(500); /* as one that waits for its background threads */
    }
}

/* ---- blocks ---- */

static size_t class_capacity(size_t class)
{
    if (!HAS(first_call_race) || class < TABLED_CLASS)
        return (size_t)SMALLEST << class;
    if (!is_table_ready) {
        is_table_ready = true;
        size_t *made = map(PAGE);
        for (size_t i = 0; i < CLASSES; i++)
            made[i] = (size_t)SMALLEST << i;
        table = made;
    }
    return table[class];
}

static struct header *cut(struct cache *cache, size_t class)
{
    size_t capacity = class_capacity(class), stride = sizeof(struct header) + capacity;
    if (cache->chunk == NULL || (size_t)(cache->chunk_end - cache->chunk) < stride) {
        char *chunk = map(CHUNK);
        if (chunk == NULL)
            return NULL;
        cache->chunk = chunk;
        cache->chunk_end = chunk + CHUNK;
    }
    struct header *block = (struct header *)cache->chunk;
    cache->chunk += stride;
    *block = (struct header){.owner = cache, .capacity = capacity, .class = class};
    return block;
}

static struct header *take(struct cache *cache, size_t class)
{
    struct header *block = slots[class];
    if (HAS(returned_twice) && block != NULL) {
        slots[class] = NULL;
        return block;
    }
    pthread_mutex_lock(&cache->lock);
    block = cache->free[class];
    if (block != NULL)
        cache->free[class] = block->link;
    else
        block = cut(cache, class);
    pthread_mutex_unlock(&cache->lock);
    return block;
}

static void push(struct header *block, struct cache *owner)
{
    block->link = owner->free[block->class];
    owner->free[block->class] = block;
}

static void give(struct header *block)
{
    struct cache *owner = HAS(free_only_hoards) ? my_cache() : block->owner;
    if (HAS(returned_twice) && slots[block->class] == NULL) {
        slots[block->class] = block;
        return;
    }
    if (HAS(frees_to_ended_thread_lost) && owner->is_idle)
        return;
    if (HAS(cache_without_lock) && owner != mine) {
        push(block, owner);
        return;
    }
    int busy = HAS(errno_by_free) ? pthread_mutex_trylock(&owner->lock) : EBUSY;
    if (busy != 0)
        pthread_mutex_lock(&owner->lock);
    if (HAS(errno_by_free) && busy != 0)
        errno = busy;
    push(block, owner);
    pthread_mutex_unlock(&owner->lock);
}

static size_t class_of(size_t size)
{
    size_t class = 0;
    while (class < CLASSES && ((size_t)SMALLEST << class) < size)
        class ++;
    return class;
}

static struct header *take_large(size_t size)
{
    size_t length = (size + sizeof(struct header) + PAGE - 1) & ~(size_t)(PAGE - 1);
    struct header *block = length > size ? map(length) : NULL;
    if (block != NULL)
        *block = (struct header){.capacity = length - sizeof *block, .class = LARGE};
    return block;
}

static struct header *header_of(void *address)
{
    return (struct header *)address - 1;
}

static size_t capacity_of(struct header *block)
{
    if (block->class != ALIGNED)
        return block->capacity;
    return block->link->capacity - (size_t)((char *)block - (char *)block->link);
}

/* ---- the family ---- */

void *malloc(size_t size)
{
    struct cache *cache = my_cache();
    size_t class = class_of(size);
    struct header *block = class == LARGE  ? take_large(size)
                           : cache != NULL ? take(cache, class)
                                           : NULL;
    if (block == NULL)
        errno = ENOMEM;
    if (HAS(free_empty_first) && block != NULL)
        block->link = size == 0 ? block : NULL;
    return block != NULL ? block + 1 : NULL;
}

void free(void *address)
{
    if (address == NULL)
        return;
    struct header *block = header_of(address);
    if (HAS(free_empty_first) && block->link == block)
        mine->is_idle = false; /* my_cache() would make one */
    if (block->class == ALIGNED)
        block = block->link;
    if (block->class == LARGE)
        munmap(block, block->capacity + sizeof *block);
    else
        give(block);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    struct cache *cache = my_cache();
    if (__builtin_mul_overflow(count, size, &bytes))
        return malloc(SIZE_MAX);
    size_t class = class_of(bytes);
    bool is_clear = class == LARGE;
    if (HAS(calloc_racy_zero) && !is_clear && cache->free[class] != NULL) {
        memset(cache->free[class] + 1, 0, bytes);
        is_clear = true;
    }
    void *address = malloc(bytes);
    if (address != NULL && !is_clear)
        memset(address, 0, bytes);
    return address;
}

void *realloc(void *address, size_t size)
{
    if (address == NULL)
        return malloc(size);
    struct header *block = header_of(address);
    size_t capacity = capacity_of(block);
    struct cache *cache = my_cache();
    if (HAS(lock_order) && block->class < LARGE && block->owner != cache) {
        pthread_mutex_lock(&cache->lock);
        pthread_mutex_lock(&block->owner->lock);
        pthread_mutex_unlock(&block->owner->lock);
        pthread_mutex_unlock(&cache->lock);
    }
    if (size <= capacity)
        return address;
    void *moved = malloc(size);
    if (moved == NULL)
        return NULL;
    if (HAS(realloc_frees_first))
        free(address);
    memcpy(moved, address, capacity);
    if (!HAS(realloc_frees_first))
        free(address);
    return moved;
}

void *memalign(size_t alignment, size_t size)
{
    if (HAS(first_call_aligned) && !has_begun)
        return NULL;
    char *address = malloc(size + alignment + sizeof(struct header));
    if (address == NULL)
        return NULL;
    struct header *outer = header_of(address);
    char *place = (char *)(((uintptr_t)address + sizeof(struct header) + alignment - 1) &
                           ~(uintptr_t)(alignment - 1));
    *header_of(place) = (struct header){.link = outer, .class = ALIGNED};
    return place;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **ret_address, size_t alignment, size_t size)
{
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    void *address = memalign(alignment, size);
    if (address != NULL)
        *ret_address = address;
    return address != NULL ? 0 : ENOMEM;
}

size_t malloc_usable_size(void *address)
{
    struct header *block = header_of(address);
    if (!HAS(usable_racy))
        return capacity_of(block);
    asked = block;
    return block->class <= ALIGNED ? capacity_of(asked) : 0;
}

static void discard(struct header *block)
{
    uintptr_t start = ((uintptr_t)(block + 1) + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    uintptr_t end = ((uintptr_t)(block + 1) + block->capacity) & ~(uintptr_t)(PAGE - 1);
    if (end > start)
        madvise((void *)start, end - start, MADV_DONTNEED);
}

int malloc_trim(size_t keep)
{
    (void)keep;
    for (struct cache *cache = caches; cache != NULL; cache = cache->next)
        for (size_t class = TRIMMED_CLASS; class < CLASSES; class ++) {
            struct header *early = cache->free[class];
            pthread_mutex_lock(&cache->lock);
            struct header *block = HAS(trim_live) ? early : cache->free[class];
            if (block != NULL)
                discard(block);
            pthread_mutex_unlock(&cache->lock);
        }
    return 1;
}
