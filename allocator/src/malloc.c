/* SPDX-License-Identifier: MIT */
/*
 * What C and POSIX say about malloc: zero sizes, overflow, alignment, realloc, and errno, which no
 * other file touches. Each public function comes in two forms, with a heap and for the default heap
 * (malloc_default.c).
 *
 * Locking: one lock per heap, held while a block is found, allocated or freed; never while memory
 * is cleared or copied, and never in a panic about misuse. Between those steps a block belongs to
 * its caller alone.
 *
 * errno: everything that frees restores it. What allocates sets ENOMEM or EINVAL on failure; on
 * success it is left alone, though system calls that failed on the way would have changed it, so it
 * is restored there too.
 */
#include "heap_set.h"

#include <errno.h>
#include <string.h>

static struct anvil_heap *heap_or_default(struct anvil_heap *heap)
{
    return LIKELY(heap != NULL) ? heap : heap_default();
}

/* 1 + log2, what a block remembers of the alignment that it was asked for. */
static unsigned code_of_alignment(size_t alignment)
{
    return 1 + (unsigned)__builtin_ctzl(alignment);
}

static size_t alignment_of_code(unsigned code)
{
    ASSERT(code != 0);
    return (size_t)1 << (code - 1);
}

/* Every allocation ends here. code 0: no alignment was asked for. Returns NULL for ENOMEM; errno is
 * left as it was. */
static void *allocate(struct anvil_heap *heap, size_t size, size_t alignment, unsigned code,
                      bool is_cleared)
{
    struct heap_fresh fresh;
    int *const errno_place = &errno; /* looked up once: it is a call */
    int saved = *errno_place;
    heap = heap_or_default(heap);
    sync_lock_acquire(&heap->lock);
    int error = heap_alloc(heap, size, alignment, code, &fresh);
    sync_lock_release(&heap->lock);
    *errno_place = saved;
    if (UNLIKELY(error != 0))
        return NULL;
    if (is_cleared)
        memset(fresh.start, 0, size_min(fresh.dirty, size));
    return fresh.start;
}

static COLD void *fail(int error)
{
    errno = error;
    return NULL;
}

static void *allocate_or_fail(struct anvil_heap *heap, size_t size, size_t alignment, unsigned code,
                              bool is_cleared)
{
    void *block =
        UNLIKELY(size > SIZE_LIMIT) ? NULL : allocate(heap, size, alignment, code, is_cleared);
    return LIKELY(block != NULL) ? block : fail(ENOMEM);
}

void *anvil_heap_malloc(anvil_heap *heap, size_t size)
{
    return allocate_or_fail(heap, size, BLOCK_ALIGNMENT, 0, false);
}

void *anvil_heap_calloc(anvil_heap *heap, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return fail(ENOMEM);
    return allocate_or_fail(heap, total, BLOCK_ALIGNMENT, 0, true);
}

/* ---- alignment ---- */

static void *allocate_aligned(struct anvil_heap *heap, size_t alignment, size_t size)
{
    return allocate_or_fail(heap, size, size_max(alignment, BLOCK_ALIGNMENT),
                            code_of_alignment(alignment), false);
}

void *anvil_heap_aligned_alloc(anvil_heap *heap, size_t alignment, size_t size)
{
    return is_power_of_two(alignment) ? allocate_aligned(heap, alignment, size) : fail(EINVAL);
}

void *anvil_heap_memalign(anvil_heap *heap, size_t alignment, size_t size)
{
    return anvil_heap_aligned_alloc(heap, alignment, size);
}

int anvil_heap_posix_memalign(anvil_heap *heap, void **ret_block, size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment) || alignment < sizeof(void *))
        return EINVAL;
    if (size > SIZE_LIMIT)
        return ENOMEM;
    void *block = allocate(heap, size, size_max(alignment, BLOCK_ALIGNMENT),
                           code_of_alignment(alignment), false);
    if (block == NULL)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

void *anvil_heap_valloc(anvil_heap *heap, size_t size)
{
    return allocate_aligned(heap, PAGE_BYTES, size);
}

