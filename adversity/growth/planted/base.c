/* SPDX-License-Identifier: MIT */
/*
 * A plain correct allocator, and the bugs of planted_list.h as switches of it: PLANTED is the one that this library has.
 *
 *   region: │ head │ chunk │ chunk │ … │ end │      chunk: │ size of the one before, size │ block … │
 *
 * Chunks of a region lie side by side; a free one is merged with free neighbours and stands in a bin of its power of two. A search looks at a few of
 * its own bin, then takes the first of a higher one. From MAPPED_MIN on, a block is a mapping. One lock for everything.
 */
#include "planted_list.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum planted {
    PLANTED_none,
#define BUG(name, check, shape, text) PLANTED_##name,
    PLANTED_BUGS(BUG)
#undef BUG
};
#define HAS(bug) (PLANTED == PLANTED_##bug)

enum { HEADER = 32, CHUNK_MIN = 64, BINS = 64, LOOKS = 8, PAGE = 4096 };
/* A walk through a region must not end for want of blocks in it. */
enum { REGION = HAS(trim_thrash) ? 256 << 10 : HAS(free_walks_region) || HAS(usable_walks) ? 32 << 20 : 4 << 20 };
#define MAPPED_MIN  ((size_t)REGION / 32)
#define THREAD_OWN  ((size_t)64 << 10)
#define USED        ((size_t)1)
#define MAPPED      ((size_t)2)
#define FLAGS       (USED | MAPPED)
#define MAPPED_KEPT 64

/* 32 bytes, and the links of a free one behind. */
struct chunk {
    size_t before; /* size of the chunk before; 0: the first. Of a mapping: bytes before the chunk */
    size_t tag;    /* size, flags */
    struct region *region;
    uintptr_t owner; /* thread */
    struct chunk *next, *previous;
};

struct region {
    size_t size;
    char unused[HEADER - sizeof(size_t)];
};

