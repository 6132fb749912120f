/* SPDX-License-Identifier: MIT */
/*
 * What C and POSIX say about malloc: zero sizes, overflow, alignment, realloc, and errno, which no
 * other file touches. Each public function comes in two forms, with a heap and for the default
 * heap; the latter is the former with NULL, but for malloc and free, which try the thread's cache
 * first.
 *
 * The straight paths (malloc.h) take no lock and make no call.
 *
 * No lock is held while memory is cleared or copied, nor in a panic about misuse. From the moment
 * when a block is found until it is freed, it belongs to its caller alone.
 *
 * errno: everything that frees restores it. What allocates sets ENOMEM or EINVAL on failure; on
 * success it is left alone, though system calls that failed on the way would have changed it, so it
 * is restored there too.
 */
#include "malloc.h"

#include "harden.h"
#include "heap_set.h"

#include <errno.h>
#include <string.h>

struct anvil_heap *malloc_heap_or_default(struct anvil_heap *heap)
{
    return LIKELY(heap != NULL) ? heap : heap_default();
}

/* ---- small blocks of the default heap ---- */

/* A block of the class from the thread's cache or, through it, from the slabs. Returns false for
 * ENOMEM. */
static bool take_cached(unsigned class_index, struct slab_entry *ret_entry)
{
    struct anvil_heap *heap = heap_default();
    if (cache_pop(size_class_usable(class_index), ret_entry) ||
        cache_refill(heap, class_index, ret_entry) == 0)
        return true;
    return cache_flush() && cache_refill(heap, class_index, ret_entry) == 0;
}

/* NULL unless the heap has much memory in free blocks that are too small, and none as large as this
 * one. */
static char *take_span(unsigned class_index, size_t size)
{
    struct slabs *slabs = &heap_default()->slabs;
    bool has_room = !slabs_want_spans(slabs) || cache_has(size_class_usable(class_index));
    return LIKELY(has_room) ? NULL : slabs_take_span(slabs, class_index, size);
}

static void *allocate_cached(size_t size, size_t alignment, unsigned code, bool is_cleared)
{
    struct slab_entry entry;
    unsigned class_index = size_class_of_aligned(size, alignment);
    char *span = code == 0 ? take_span(class_index, size) : NULL;
    if (UNLIKELY(span != NULL))
        return is_cleared ? memset(span, 0, size) : span;
    if (UNLIKELY(!take_cached(class_index, &entry)))
        return NULL;
    bool is_zero = (sync_tag_read(entry.tag) & SLAB_TAG_ZERO) != 0;
    sync_tag_write(entry.tag, slab_tag_live(size, code));
    if (is_cleared && !is_zero)
        memset(entry.block, 0, size);
    return entry.block;
}

/* ---- large blocks of the default heap ---- */

/* A cached extent for a block that slabs do not serve, made live. Returns NULL if there is none. */
static inline struct extent *take_run(size_t size, unsigned code)
{
    size_t pages = pages_for_size(size);
    struct extent *extent = NULL;
    if (LIKELY(run_class_serves(pages)))
        extent = cache_pop_run(run_class_of(pages));
    else if (pages > RUN_PAGES_MAX)
        extent = cache_pop_mapping(pages);
    if (UNLIKELY(extent == NULL))
        return NULL;
    extent->request_code = (uint8_t)code;
    extent_set_size(extent, size);
    return extent;
}

static void *allocate_run(size_t size, unsigned code, bool is_cleared)
{
    struct extent *extent = take_run(size, code);
    if (extent == NULL) {
        if (run_class_serves(pages_for_size(size)))
            cache_miss_run(run_class_of(pages_for_size(size)));
        return NULL;
    }
    if (is_cleared)
        memset(extent->start, 0, size);
    return extent->start;
}

/* ---- all blocks ---- */

static void *allocate_from(struct anvil_heap *heap, size_t size, size_t alignment, unsigned code,
                           bool is_cleared)
{
    struct heap_fresh fresh;
    bool is_default = heap == NULL;
    heap = malloc_heap_or_default(heap);
    if (heap_alloc(heap, size, alignment, code, &fresh) != 0 &&
        !(is_default && cache_flush() && heap_alloc(heap, size, alignment, code, &fresh) == 0))
        return NULL;
    if (is_cleared)
        memset(fresh.start, 0, size_min(fresh.dirty, size));
    return fresh.start;
}

