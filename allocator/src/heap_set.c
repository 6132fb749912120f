/* SPDX-License-Identifier: MIT */
/*
 * All heaps of the process: the default one, those that programs create, and what fork does with
 * them.
 *
 * Each heap has a number, by which the pagemap names its owner. The number is freed only after the
 * heap has cleared its entries: a new heap of that number would take what is left of them for its
 * own, and coalesce with the dying heap.
 *
 * Lock order: the registry's lock, the list of caches, then heaps by rising number, then the
 * program break. Only create, destroy, the first use of the default heap, and fork take the
 * registry's lock; a thread that holds a heap's lock takes no other heap's.
 *
 * fork: the prepare handler takes every lock, so that the child inherits whole heaps; parent and
 * child release them. A heap is destroyed under its locks for the same reason. Before all locks the
 * handler takes glibc's list of streams, which fork itself takes after the handlers: a thread that
 * holds it, as fflush(NULL) does, may allocate. A process with one thread takes nothing, so that it
 * may even fork in a signal handler that interrupted malloc. The handlers are registered by a
 * constructor, never inside malloc; a fork before that finds one thread.
 */
#include "heap_set.h"

#include "cache.h"
#include "options.h"
#include "text.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAPS_MAX = 4096 };
_Static_assert(HEAPS_MAX - 1 <= PAGEMAP_OWNER_MAX, "every heap needs a number in the pagemap");

/* What a process with the default heap alone uses comes first, and is side by side in one page. */
static struct {
    struct sync_lock lock;
    unsigned next_id;          /* where the search for a free one starts */
    struct sync_pointer ready; /* the default heap, once it may be used */
    bool fork_is_alone;        /* the fork under way found one thread, and took no lock */
    struct anvil_heap default_heap;
    struct anvil_heap *others[HEAPS_MAX]; /* by number */
} registry;

/* Returns 0 if all numbers are in use. */
static unsigned id_alloc(struct anvil_heap *heap)
{
    unsigned id = 0;
    sync_lock_acquire(&registry.lock);
    for (unsigned tried = 0; tried < HEAPS_MAX && id == 0; tried++) {
        unsigned candidate = registry.next_id++ % HEAPS_MAX;
        if (candidate > PAGEMAP_OWNER_DEFAULT && registry.others[candidate] == NULL)
            id = candidate;
    }
    if (id != 0)
        registry.others[id] = heap;
    sync_lock_release(&registry.lock);
    return id;
}

static void id_free(unsigned id)
{
    sync_lock_acquire(&registry.lock);
    ASSERT(id > PAGEMAP_OWNER_DEFAULT && id < HEAPS_MAX && registry.others[id] != NULL);
    registry.others[id] = NULL;
    sync_lock_release(&registry.lock);
}

static void init_source(struct pages *pages, const struct anvil_options *options)
{
    if (options->source == ANVIL_SOURCE_ARENA)
        pages_init_arena(pages, options->arena, options->arena_size, options->arena_discard);
    else if (options->source == ANVIL_SOURCE_SBRK)
        pages_init_sbrk(pages);
    else
        pages_init_mmap(pages);
}

int anvil_heap_create(anvil_heap **ret_heap, const struct anvil_options *options)
{
    struct anvil_options filled = options == NULL ? (struct anvil_options){0} : *options;
    if (!options_complete(&filled))
        return EINVAL;
    struct pages pages;
    init_source(&pages, &filled);
    if (filled.source == ANVIL_SOURCE_ARENA &&
        pagemap_reserve(&pages, filled.arena, filled.arena_size) != 0)
        return ENOMEM;
    size_t length = size_round_up(sizeof(struct anvil_heap), PAGE_BYTES);
    char *start;
    if (pages_map_guarded(&pages, length, &start) != 0)
        return ENOMEM;
    struct anvil_heap *heap = (struct anvil_heap *)start;
    if (filled.unlocked) /* first: a registered heap's locks are taken by fork */
        heap_turn_locks_off(heap);
    unsigned id = id_alloc(heap);
    if (id == 0) {
        (void)pages_release_guarded(&pages, start, length, 0);
        return ENOMEM;
    }
    heap_init(heap, id, &filled, &pages, length);
    *ret_heap = heap;
    return 0;
}

void anvil_heap_destroy(anvil_heap *heap)
{
    if (heap == NULL)
        return;
    heap_lock(heap);
    heap_destroy(heap);
    heap_unlock(heap);
    id_free(heap->id);
    struct pages pages = heap->fresh_pages;
    size_t own_length = heap->own_length;
    if (!pages.ops->is_system)
        memset(heap, 0, sizeof *heap);
    (void)pages_release_guarded(&pages, (char *)heap, own_length, 0);
}