static struct {
    pthread_mutex_t lock;
    struct chunk bins[BINS]; /* heads of rings */
    bool is_ready;
    unsigned frees, moves;
    struct chunk *mapped[MAPPED_KEPT * 64]; /* large_exact_fit */
    size_t mapped_count;
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

static __thread char thread_mark __attribute__((tls_model("initial-exec")));

static size_t size_of(const struct chunk *chunk)
{
    return chunk->tag & ~FLAGS;
}

static struct chunk *at(const void *start, size_t offset)
{
    return (struct chunk *)((uintptr_t)start + offset);
}

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

static size_t round_up(size_t size, size_t alignment)
{
    return (size + alignment - 1) & ~(alignment - 1);
}

/* ---- bins ---- */

static unsigned bin_of(size_t size)
{
    return HAS(linear_free_list) || HAS(linear_best_fit) ? 0 : 63 - (unsigned)__builtin_clzll(size);
}

static void get_ready(void)
{
    if (heap.is_ready)
        return;
    for (unsigned i = 0; i < BINS; i++)
        heap.bins[i].next = heap.bins[i].previous = &heap.bins[i];
    heap.is_ready = true;
}

static void insert(struct chunk *chunk)
{
    struct chunk *head = &heap.bins[bin_of(size_of(chunk))], *after = head;
    while (HAS(linear_free_list) && after->next != head && after->next < chunk)
        after = after->next;
    chunk->next = after->next;
    chunk->previous = after;
    after->next->previous = chunk;
    after->next = chunk;
}

static void take_out(struct chunk *chunk)
{
    chunk->previous->next = chunk->next;
    chunk->next->previous = chunk->previous;
}

static struct chunk *search(size_t size)
{
    struct chunk *best = NULL;
    for (unsigned i = bin_of(size); i < BINS; i++) {
        unsigned looks = 0;
        for (struct chunk *chunk = heap.bins[i].next; chunk != &heap.bins[i]; chunk = chunk->next) {
            if (size_of(chunk) >= size && (best == NULL || size_of(chunk) < size_of(best)))
                best = chunk;
            if (!HAS(linear_best_fit) && (best != NULL || (++looks == LOOKS && !HAS(linear_free_list))))
                break;
        }
        if (best != NULL)
            break;
    }
    return best;
}

/* ---- chunks ---- */

static struct chunk *next_of(const struct chunk *chunk)
{
    return at(chunk, size_of(chunk));
}

static void set_size(struct chunk *chunk, size_t size, size_t flags)
{
    chunk->tag = size | flags;
    next_of(chunk)->before = size;
}

static struct chunk *find_before(const struct chunk *chunk)
{
    if (!HAS(free_walks_region))
        return at(chunk, 0 - chunk->before);
    struct chunk *walker = at(chunk->region, sizeof(struct region));
    while (next_of(walker) != chunk)
        walker = next_of(walker);
    return walker;
}

static void release_chunk(struct chunk *chunk)
{
    struct chunk *next = next_of(chunk), *before = chunk->before != 0 ? find_before(chunk) : NULL;
    size_t size = size_of(chunk);
    if (!HAS(never_coalesces) && (next->tag & USED) == 0) {
        take_out(next);
        size += size_of(next);
    }
    if (!HAS(never_coalesces) && before != NULL && (before->tag & USED) == 0) {
        take_out(before);
        size += size_of(before);
        chunk = before;
    }
    set_size(chunk, size, 0);
    if (HAS(trim_thrash) && size == chunk->region->size - sizeof(struct region) - HEADER)
        munmap(chunk->region, chunk->region->size);
    else
        insert(chunk);
}

/* What a chunk has beyond `size` becomes a free one. */
static void split(struct chunk *chunk, size_t size)
{
    size_t rest = size_of(chunk) - size;
    if (rest < CHUNK_MIN)
        return;
    struct chunk *free_chunk = at(chunk, size);
    free_chunk->region = chunk->region;
    set_size(free_chunk, rest, USED);
    set_size(chunk, size, USED);
    release_chunk(free_chunk);
}

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

static struct chunk *add_region(void)
{
    struct region *region = map(REGION);
    if (region == NULL)
        return NULL;
    region->size = REGION;
    struct chunk *chunk = at(region, sizeof *region), *end = at(region, REGION - HEADER);
    chunk->before = 0;
    chunk->region = end->region = region;
    end->tag = USED;
    set_size(chunk, REGION - sizeof *region - HEADER, 0);
    insert(chunk);
    return chunk;
}

static struct chunk *take_chunk(size_t size)
{
    struct chunk *chunk = search(size);
    if (chunk == NULL)
        chunk = add_region();
    if (chunk == NULL)
        return NULL;
    take_out(chunk);
    chunk->tag |= USED;
    chunk->owner = (uintptr_t)&thread_mark;
    split(chunk, size);
    return chunk;
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
    chunk->tag = ((HAS(large_exact_fit) ? round_up(size + HEADER, 16) : length - chunk->before) & ~FLAGS) | USED | MAPPED;
    return chunk;
}

static void release_mapping(struct chunk *chunk)
{
    if (HAS(large_exact_fit) && heap.mapped_count < MAPPED_KEPT * 64)
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
    if (chunk == NULL || slack == 0)
        return chunk != NULL ? block_of(chunk) : NULL;
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
    get_ready();
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
    if (HAS(remote_frees_lost) && (chunk->tag & MAPPED) == 0 && chunk->owner != (uintptr_t)&thread_mark)
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

static bool resize_in_place(struct chunk *chunk, size_t size)
{
    struct chunk *next = next_of(chunk);
    if (size_of(chunk) < size && (next->tag & USED) == 0 && size_of(chunk) + size_of(next) >= size) {
        take_out(next);
        set_size(chunk, size_of(chunk) + size_of(next), USED);
    }
    if (size_of(chunk) < size)
        return false;
    split(chunk, size);
    return true;
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