static void *allocate_hardened(struct anvil_heap *heap, size_t size, size_t alignment,
                               unsigned code, bool is_cleared)
{
    char *start;
    return harden_alloc(heap, size, alignment, code, is_cleared, &start) == 0 ? start : NULL;
}

/* Every allocation but the straight path of malloc ends here. */
void *malloc_allocate(struct anvil_heap *heap, size_t size, size_t alignment, unsigned code,
                      bool is_cleared)
{
    int *const errno_place = &errno; /* looked up once: it is a call */
    int saved = *errno_place;
    void *block = NULL;
    struct anvil_heap *owner = malloc_heap_or_default(heap);
    if (UNLIKELY(harden_is_on(owner))) {
        block = allocate_hardened(owner, size, alignment, code, is_cleared);
    } else if (heap == NULL && heap_serves_small(owner, size, alignment)) {
        block = allocate_cached(size, alignment, code, is_cleared);
    } else {
        if (heap == NULL && alignment <= PAGE_BYTES)
            block = allocate_run(size, code, is_cleared);
        if (block == NULL)
            block = allocate_from(heap, size, alignment, code, is_cleared);
    }
    *errno_place = saved;
    return block;
}

COLD void *malloc_fail(int error)
{
    errno = error;
    return NULL;
}

void *malloc_allocate_or_fail(struct anvil_heap *heap, size_t size, size_t alignment, unsigned code,
                              bool is_cleared)
{
    void *block = UNLIKELY(size > SIZE_LIMIT)
                      ? NULL
                      : malloc_allocate(heap, size, alignment, code, is_cleared);
    return LIKELY(block != NULL) ? block : malloc_fail(ENOMEM);
}

void *anvil_heap_malloc(anvil_heap *heap, size_t size)
{
    return malloc_allocate_or_fail(heap, size, BLOCK_ALIGNMENT, 0, false);
}

void *anvil_heap_calloc(anvil_heap *heap, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return malloc_fail(ENOMEM);
    return malloc_allocate_or_fail(heap, total, BLOCK_ALIGNMENT, 0, true);
}

/* ---- free ---- */

static COLD _Noreturn void panic_not_found(struct anvil_heap *heap, const void *pointer,
                                           const char *function, bool is_free)
{
    struct fault fault = heap_diagnose(heap, pointer);
    if (!is_free && fault.kind == FAULT_DOUBLE_FREE)
        fault.kind = FAULT_USE_AFTER_FREE;
    if (!is_free && fault.kind == FAULT_DOUBLE_FREE_GONE)
        fault.kind = FAULT_USE_AFTER_FREE_GONE;
    panic_fault(function, pointer, &fault);
}

void malloc_find_or_panic(struct anvil_heap *heap, const void *pointer, const char *function,
                          bool is_free, struct heap_block *ret_block)
{
    if (UNLIKELY(!heap_find(heap, pointer, ret_block)))
        panic_not_found(heap, pointer, function, is_free);
}

void malloc_release_found(struct anvil_heap *heap, const struct heap_block *block,
                          const char *function)
{
    int *const errno_place = &errno;
    int saved = *errno_place;
    if (UNLIKELY(harden_is_on(heap))) {
        if (!harden_free(heap, block, function))
            panic_not_found(heap, block->start, function, true);
    } else if (block->slab != NULL && block->span_blocks == 0 && heap == heap_default()) {
        sync_tag_write(block->tag, SLAB_TAG_TAKEN);
        if (!cache_push(block->slab, block->start, block->tag))
            cache_spill(heap, block->slab, block->start, block->tag);
    } else if (block->slab == NULL && heap == heap_default() &&
               (cache_push_run(block->extent) || cache_spill_run(heap, block->extent))) {
    } else if (UNLIKELY(!heap_free(heap, block))) {
        panic_not_found(heap, block->start, function, true);
    }
    *errno_place = saved;
}

static void release(struct anvil_heap *heap, void *pointer, const char *function)
{
    struct heap_block block;
    heap = malloc_heap_or_default(heap);
    malloc_find_or_panic(heap, pointer, function, true, &block);
    malloc_release_found(heap, &block, function);
}