static void heap_start_over(struct anvil_heap *heap)
{
    struct anvil_options options = heap->options;
    struct pages pages = heap->fresh_pages;
    if (heap == &registry.default_heap)
        cache_forget_all();
    heap_destroy(heap);
    heap_init(heap, heap->id, &options, &pages, heap->own_length);
}

void anvil_heap_reset(anvil_heap *heap)
{
    if (heap == NULL)
        heap = heap_default();
    heap_lock(heap);
    heap_start_over(heap);
    heap_unlock(heap);
}

/* One line for each item of ANVIL_OPTIONS that is not understood; the others hold. */
static void apply_environment(struct anvil_options *options)
{
    const char *rest = secure_getenv("ANVIL_OPTIONS");
    while (rest != NULL && *rest != '\0') {
        char error[440], line_buffer[480];
        if (options_parse_item(&rest, options, error, sizeof error) == 0)
            continue;
        struct text line = text_start(line_buffer, sizeof line_buffer);
        text_add(&line, "anvil: ANVIL_OPTIONS: %s; ignored\n", error);
        text_write(&line, STDERR_FILENO);
    }
}

static __attribute__((noinline)) struct anvil_heap *default_start(void)
{
    sync_lock_acquire(&registry.lock);
    if (sync_read(&registry.ready) == NULL) {
        struct anvil_options options = {0};
        struct pages pages;
        apply_environment(&options);
        (void)options_complete(&options);
        init_source(&pages, &options);
        heap_init(&registry.default_heap, PAGEMAP_OWNER_DEFAULT, &options, &pages, 0);
        sync_publish(&registry.ready, &registry.default_heap);
    }
    sync_lock_release(&registry.lock);
    return &registry.default_heap;
}

struct anvil_heap *heap_default(void)
{
    struct anvil_heap *heap = sync_read(&registry.ready);
    return LIKELY(heap != NULL) ? heap : default_start();
}

void heap_default_reset(void)
{
    if (sync_read(&registry.ready) == NULL)
        return;
    cache_leave();
    heap_lock(&registry.default_heap);
    cache_forget_all();
    heap_destroy(&registry.default_heap);
    sync_publish(&registry.ready, NULL);
    heap_unlock(&registry.default_heap);
}

/* glibc's, recursive; other libcs have no such names. */
void __attribute__((weak)) _IO_list_lock(void);
void __attribute__((weak)) _IO_list_unlock(void);
void __attribute__((weak)) _IO_list_resetlock(void);

static void fork_acquire(struct sync_lock *lock)
{
    sync_lock_acquire(lock);
    sync_fork_begin(lock);
}

/* Of all heaps, by rising number. */
static COLD void for_each_heap_lock(void (*act)(struct sync_lock *lock))
{
    for (unsigned id = PAGEMAP_OWNER_DEFAULT; id < HEAPS_MAX; id++) {
        bool is_default = id == PAGEMAP_OWNER_DEFAULT;
        struct anvil_heap *heap = is_default ? sync_read(&registry.ready) : registry.others[id];
        if (heap != NULL)
            heap_for_each_lock(heap, act);
    }
}

static COLD void fork_prepare(void)
{
    if (sync_is_single_threaded()) {
        registry.fork_is_alone = true;
        return;
    }
    if (_IO_list_lock != NULL)
        _IO_list_lock();
    sync_lock_acquire(&registry.lock);
    registry.fork_is_alone = false;
    sync_fork_enter();
    fork_acquire(&cache_list_lock);
    for_each_heap_lock(fork_acquire);
    pages_sbrk_fork_begin();
    sync_fork_begin(&registry.lock);
}

static COLD void fork_done(void (*release_streams)(void))
{
    pages_sbrk_fork_end();
    for_each_heap_lock(sync_fork_end);
    sync_fork_end(&cache_list_lock);
    sync_fork_leave();
    sync_fork_end(&registry.lock);
    if (release_streams != NULL)
        release_streams();
}

static void fork_parent(void)
{
    if (!registry.fork_is_alone)
        fork_done(_IO_list_unlock);
}

/* glibc's fork has just reset the list's lock here, if it knew of threads. */
static void fork_child(void)
{
    if (!registry.fork_is_alone)
        fork_done(_IO_list_resetlock);
}

/* As early as can be: handlers of fork registered first are prepared last, when no other handler is
 * left to wait for a thread that waits for a lock of this one. The drop-in is linked so that its
 * constructors come before those of all other objects; a program that links the library statically
 * has the order of its own objects. */
__attribute__((constructor)) static void start(void)
{
    (void)pthread_atfork(fork_prepare, fork_parent, fork_child);
    cache_start();
}