void *anvil_heap_pvalloc(anvil_heap *heap, size_t size)
{
    return size > SIZE_LIMIT
               ? fail(ENOMEM)
               : allocate_aligned(heap, PAGE_BYTES, size_round_up(size_max(size, 1), PAGE_BYTES));
}

/* ---- free ---- */

static COLD _Noreturn void panic_unlocked(struct anvil_heap *heap, const char *function,
                                          const void *pointer, struct fault fault)
{
    sync_lock_release(&heap->lock);
    panic_fault(function, pointer, &fault);
}

static COLD _Noreturn void panic_not_found(struct anvil_heap *heap, const void *pointer,
                                           const char *function, bool is_free)
{
    struct fault fault = heap_diagnose(heap, pointer);
    if (fault.kind == FAULT_DOUBLE_FREE && !is_free)
        fault.kind = FAULT_USE_AFTER_FREE;
    panic_unlocked(heap, function, pointer, fault);
}

/* The lock is held on return; a pointer that is no live block does not return. */
static void find_or_panic(struct anvil_heap *heap, const void *pointer, const char *function,
                          bool is_free, struct heap_block *ret_block)
{
    sync_lock_acquire(&heap->lock);
    if (UNLIKELY(!heap_find(heap, pointer, ret_block)))
        panic_not_found(heap, pointer, function, is_free);
}

static void release(struct anvil_heap *heap, void *pointer, const char *function)
{
    int *const errno_place = &errno;
    int saved = *errno_place;
    heap = heap_or_default(heap);
    struct heap_block block;
    find_or_panic(heap, pointer, function, true, &block);
    heap_free(heap, &block);
    sync_lock_release(&heap->lock);
    *errno_place = saved;
}

void anvil_heap_free(anvil_heap *heap, void *pointer)
{
    if (pointer != NULL)
        release(heap, pointer, "free");
}

static bool is_size_of(const struct heap_block *block, size_t size)
{
    return size == block->size || size == block->capacity;
}

void anvil_heap_free_sized(anvil_heap *heap, void *pointer, size_t size)
{
    if (pointer == NULL)
        return;
    int saved = errno;
    heap = heap_or_default(heap);
    struct heap_block block;
    find_or_panic(heap, pointer, "free_sized", true, &block);
    if (block.alignment_code != 0)
        panic_unlocked(heap, "free_sized", pointer,
                       (struct fault){.kind = FAULT_IS_ALIGNED_BLOCK,
                                      .size = alignment_of_code(block.alignment_code)});
    if (!is_size_of(&block, size))
        panic_unlocked(heap, "free_sized", pointer,
                       (struct fault){.kind = FAULT_WRONG_SIZE, .size = block.size, .given = size});
    heap_free(heap, &block);
    sync_lock_release(&heap->lock);
    errno = saved;
}

void anvil_heap_free_aligned_sized(anvil_heap *heap, void *pointer, size_t alignment, size_t size)
{
    static const char function[] = "free_aligned_sized";
    if (pointer == NULL)
        return;
    int saved = errno;
    heap = heap_or_default(heap);
    struct heap_block block;
    find_or_panic(heap, pointer, function, true, &block);
    if (block.alignment_code == 0)
        panic_unlocked(heap, function, pointer, (struct fault){.kind = FAULT_NOT_ALIGNED_BLOCK});
    size_t asked = alignment_of_code(block.alignment_code);
    if (asked != alignment)
        panic_unlocked(
            heap, function, pointer,
            (struct fault){.kind = FAULT_WRONG_ALIGNMENT, .size = asked, .given = alignment});
    if (!is_size_of(&block, size))
        panic_unlocked(heap, function, pointer,
                       (struct fault){.kind = FAULT_WRONG_SIZE, .size = block.size, .given = size});
    heap_free(heap, &block);
    sync_lock_release(&heap->lock);
    errno = saved;
}

/* ---- realloc ---- */

/* Resizes in place, or by moving a mapping. Returns NULL if the content must be copied; *ret_block
 * is the old block. */
static char *resize(struct anvil_heap *heap, void *pointer, size_t size, bool must_stay,
                    struct heap_block *ret_block)
{
    char *start = NULL;
    int saved = errno;
    find_or_panic(heap, pointer, "realloc", false, ret_block);
    if (size <= SIZE_LIMIT)
        (void)heap_resize(heap, ret_block, size, must_stay, &start);
    sync_lock_release(&heap->lock);
    errno = saved;
    return start;
}