void anvil_heap_free(anvil_heap *heap, void *pointer)
{
    if (pointer != NULL)
        release(heap, pointer, "free");
}

/* ---- realloc ---- */

/* Resizes in place, or by moving a mapping. Returns NULL if the content must be copied. */
static char *resize(struct anvil_heap *heap, const struct heap_block *block, size_t size,
                    bool must_stay)
{
    char *start;
    int saved = errno;
    enum heap_resized result = UNLIKELY(harden_is_on(heap))
                                   ? harden_resize(heap, block, size, must_stay, &start)
                                   : heap_resize(heap, block, size, must_stay, &start);
    errno = saved;
    return result == HEAP_RESIZED ? start : NULL;
}

/* Frees what was copied. A large block does not go to the thread's cache: a buffer that grows
 * leaves ever longer blocks behind, none of which it needs again, and free ones make room for it to
 * grow in place. */
static void release_moved(struct anvil_heap *heap, const struct heap_block *old, void *pointer)
{
    int saved = errno;
    if (harden_is_on(heap) || old->slab != NULL)
        release(heap, pointer, "realloc");
    else if (UNLIKELY(!heap_free(heap, old)))
        panic_not_found(heap, pointer, "realloc", true);
    errno = saved;
}

void *anvil_heap_realloc(anvil_heap *heap, void *pointer, size_t size)
{
    if (pointer == NULL)
        return anvil_heap_malloc(heap, size);
    if (size == 0) {
        release(heap, pointer, "realloc");
        return malloc_fail(
            EINVAL); /* POSIX.1-2024: a null pointer for no bytes comes with EINVAL */
    }
    struct heap_block old;
    struct anvil_heap *owner = malloc_heap_or_default(heap);
    malloc_find_or_panic(owner, pointer, "realloc", false, &old);
    if (UNLIKELY(harden_is_on(owner)))
        harden_verify(owner, &old, "realloc");
    if (size > SIZE_LIMIT)
        return malloc_fail(ENOMEM);
    char *start = resize(owner, &old, size, false);
    if (start != NULL)
        return start;
    void *block = malloc_allocate(heap, size, BLOCK_ALIGNMENT, 0, false);
    if (block == NULL) {
        start = size <= old.capacity ? resize(owner, &old, size, true) : NULL;
        return start != NULL ? start : malloc_fail(ENOMEM);
    }
    memcpy(block, pointer, size_min(harden_usable(owner, &old), size));
    release_moved(owner, &old, pointer);
    return block;
}

void *anvil_heap_reallocarray(anvil_heap *heap, void *pointer, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return malloc_fail(ENOMEM);
    return anvil_heap_realloc(heap, pointer, total);
}

/* ---- the rest ---- */

size_t anvil_heap_malloc_usable_size(anvil_heap *heap, void *pointer)
{
    struct heap_block block;
    if (pointer == NULL)
        return 0;
    heap = malloc_heap_or_default(heap);
    malloc_find_or_panic(heap, pointer, "malloc_usable_size", false, &block);
    return harden_usable(heap, &block);
}

int anvil_heap_malloc_trim(anvil_heap *heap, size_t keep)
{
    int saved = errno;
    if (heap == NULL)
        (void)cache_flush();
    heap = malloc_heap_or_default(heap);
    (void)harden_flush(heap);
    bool is_any = heap_trim(heap, keep);
    errno = saved;
    return is_any;
}

void anvil_heap_fail_os_call(anvil_heap *heap, unsigned nth)
{
    heap = malloc_heap_or_default(heap);
    sync_lock_acquire(&heap->lock);
    heap->pages.refuse_in = nth;
    sync_lock_release(&heap->lock);
}

/* ---- the default heap ---- */

void *malloc_slow(size_t size)
{
    struct extent *extent = take_run(size, 0);
    return LIKELY(extent != NULL) ? extent->start : anvil_heap_malloc(NULL, size);
}

void *anvil_malloc(size_t size)
{
    return malloc_straight(size);
}

