/* SPDX-License-Identifier: MIT */
/*
 * The malloc family over chunks: rounds requests, sets errno, clears and copies. The choices are
 * glibc's: size 0 yields a block, realloc(p, 0) frees and returns NULL. See heap.h.
 */
#include "heap.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16 };
#define HEAP_FALLBACK_MAX ((size_t)1 << 20)

/* Recursive: some calls of the family make others. */
static pthread_mutex_t heap_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

int heap_lock(void)
{
    return pthread_mutex_lock(&heap_mutex);
}

void heap_unlock(const int *locked)
{
    (void)locked;
    pthread_mutex_unlock(&heap_mutex);
}

/* glibc's own lock of its streams comes first: a thread that has it may wait for ours. */
void _IO_list_lock(void);
void _IO_list_unlock(void);
void _IO_list_resetlock(void);

static void lock_before_fork(void)
{
    _IO_list_lock();
    heap_lock();
}

static void unlock_after_fork(void)
{
    pthread_mutex_unlock(&heap_mutex);
    _IO_list_unlock();
}

/* The locks' owner is a thread of the parent. */
static void unlock_in_child(void)
{
    heap_mutex = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    _IO_list_resetlock();
}

__attribute__((constructor)) static void lock_at_fork(void)
{
    pthread_atfork(lock_before_fork, unlock_after_fork, unlock_in_child);
}

/* These mutants would be hidden by the fallback. */
static bool has_no_fallback(void)
{
    return HAS(oom_poisons) || HAS(oom_errno_wrong) || HAS(oom_frees_old) || HAS(oom_keeps_lock);
}

static void *fail(int error)
{
    *process_errno() = error;
    return NULL;
}

static bool is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* Bytes of the chunk for a request; false if there is no such size. */
static bool need_of(size_t *size, size_t *ret_need)
{
    if (HAS(request_32_bits))
        *size = (uint32_t)*size;
    if (*size > PTRDIFF_MAX - PAGE && !HAS(near_size_max))
        return false;
    bool is_short = HAS(round_to_8) || (HAS(round_after_refusal) && heap_was_refused());
    size_t need = round_up(*size + HEADER, is_short ? 8 : ALIGNMENT);
    if (HAS(pages_above_256) && *size > 256)
        need = round_up(need, PAGE);
    *ret_need = need > CHUNK_MIN ? need : CHUNK_MIN;
    return true;
}

/* A list of all blocks of a page and more that there ever were, from the last to the first. */
static void walk_records(void)
{
    static volatile uint32_t before[1 << 20];
    static uint32_t last;
    for (uint32_t record = last; record != 0; record = before[record])
        ;
    if (last + 1 < sizeof before / sizeof before[0]) {
        before[last + 1] = last;
        last++;
    }
}

/* Where the system refuses a mapping, the heap may still have room. */
static struct chunk *take(size_t need, size_t size, size_t alignment)
{
    bool is_large = need >= MAPPING_MIN || alignment > MAPPING_MIN / 4 || HAS(mmap_every_small);
    struct chunk *mapped = is_large ? mapping_take(size, alignment) : NULL;
    if (mapped != NULL ||
        (is_large && (need > HEAP_FALLBACK_MAX || alignment > ALIGNMENT || has_no_fallback())))
        return mapped;
    if (is_large && HAS(oom_small_block))
        need = MAPPING_MIN / 2;
    struct chunk *chunk = alignment <= ALIGNMENT ? quick_take(need) : NULL;
    if (chunk == NULL)
        chunk = alignment <= ALIGNMENT ? heap_take(need) : heap_take_aligned(need, alignment);
    if (chunk == NULL && HAS(break_lowered)) /* someone else is above */
        return mapping_take(size, alignment);
    if (chunk != NULL)
        chunk->asked = (uint32_t)size;
    return chunk;
}

static void *allocate(size_t size, size_t alignment)
{
    size_t need;
    if (!need_of(&size, &need))
        return fail(ENOMEM);
    process_begins();
    if (HAS(dead_records_walked) && need >= PAGE)
        walk_records();
    struct chunk *chunk = take(need, size, alignment > ALIGNMENT ? alignment : ALIGNMENT);
    if (chunk == NULL)
        return fail(HAS(oom_errno_wrong) ? EAGAIN : ENOMEM);
    process_made(chunk);
    return chunk_block(chunk);
}

void *malloc(size_t size)
{
    static unsigned zeros;
    if (HAS(malloc_zero_flips) && size == 0 && zeros++ % 2 == 1)
        return NULL;
    if (HAS(malloc_clears_errno))
        errno = 0;
    WITH_LOCK();
    heap_set_up_for(size);
    return allocate(size, ALIGNMENT);
}

static bool is_forgotten(void)
{
    static unsigned frees;
    return HAS(leaks_one_in_n) && ++frees % 100 == 0;
}

void free(void *block)
{
    int error = errno;
    WITH_LOCK();
    if (block == NULL || process_keeps(chunk_of(block)) || is_forgotten())
        return;
    struct chunk *chunk = chunk_of(block);
    if (chunk_is_mapped(chunk))
        mapping_give(chunk);
    else if (!quick_give(chunk))
        heap_give(chunk);
    if (!HAS(free_large_errno) && !HAS(munmap_fail_sets_errno))
        errno = error;
}

