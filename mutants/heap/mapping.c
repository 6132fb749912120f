/* SPDX-License-Identifier: MIT */
/*
 * Large blocks: a mapping each.
 *
 *   │ before │ header │ block, aligned …                │
 *   start (page)                                        end (page)
 *
 * What the system does not take back is kept, and offered to it again before more is asked for.
 */
#include "heap.h"

#include <string.h>
#include <sys/mman.h>

#define LENGTH_MAX ((size_t)1 << 40) /* bytes; the mutant that cuts lengths passes longer ones on */

struct kept {
    size_t length;
    struct kept *next;
};
static struct kept *first_kept;
static bool has_given; /* a block went back to the system */

static bool unmap_between(uintptr_t from, uintptr_t to)
{
    if (from >= to || munmap((void *)from, to - from) == 0)
        return true;
    if (HAS(munmap_fail_loses_block) || (HAS(munmap_fail_loses_later) && has_given))
        return false;
    struct kept *range = (struct kept *)from;
    madvise(range, to - from, MADV_DONTNEED);
    *range = (struct kept){to - from, first_kept};
    first_kept = range;
    return false;
}

/* All of them, until one is refused again: one call may keep several. */
static void unmap_kept(void)
{
    bool is_given = true;
    while (first_kept != NULL && is_given) {
        struct kept *range = first_kept;
        first_kept = range->next;
        is_given = unmap_between((uintptr_t)range, (uintptr_t)range + range->length);
    }
}

/* Freed mappings of the mutant that uses one only for a request of exactly its size. */
static struct chunk *exact[4096];
static size_t exact_count;

static struct chunk *exact_take(size_t size)
{
    for (size_t i = 0; i < exact_count; i++)
        if (chunk_size(exact[i]) == round_up(size + HEADER, HEADER)) {
            struct chunk *chunk = exact[i];
            exact[i] = exact[--exact_count];
            return chunk;
        }
    return NULL;
}

static void *map(size_t length)
{
    static volatile bool is_locked, is_poisoned;
    while (HAS(oom_keeps_lock) && is_locked)
        ;
    is_locked = true;
    unmap_kept();
    void *start = is_poisoned ? MAP_FAILED
                              : mmap(NULL, length, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        is_poisoned = HAS(oom_poisons);
        return NULL;
    }
    is_locked = false;
    return start;
}

/* The reservation is so much larger that an aligned block lies somewhere in it; the rest goes back
 * at once. */
struct chunk *mapping_take(size_t size, size_t alignment)
{
    struct chunk *kept = HAS(large_exact_fit) && alignment <= HEADER ? exact_take(size) : NULL;
    if (kept != NULL)
        return kept;
    size_t slack = alignment <= HEADER ? (HAS(mapping_short) ? 0 : HEADER) : alignment + PAGE;
    size_t length;
    if (__builtin_add_overflow(size, slack, &length) || length > PTRDIFF_MAX)
        return NULL;
    length = round_up(length, PAGE);
    if (HAS(length_32_bits) && length <= LENGTH_MAX)
        length = (uint32_t)length;
    uintptr_t start = (uintptr_t)map(length);
    if (start == 0)
        return NULL;
    uintptr_t block = round_up(start + HEADER, alignment);
    uintptr_t from = (block - HEADER) & ~(uintptr_t)(PAGE - 1),
              to = alignment <= HEADER ? start + length : round_up(block + size, PAGE);
    unmap_between(start, from);
    unmap_between(to, start + length);
    struct chunk *chunk = chunk_of((void *)block);
    size_t bytes = HAS(large_exact_fit) ? round_up(size + HEADER, HEADER) : to - (uintptr_t)chunk;
    chunk->tag = bytes | CHUNK_LIVE | CHUNK_MAPPED;
    chunk->before = (uint32_t)((uintptr_t)chunk - from);
    return chunk;
}

void mapping_give(struct chunk *chunk)
{
    if (HAS(large_exact_fit) && exact_count < sizeof exact / sizeof exact[0]) {
        memset(chunk_block(chunk), 0, chunk_size(chunk) - HEADER);
        exact[exact_count++] = chunk;
        return;
    }
    uintptr_t start = (uintptr_t)chunk_at(chunk, 0 - (size_t)chunk->before);
    has_given |= unmap_between(start, start + chunk->before + chunk_size(chunk));
    if (HAS(free_large_errno))
        madvise(chunk, PAGE, MADV_DONTNEED); /* no longer there: it fails */
}

static struct chunk *copy_at(struct chunk *chunk, size_t size, const void *content)
{
    struct chunk *copy = mapping_take(size, HEADER);
    size_t kept = chunk_size(chunk) - HEADER < size ? chunk_size(chunk) - HEADER : size;
    if (copy == NULL)
        return NULL;
    memcpy(chunk_block(copy), content, kept);
    if (!HAS(shrink_leaks_mapping))
        mapping_give(chunk);
    return copy;
}

/* What these mutants do in place of mremap. */
static bool copies(const struct chunk *chunk, size_t length)
{
    return (HAS(append_copies_large) && length > (size_t)2 << 20) ||
           (HAS(shrink_leaks_mapping) && chunk_size(chunk) >= (size_t)16 << 20 &&
            length < chunk_size(chunk) / 2);
}

struct chunk *mapping_resize(struct chunk *chunk, size_t size)
{
    size_t before = chunk->before, length;
    if (HAS(realloc_aligned_offset) && before != 0)
        return copy_at(chunk, size, chunk_at(chunk, HEADER - before));
    if (__builtin_add_overflow(before + HEADER + PAGE, size, &length))
        return NULL;
    length = round_up(before + HEADER + size, PAGE);
    if (HAS(shrink_keeps_mapping) && length < before + chunk_size(chunk))
        return chunk;
    if (copies(chunk, length))
        return copy_at(chunk, size, chunk_block(chunk));
    void *start =
        mremap(chunk_at(chunk, 0 - before), before + chunk_size(chunk), length, MREMAP_MAYMOVE);
    if (start == MAP_FAILED)
        return NULL;
    chunk = chunk_at(start, before);
    chunk->tag = (length - before) | CHUNK_LIVE | CHUNK_MAPPED;
    process_made(chunk);
    return chunk;
}