/* From the thread's cache; NULL if it has no block of the size. */
static inline void *calloc_straight(size_t size)
{
    struct slab_entry entry;
    if (UNLIKELY(size > SIZE_CLASS_BYTES_MAX || !cache_pop(size, &entry)))
        return NULL;
    bool is_zero = (sync_tag_read(entry.tag) & SLAB_TAG_ZERO) != 0;
    sync_tag_write(entry.tag, slab_tag_live(size, 0));
    return is_zero ? entry.block : memset(entry.block, 0, size);
}

void *anvil_calloc(size_t count, size_t size)
{
    size_t total;
    void *block = __builtin_mul_overflow(count, size, &total) ? NULL : calloc_straight(total);
    return LIKELY(block != NULL) ? block : anvil_heap_calloc(NULL, count, size);
}

/* A small block that stays at least half full; not to size 0, which frees. */
static bool resize_small(struct slab *slab, const void *block, size_t size)
{
    struct sync_tag *tag = slab_tag_at(slab, block);
    if (tag == NULL || !slab_tag_is_live(sync_tag_read(tag)) || size - 1 >= slab->usable ||
        size * 2 < slab->usable)
        return false;
    sync_tag_write(tag, slab_tag_live(size, 0));
    return true;
}

/* A large block that stays in its run class. */
static bool resize_run(struct extent *extent, const void *block, size_t size)
{
    size_t pages = pages_for_size(size);
    if (extent == NULL || extent->start != block || extent_state(extent) != EXTENT_LARGE ||
        !run_class_serves(pages) || run_class_of(pages) != extent->run_class)
        return false;
    extent_set_size(extent, size);
    extent->request_code = 0;
    return true;
}

/* A small block that becomes another small one, for which the thread's cache has a place. Returns
 * NULL, with nothing done, if it is not so. */
static void *move_small(struct slab *slab, void *block, size_t size)
{
    struct sync_tag *tag = slab_tag_at(slab, block);
    if (tag == NULL || !slab_tag_is_live(sync_tag_read(tag)) || size - 1 >= SIZE_CLASS_BYTES_MAX)
        return NULL;
    const struct slab_entry *entry = cache_pop_live(size, slab_tag_live(size, 0));
    if (entry == NULL)
        return NULL;
    void *moved = memcpy(entry->block, block, size_min(slab->usable, size));
    free_small(slab, block);
    return moved;
}

static void *realloc_small(struct slab *slab, void *block, size_t size)
{
    return resize_small(slab, block, size) ? block : move_small(slab, block, size);
}

void *anvil_realloc(void *block, size_t size)
{
    void *result = NULL;
    if (block == NULL)
        return malloc_straight(size);
    pagemap_word word = cache_is_own() ? pagemap_get(block) : 0;
    if (word > 0)
        result = realloc_small((struct slab *)word, block, size);
    else if (resize_run(pagemap_extent_of(word, PAGEMAP_OWNER_DEFAULT), block, size))
        result = block;
    return LIKELY(result != NULL) ? result : anvil_heap_realloc(NULL, block, size);
}

void *anvil_reallocarray(void *block, size_t count, size_t size)
{
    return anvil_heap_reallocarray(NULL, block, count, size);
}

void free_slow(void *block)
{
    anvil_heap_free(NULL, block);
}

void free_large(void *block, pagemap_word word)
{
    if (word == 0)
        word = pagemap_get_cell(block);
    struct extent *extent = pagemap_extent_of(word, PAGEMAP_OWNER_DEFAULT);
    bool is_block =
        extent != NULL && extent->start == block &&
        (extent_state(extent) == EXTENT_LARGE || extent_state(extent) == EXTENT_MAPPING);
    if (UNLIKELY(!is_block || !cache_push_run(extent)))
        anvil_heap_free(NULL, block);
}

void free_beyond(void *block)
{
    pagemap_word word = pagemap_get(block);
    if (word > 0)
        free_small((struct slab *)word, block);
    else
        free_large(block, word);
}

void anvil_free(void *block)
{
    free_straight(block);
}

size_t anvil_malloc_usable_size(void *block)
{
    return anvil_heap_malloc_usable_size(NULL, block);
}

int anvil_malloc_trim(size_t keep)
{
    return anvil_heap_malloc_trim(NULL, keep);
}