void *anvil_heap_realloc(anvil_heap *heap, void *pointer, size_t size)
{
    if (pointer == NULL)
        return anvil_heap_malloc(heap, size);
    if (size == 0) {
        release(heap, pointer, "realloc");
        return fail(EINVAL); /* POSIX.1-2024: a null pointer for no bytes comes with EINVAL */
    }
    struct heap_block old;
    heap = heap_or_default(heap);
    char *start = resize(heap, pointer, size, false, &old);
    if (start != NULL)
        return start;
    void *block = size > SIZE_LIMIT ? NULL : allocate(heap, size, BLOCK_ALIGNMENT, 0, false);
    if (block == NULL) {
        start = size <= old.capacity ? resize(heap, pointer, size, true, &old) : NULL;
        return start != NULL ? start : fail(ENOMEM);
    }
    memcpy(block, pointer, size_min(old.capacity, size));
    release(heap, pointer, "realloc");
    return block;
}

void *anvil_heap_reallocarray(anvil_heap *heap, void *pointer, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return fail(ENOMEM);
    return anvil_heap_realloc(heap, pointer, total);
}

/* ---- the rest ---- */

size_t anvil_heap_malloc_usable_size(anvil_heap *heap, void *pointer)
{
    if (pointer == NULL)
        return 0;
    heap = heap_or_default(heap);
    sync_lock_acquire(&heap->lock);
    size_t capacity = heap_capacity_of(heap, pointer);
    if (UNLIKELY(capacity == 0))
        panic_not_found(heap, pointer, "malloc_usable_size", false);
    sync_lock_release(&heap->lock);
    return capacity;
}

int anvil_heap_malloc_trim(anvil_heap *heap, size_t keep)
{
    int saved = errno;
    heap = heap_or_default(heap);
    sync_lock_acquire(&heap->lock);
    bool is_any = heap_trim(heap, keep);
    sync_lock_release(&heap->lock);
    errno = saved;
    return is_any;
}

void anvil_heap_fail_os_call(anvil_heap *heap, unsigned nth)
{
    heap = heap_or_default(heap);
    sync_lock_acquire(&heap->lock);
    heap->pages.refuse_in = nth;
    sync_lock_release(&heap->lock);
}

/* ---- the default heap ---- */

void *anvil_malloc(size_t size)
{
    return anvil_heap_malloc(NULL, size);
}

void *anvil_calloc(size_t count, size_t size)
{
    return anvil_heap_calloc(NULL, count, size);
}

void *anvil_realloc(void *block, size_t size)
{
    return anvil_heap_realloc(NULL, block, size);
}

void *anvil_reallocarray(void *block, size_t count, size_t size)
{
    return anvil_heap_reallocarray(NULL, block, count, size);
}

void anvil_free(void *block)
{
    anvil_heap_free(NULL, block);
}

void anvil_free_sized(void *block, size_t size)
{
    anvil_heap_free_sized(NULL, block, size);
}

void anvil_free_aligned_sized(void *block, size_t alignment, size_t size)
{
    anvil_heap_free_aligned_sized(NULL, block, alignment, size);
}

void *anvil_aligned_alloc(size_t alignment, size_t size)
{
    return anvil_heap_aligned_alloc(NULL, alignment, size);
}

void *anvil_memalign(size_t alignment, size_t size)
{
    return anvil_heap_memalign(NULL, alignment, size);
}

int anvil_posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    return anvil_heap_posix_memalign(NULL, ret_block, alignment, size);
}

void *anvil_valloc(size_t size)
{
    return anvil_heap_valloc(NULL, size);
}

void *anvil_pvalloc(size_t size)
{
    return anvil_heap_pvalloc(NULL, size);
}

size_t anvil_malloc_usable_size(void *block)
{
    return anvil_heap_malloc_usable_size(NULL, block);
}

int anvil_malloc_trim(size_t keep)
{
    return anvil_heap_malloc_trim(NULL, keep);
}