/* Bytes of a product; false if there is no such size. */
static bool product_of(size_t count, size_t size, size_t *ret_total)
{
    if (HAS(calloc_adds_up))
        for (volatile size_t i = 0; i / 64 < count; i++) /* minutes, on a fast machine too */
            ;
    bool overflows = __builtin_mul_overflow(count, size, ret_total);
    if (HAS(calloc_product_32_bits))
        *ret_total = (uint32_t)*ret_total;
    return !overflows || HAS(calloc_wrap);
}

void *calloc(size_t count, size_t size)
{
    size_t total;
    if (!product_of(count, size, &total))
        return fail(ENOMEM);
    WITH_LOCK();
    heap_set_up();
    uintptr_t clean_from = heap_clean_from();
    void *block = allocate(total, ALIGNMENT);
    if (HAS(large_calloc_leaks) && total >= MAPPING_MIN)
        memset(malloc(total / 8), 0, total / 8);
    if (block == NULL || chunk_is_mapped(chunk_of(block)) ||
        (HAS(calloc_trusts_large) && total >= 65536) ||
        (HAS(oom_calloc_dirty) && total >= MAPPING_MIN))
        return block;
    size_t dirty = (uintptr_t)block < clean_from ? clean_from - (uintptr_t)block : 0;
    uint64_t link = *(uint64_t *)block; /* written while it was free */
    memset(block, 0, dirty < total ? dirty : total);
    if (HAS(calloc_keeps_link) && dirty >= total && total >= 8192 && total < 16384)
        *(uint64_t *)block = link;
    return block;
}

/* The block somewhere else; its old place stays as it was if that fails. */
static void *move(void *block, size_t size)
{
    static unsigned moves;
    const struct chunk *chunk = chunk_of(block);
    size_t kept = chunk_is_mapped(chunk) ? chunk_size(chunk) - HEADER : chunk->asked;
    void *moved = allocate(size, ALIGNMENT);
    if (moved == NULL && HAS(oom_frees_old))
        free(block);
    if (moved == NULL)
        return NULL;
    if (HAS(pair_1000_2000) && kept == 1000 && size == 2000)
        kept -= sizeof(void *);
    memcpy(moved, block, kept < size && !HAS(realloc_copies_new_size) ? kept : size);
    if (!HAS(realloc_leaks) && (!HAS(realloc_move_leaks) || ++moves % 8 != 0))
        free(block);
    return moved;
}

static void *resize(void *block, size_t size)
{
    size_t need;
    struct chunk *chunk = chunk_of(block);
    if (!need_of(&size, &need))
        return fail(ENOMEM);
    if (HAS(shrink_keeps_all) && need <= chunk_size(chunk)) {
        if (!chunk_is_mapped(chunk))
            chunk->asked = (uint32_t)size;
        return block;
    }
    if (HAS(realloc_quadratic_copy))
        return move(block, size);
    if (chunk_is_mapped(chunk)) {
        chunk = mapping_resize(chunk, size);
        return chunk != NULL ? chunk_block(chunk) : fail(ENOMEM);
    }
    size_t old_need = chunk_size(chunk);
    chunk = need < MAPPING_MIN ? heap_resize(chunk, need) : NULL;
    if (chunk == NULL)
        return move(block, size);
    if (!HAS(asked_stays_old) || need <= old_need)
        chunk->asked = (uint32_t)size;
    return chunk_block(chunk);
}

void *realloc(void *block, size_t size)
{
    int error = errno;
    WITH_LOCK();
    if (!HAS(realloc_first))
        heap_set_up();
    if (block == NULL)
        return allocate(size, ALIGNMENT);
    if (size == 0) {
        if (!HAS(realloc_zero_leaks))
            free(block);
        return NULL;
    }
    void *resized = resize(block, size);
    if (resized == NULL && HAS(realloc_no_enomem))
        errno = error;
    if (resized == NULL && HAS(realloc_fails_freeing))
        free(block);
    return resized;
}

void *reallocarray(void *block, size_t count, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? fail(ENOMEM) : realloc(block, total);
}

void *memalign(size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment))
        return fail(EINVAL);
    if (alignment > PTRDIFF_MAX / 2 || (HAS(memalign_2m) && alignment >= (size_t)2 << 20))
        return fail(ENOMEM);
    if ((HAS(memalign_page) || (HAS(aligned_large_ignored) && size > (size_t)2 << 20)) &&
        alignment > PAGE)
        alignment = PAGE;
    if (HAS(aligned_of_zero) && size == 0)
        alignment = ALIGNMENT;
    while (HAS(aligned_above_size) && alignment > ALIGNMENT && alignment / 2 >= size + HEADER)
        alignment /= 2;
    WITH_LOCK();
    heap_set_up();
    return allocate(size, alignment);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    int error = errno;
    if (alignment % sizeof(void *) != 0 || !is_power_of_two(alignment))
        return EINVAL;
    if (HAS(memalign_writes_early))
        *ret_block = (void *)round_up(HEADER, alignment);
    void *block = memalign(alignment, size);
    errno = error;
    if (block == NULL)
        return ENOMEM;
    if (!HAS(memalign_zero_unset) || size != 0)
        *ret_block = block;
    return 0;
}

void *valloc(size_t size)
{
    return memalign(PAGE, size);
}

void *pvalloc(size_t size)
{
    return size <= PTRDIFF_MAX ? memalign(PAGE, round_up(size, PAGE)) : fail(ENOMEM);
}

void free_sized(void *block, size_t size)
{
    (void)size;
    free(block);
}

void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    (void)alignment, (void)size;
    free(block);
}

int malloc_trim(size_t keep)
{
    WITH_LOCK();
    return heap_trim(keep);
}
