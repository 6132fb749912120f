/* SPDX-License-Identifier: MIT */
/* Heaps that threads share badly. */
#include "mutants/conformance/mutant.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

static bool is_main_thread(void)
{
    static _Thread_local int answer; /* 0: not asked yet */
    if (answer == 0)
        answer = syscall(SYS_gettid) == getpid() ? 1 : 2;
    return answer == 1;
}

/* A cache of one block that nothing guards. */
static void *volatile cached;

static void *take_cached(size_t size)
{
    static volatile unsigned calls_made;
    void *block = cached;
    if (block == NULL || base_malloc_usable_size(block) < size)
        return base_malloc(size);
    if (++calls_made % 8 == 0)
        sched_yield();
    cached = NULL;
    return block;
}

static void keep_in_cache(void *block)
{
    if (block != NULL && cached == NULL && base_malloc_usable_size(block) >= 64)
        cached = block;
    else
        base_free(block);
}
MUTANT(thread_cache_without_a_lock, .malloc = take_cached, .free = keep_in_cache)

/* Some released regions are listed twice, and so handed out twice. */
static _Atomic(void *) listed[2];

static void *take_listed(size_t size)
{
    for (int i = 0; i < 2 && size == 64; i++) {
        void *block = atomic_exchange(&listed[i], NULL);
        if (block != NULL)
            return block;
    }
    return base_malloc(size);
}

static void list_twice(void *block)
{
    static atomic_uint calls_made;
    if (base_malloc_usable_size(block) != 64 || atomic_fetch_add(&calls_made, 1) % 256 != 255) {
        base_free(block);
        return;
    }
    atomic_store(&listed[0], block);
    atomic_store(&listed[1], block);
}
MUTANT(region_listed_twice, .malloc = take_listed, .free = list_twice)

/* Some blocks are handed out again before their release; only round sizes, so that little else
 * fails. */
static bool is_round(size_t size)
{
    return size % 20000 == 0 && size > 0;
}

static void *hand_out_twice(size_t size)
{
    enum { KEPT = 16, AGO = 12, EVERY = 8 };
    static void *volatile made[KEPT];
    static volatile unsigned calls_made;
    if (!is_round(size))
        return base_malloc(size);
    unsigned n = calls_made++;
    void *old = made[(n - AGO) % KEPT];
    made[n % KEPT] = NULL;
    if (n % EVERY == 0 && old != NULL && base_malloc_usable_size(old) >= size)
        return old;
    return made[n % KEPT] = base_malloc(size);
}

static void release_unless_round(void *block)
{
    size_t capacity = base_malloc_usable_size(block);
    if (capacity < 40000 || capacity > 120000)
        base_free(block);
}
MUTANT(region_given_out_before_its_release, .malloc = hand_out_twice, .free = release_unless_round)

/* Blocks of some pages go down with the thread that made them. */
enum { PAGED_SIZE = 8192, PAGED_MAX = 4096 };

static struct {
    void *block;
    long maker;
} paged[PAGED_MAX]; /* paged_lock */

static pthread_mutex_t paged_lock = PTHREAD_MUTEX_INITIALIZER;

/* Changes the first entry of a block to another; NULL: a free entry. */
static void change_paged(const void *from, void *to)
{
    pthread_mutex_lock(&paged_lock);
    size_t i = 0;
    while (i < PAGED_MAX && paged[i].block != from)
        i++;
    if (i < PAGED_MAX) {
        paged[i].block = to;
        paged[i].maker = syscall(SYS_gettid);
    }
    pthread_mutex_unlock(&paged_lock);
}

static void wipe_all(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&paged_lock);
    for (size_t i = 0; i < PAGED_MAX; i++)
        if (paged[i].block != NULL && paged[i].maker == syscall(SYS_gettid))
            memset(paged[i].block, 0, base_malloc_usable_size(paged[i].block));
    pthread_mutex_unlock(&paged_lock);
}

static pthread_key_t end_of_thread;

static void make_key(void)
{
    pthread_key_create(&end_of_thread, wipe_all);
}

static void *note_maker(size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    void *block = base_malloc(size);
    if (block == NULL || size < PAGED_SIZE || is_main_thread())
        return block;
    pthread_once(&once, make_key);
    pthread_setspecific(end_of_thread, paged);
    change_paged(NULL, block);
    return block;
}

static void forget_maker(void *block)
{
    if (block != NULL && base_malloc_usable_size(block) >= PAGED_SIZE)
        change_paged(block, NULL);
    base_free(block);
}

static void *resize_and_forget_maker(void *block, size_t size)
{
    if (block != NULL && base_malloc_usable_size(block) >= PAGED_SIZE)
        change_paged(block, NULL);
    return base_realloc(block, size);
}
MUTANT(blocks_end_with_their_thread, .malloc = note_maker, .free = forget_maker,
       .realloc = resize_and_forget_maker)

/* The size of a block is found in its maker's tables alone, and another thread copies nothing. */
static void *copy_for_the_maker_only(void *block, size_t size)
{
    if (block == NULL || is_main_thread())
        return base_realloc(block, size);
    base_free(block);
    return base_malloc(size);
}
MUTANT(realloc_copies_in_one_thread_only, .realloc = copy_for_the_maker_only)

/* After its own destructor ran, the cache of a thread gives nothing. */
static _Thread_local bool is_thread_over;

static pthread_key_t thread_cache;

static void end_cache(void *unused)
{
    (void)unused;
    is_thread_over = true;
}

static void make_cache_key(void)
{
    pthread_key_create(&thread_cache, end_cache);
}

static void *take_from_cache_of_thread(size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_cache_key);
    if (is_thread_over)
        return NULL;
    pthread_setspecific(thread_cache, &is_thread_over);
    return base_malloc(size);
}
MUTANT(thread_cache_ends_too_early, .malloc = take_from_cache_of_thread)

/* More memory is asked for by a call that is a cancellation point. */
static void *take_by_cancellation_point(size_t size)
{
    if (size > 16384)
        pthread_testcancel();
    return base_malloc(size);
}
MUTANT(malloc_is_a_cancellation_point, .malloc = take_by_cancellation_point)
