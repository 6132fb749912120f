/* SPDX-License-Identifier: MIT */
/*
 * The members of the family that name an alignment, and those that tell a size or an alignment when
 * they free, C++'s new and delete among them: a block remembers what it was asked for, and a free
 * that says otherwise panics.
 */
#include "malloc.h"

#include "heap_set.h"

#include <errno.h>

/* 1 + log2, what a block remembers of the alignment that it was asked for. */
static unsigned code_of_alignment(size_t alignment)
{
    return 1 + (unsigned)__builtin_ctzl(alignment);
}

static bool is_alignment(unsigned code)
{
    return code != REQUEST_PLAIN && code <= REQUEST_ALIGNED_LAST;
}

static size_t alignment_of_code(unsigned code)
{
    ASSERT(is_alignment(code));
    return (size_t)1 << (code - 1);
}

/* ---- alignment ---- */

static void *allocate_aligned(struct anvil_heap *heap, size_t alignment, size_t size)
{
    return malloc_allocate_or_fail(heap, size, size_max(alignment, BLOCK_ALIGNMENT),
                                   code_of_alignment(alignment), false);
}

void *anvil_heap_aligned_alloc(anvil_heap *heap, size_t alignment, size_t size)
{
    return is_power_of_two(alignment) ? allocate_aligned(heap, alignment, size)
                                      : malloc_fail(EINVAL);
}

void *anvil_heap_memalign(anvil_heap *heap, size_t alignment, size_t size)
{
    size_t rounded = 1;
    if (alignment > SIZE_LIMIT + 1)
        return malloc_fail(EINVAL);
    while (rounded < alignment)
        rounded *= 2;
    return anvil_heap_aligned_alloc(heap, rounded, size);
}

int anvil_heap_posix_memalign(anvil_heap *heap, void **ret_block, size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment) || alignment < sizeof(void *))
        return EINVAL;
    if (size > SIZE_LIMIT)
        return ENOMEM;
    void *block = malloc_allocate(heap, size, size_max(alignment, BLOCK_ALIGNMENT),
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
               ? malloc_fail(ENOMEM)
               : allocate_aligned(heap, PAGE_BYTES, size_round_up(size_max(size, 1), PAGE_BYTES));
}

/* ---- frees that say what they free ---- */

static bool is_size_of(const struct heap_block *block, size_t size)
{
    return size == block->size || size == block->capacity;
}

static void check_size(const struct heap_block *block, size_t size, const char *function)
{
    if (!is_size_of(block, size))
        panic_fault(function, block->start,
                    &(struct fault){.kind = FAULT_WRONG_SIZE, .size = block->size, .given = size});
}

void anvil_heap_free_sized(anvil_heap *heap, void *pointer, size_t size)
{
    static const char function[] = "free_sized";
    struct heap_block block;
    if (pointer == NULL)
        return;
    heap = malloc_heap_or_default(heap);
    malloc_find_or_panic(heap, pointer, function, true, &block);
    if (is_alignment(block.request_code))
        panic_fault(function, pointer,
                    &(struct fault){.kind = FAULT_IS_ALIGNED_BLOCK,
                                    .size = alignment_of_code(block.request_code)});
    check_size(&block, size, function);
    malloc_release_found(heap, &block, function);
}

void anvil_heap_free_aligned_sized(anvil_heap *heap, void *pointer, size_t alignment, size_t size)
{
    static const char function[] = "free_aligned_sized";
    struct heap_block block;
    if (pointer == NULL)
        return;
    heap = malloc_heap_or_default(heap);
    malloc_find_or_panic(heap, pointer, function, true, &block);
    if (!is_alignment(block.request_code))
        panic_fault(function, pointer, &(struct fault){.kind = FAULT_NOT_ALIGNED_BLOCK});
    size_t asked = alignment_of_code(block.request_code);
    if (asked != alignment)
        panic_fault(
            function, pointer,
            &(struct fault){.kind = FAULT_WRONG_ALIGNMENT, .size = asked, .given = alignment});
    check_size(&block, size, function);
    malloc_release_found(heap, &block, function);
}

/* ---- C++ ---- */

void *malloc_new(size_t size, enum request_code form)
{
    return LIKELY(!heap_default()->options.form)
               ? malloc_slow(size)
               : malloc_allocate_or_fail(NULL, size, BLOCK_ALIGNMENT, (unsigned)form, false);
}

/* Blocks of malloc go to any delete: a new of the program's own may have asked for them. */
static void check_form(const struct heap_block *block, enum request_code form, const char *function)
{
    struct fault fault = {.kind = FAULT_NEW_DELETED_AS_ARRAY, .size = block->size};
    if (form == REQUEST_NEW)
        fault.kind = FAULT_NEW_ARRAY_DELETED;
    if (form != REQUEST_PLAIN && block->request_code + form == REQUEST_NEW + REQUEST_NEW_ARRAY)
        panic_fault(function, block->start, &fault);
}

void malloc_delete(void *pointer, enum request_code form, const char *function)
{
    struct heap_block block;
    if (pointer == NULL)
        return;
    if (UNLIKELY(heap_default()->options.form) && heap_find(heap_default(), pointer, &block))
        check_form(&block, form, function);
    free_beyond(pointer);
}

/* new asks for one byte where none are wanted. */
void malloc_delete_sized(void *pointer, size_t size, enum request_code form, const char *function)
{
    struct heap_block block;
    pagemap_word word = pagemap_get(pointer);
    struct slab *slab = (struct slab *)(word > 0 ? word : 0); /* of the default heap */
    struct sync_tag *tag = LIKELY(slab != NULL) ? slab_tag_at(slab, pointer) : NULL;
    uint32_t value = LIKELY(tag != NULL) ? sync_tag_read(tag) : SLAB_TAG_NONE;
    if (LIKELY(slab_tag_is_live(value) && value == size)) {
        free_straight(pointer);
        return;
    }
    if (pointer == NULL)
        return;
    malloc_find_or_panic(heap_default(), pointer, function, true, &block);
    check_form(&block, form, function);
    if (size != 0 || block.size != 1)
        check_size(&block, size, function);
    malloc_release_found(heap_default(), &block, function);
}

/* ---- the default heap ---- */

void anvil_free_sized(void *block, size_t size)
{
    anvil_heap_free_sized(NULL, block, size);
}

void anvil_free_aligned_sized(void *block, size_t alignment, size_t size)
{
    anvil_heap_free_aligned_sized(NULL, block, alignment, size);
}

/* ---- the default heap ---- */

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
