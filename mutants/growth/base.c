/* SPDX-License-Identifier: MIT */
/*
 * A plain correct allocator, and the mutants of the registry as switches of it: MUTANT_ID is the one
 * that this library is. Blocks are chunks of chunks.h; from MAPPED_MIN on, a block is a mapping,
 * with a chunk's header before it. One lock for everything.
 */
#include "chunks.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

enum { MAPPED_KEPT = 4096 };
#define MAPPED_MIN ((size_t)REGION / 32)
#define THREAD_OWN ((size_t)64 << 10)

static struct {
    pthread_mutex_t lock;
    unsigned frees, moves;
    struct chunk *mapped[MAPPED_KEPT]; /* large_exact_fit */
    size_t mapped_count;
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

static __thread char thread_mark __attribute__((tls_model("initial-exec")));

static struct chunk *chunk_of(const void *block)
{
    return at(block, 0 - (size_t)HEADER);
}

static void *block_of(struct chunk *chunk)
{
    return at(chunk, HEADER);
}

static size_t room_of(const struct chunk *chunk)
{
    return size_of(chunk) - HEADER;
}

/* ---- mappings ---- */

static struct chunk *reuse_mapping(size_t size)
{
    for (size_t i = 0; i < heap.mapped_count; i++)
        if (room_of(heap.mapped[i]) == size) {
            struct chunk *chunk = heap.mapped[i];
            heap.mapped[i] = heap.mapped[--heap.mapped_count];
            return chunk;
        }
    return NULL;
}

static struct chunk *take_mapping(size_t size, size_t alignment)
{
    struct chunk *kept = HAS(large_exact_fit) && alignment <= HEADER ? reuse_mapping(size) : NULL;
    size_t length = round_up(size + HEADER + (alignment > HEADER ? alignment : 0), PAGE);
    void *start = kept == NULL ? map(length) : NULL;
    if (start == NULL)
        return kept;
    struct chunk *chunk = chunk_of((void *)round_up((uintptr_t)start + HEADER, alignment));
    chunk->before = (uintptr_t)chunk - (uintptr_t)start;
    chunk->tag =
        ((HAS(large_exact_fit) ? round_up(size + HEADER, 16) : length - chunk->before) & ~FLAGS) |
        USED | MAPPED;
    return chunk;
}

static void release_mapping(struct chunk *chunk)
{
    if (HAS(large_exact_fit) && heap.mapped_count < MAPPED_KEPT)
        heap.mapped[heap.mapped_count++] = chunk;
    else
        munmap(at(chunk, 0 - chunk->before), round_up(chunk->before + size_of(chunk), PAGE));
}

static bool is_mapped_size(size_t size)
{
    return size >= MAPPED_MIN || HAS(mmap_every_small);
}

/* ---- the family ---- */

static void *allocate(size_t alignment, size_t size)
{
    size = round_up(size != 0 ? size : 1, HEADER);
    if (size > PTRDIFF_MAX / 2 || alignment > PTRDIFF_MAX / 4)
        return NULL;
    if (is_mapped_size(size + (alignment > HEADER ? alignment : 0))) {
        struct chunk *chunk = take_mapping(size, alignment);
        return chunk != NULL ? block_of(chunk) : NULL;
    }
    size_t slack = alignment > HEADER ? alignment + CHUNK_MIN : 0;
    struct chunk *chunk = take_chunk(size + HEADER + slack);
    if (chunk == NULL)
        return NULL;
    chunk->owner = (uintptr_t)&thread_mark;
    if (slack == 0)
        return block_of(chunk);
    uintptr_t block = round_up((uintptr_t)block_of(chunk) + CHUNK_MIN, alignment);
    size_t gap = block - (uintptr_t)block_of(chunk);
    struct chunk *aligned = chunk_of((void *)block);
    aligned->region = chunk->region;
    aligned->owner = chunk->owner;
    set_size(aligned, size_of(chunk) - gap, USED);
    set_size(chunk, gap, USED);
    if (!HAS(leaks_aligned_gap))
        release_chunk(chunk);
    split(aligned, size + HEADER);
    return (void *)block;
}

static void *allocate_locked(size_t alignment, size_t size)
{
    static __thread bool has_own __attribute__((tls_model("initial-exec")));
    pthread_mutex_lock(&heap.lock);
    if (HAS(thread_heap_lost) && !has_own)
        memset(allocate(HEADER, THREAD_OWN), 1, THREAD_OWN);
    has_own = true;
    void *block = allocate(alignment, size);
    pthread_mutex_unlock(&heap.lock);
    if (block == NULL)
        errno = ENOMEM;
    return block;
}

void *malloc(size_t size)
{
    return allocate_locked(HEADER, size);
}

static bool is_forgotten(const struct chunk *chunk)
{
    if (HAS(remote_frees_lost) && (chunk->tag & MAPPED) == 0 &&
        chunk->owner != (uintptr_t)&thread_mark)
        return true;
    return HAS(leaks_one_in_n) && ++heap.frees % 100 == 0;
}

void free(void *block)
{
    int saved = errno;
    if (block == NULL)
        return;
    struct chunk *chunk = chunk_of(block);
    pthread_mutex_lock(&heap.lock);
    if (is_forgotten(chunk))
        ;
    else if ((chunk->tag & MAPPED) != 0)
        release_mapping(chunk);
    else
        release_chunk(chunk);
    pthread_mutex_unlock(&heap.lock);
    errno = saved;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = malloc(bytes);
    if (block != NULL)
        memset(block, 0, bytes);
    if (block != NULL && HAS(large_calloc_leaks) && bytes >= MAPPED_MIN)
        memset(malloc(bytes / 8), 0, bytes / 8); /* its own copy of the zeroes, for ever */
    return block;
}

static void *move(void *block, size_t size)
{
    struct chunk *chunk = chunk_of(block);
    size_t room = room_of(chunk);
    void *moved = malloc(size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, room < size ? room : size);
    if (!HAS(realloc_move_leaks) || ++heap.moves % 8 != 0)
        free(block);
    return moved;
}

/* A mapping grows by half at least, so that growing in steps is linear in all. */
static void *resize_mapping(struct chunk *chunk, size_t size)
{
    size_t wanted = size > room_of(chunk) ? size + size / 2 : size;
    size_t before = chunk->before, length = round_up(before + HEADER + wanted, PAGE);
    if (size <= room_of(chunk) && size >= room_of(chunk) / 2)
        return block_of(chunk);
    void *start = mremap(at(chunk, 0 - before), before + size_of(chunk), length, MREMAP_MAYMOVE);
    if (start == MAP_FAILED)
        return NULL;
    struct chunk *moved = at(start, before);
    moved->tag = (length - before) | USED | MAPPED;
    return block_of(moved);
}

void *realloc(void *block, size_t size)
{
    if (block == NULL)
        return malloc(size);
    struct chunk *chunk = chunk_of(block);
    size_t room = round_up(size != 0 ? size : 1, HEADER);
    if (HAS(realloc_quadratic_copy))
        return move(block, size);
    if (HAS(shrink_keeps_all) && size <= room_of(chunk))
        return block;
    if ((chunk->tag & MAPPED) != 0 && size >= MAPPED_MIN && !HAS(large_exact_fit))
        return resize_mapping(chunk, size);
    if ((chunk->tag & MAPPED) != 0 || size >= MAPPED_MIN)
        return move(block, size);
    pthread_mutex_lock(&heap.lock);
    bool is_done = resize_in_place(chunk, room + HEADER);
    pthread_mutex_unlock(&heap.lock);
    return is_done ? block : move(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return allocate_locked(alignment > HEADER ? alignment : HEADER, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    int saved = errno;
    void *taken = aligned_alloc(alignment, size);
    errno = saved;
    if (taken == NULL)
        return ENOMEM;
    *block = taken;
    return 0;
}

size_t malloc_usable_size(void *block)
{
    if (block == NULL)
        return 0;
    struct chunk *chunk = chunk_of(block);
    if (HAS(usable_walks) && (chunk->tag & MAPPED) == 0) {
        struct chunk *walker = at(chunk->region, sizeof(struct region));
        while (walker != chunk)
            walker = next_of(walker);
    }
    return room_of(chunk);
}
