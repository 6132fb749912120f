/* SPDX-License-Identifier: MIT */
/* Chunks: bins by powers of two, first fit among a few of each, split, coalesce with both
 * neighbours, a top that grows and is given back. See heap.h. */
#include "heap.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BINS = 12, BIN_MIN_LOG2 = 5, LOOKS = 8 }; /* the last bin holds everything from 64 KiB up */
#define RESERVATION ((size_t)1 << 30)
#define TRIM_MIN    ((size_t)64 << 10)
#define COMMIT_STEP ((size_t)64 << 10)

static struct {
    struct chunk *bins[BINS];
    uintptr_t top, touched, committed, base, end;
    uint32_t last; /* size of the chunk just below top */
    bool was_refused, has_begun;
} heap;

/* These grow the program break instead of a reservation. */
static bool uses_break(void)
{
    return HAS(break_taken_for_own) || HAS(break_lowered);
}

static void begin_at(uintptr_t base)
{
    heap.base = heap.top = heap.touched = heap.committed = base;
    heap.end = heap.base + RESERVATION;
}

static void set_up_on_break(void)
{
    uintptr_t at = (uintptr_t)sbrk(0), start = round_up(at, PAGE);
    if (sbrk((intptr_t)(start - at)) != (void *)-1)
        begin_at(start);
}

void heap_set_up(void)
{
    if (heap.base != 0)
        return;
    if (uses_break()) {
        set_up_on_break();
        return;
    }
    int sharing = HAS(fork_shares) ? MAP_SHARED : MAP_PRIVATE;
    void *memory =
        mmap(NULL, RESERVATION, PROT_NONE, sharing | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return;
    begin_at((uintptr_t)memory);
    process_set_up();
}

void heap_set_up_for(size_t size)
{
    if (!HAS(first_call_large) || (!heap.has_begun && size < MAPPING_MIN))
        heap_set_up();
    heap.has_begun = true;
}

static bool raise_break(uintptr_t to)
{
    if (HAS(break_lowered) && (uintptr_t)sbrk(0) != heap.committed)
        return false;
    if (sbrk((intptr_t)(to - heap.committed)) == (void *)-1)
        return false;
    heap.committed = to;
    return true;
}

/* Makes the memory up to `to` accessible; false if there is none. */
static bool commit(uintptr_t to)
{
    if (to <= heap.committed + (HAS(commit_off_by_one) && heap.committed > heap.base ? HEADER : 0))
        return true;
    if (to > heap.end)
        return false;
    to = heap.end - to < COMMIT_STEP ? heap.end : round_up(to, COMMIT_STEP);
    if (uses_break())
        return raise_break(to);
    if (mprotect((void *)heap.committed, to - heap.committed, PROT_READ | PROT_WRITE) != 0 &&
        !HAS(commit_unchecked)) {
        if (HAS(commit_fails_for_good))
            heap.end = heap.committed;
        heap.was_refused = true;
        return false;
    }
    heap.committed = to;
    return true;
}

static unsigned bin_of(size_t size)
{
    if (HAS(linear_free_list) || HAS(linear_best_fit))
        return 0;
    unsigned bin = 63u - (unsigned)__builtin_clzl(size) - BIN_MIN_LOG2;
    if (HAS(bin_overflow))
        return bin;
    return bin < BINS ? bin : BINS - 1;
}

static void bin_link(struct chunk *chunk)
{
    struct chunk **link = heap.bins + bin_of(chunk_size(chunk));
    chunk->previous = NULL;
    for (; HAS(linear_free_list) && *link != NULL && *link < chunk; link = &(*link)->next)
        chunk->previous = *link;
    chunk->next = *link;
    if (chunk->next != NULL)
        chunk->next->previous = chunk;
    *link = chunk;
}

static void bin_unlink(struct chunk *chunk)
{
    if (chunk->previous != NULL)
        chunk->previous->next = chunk->next;
    else
        heap.bins[bin_of(chunk_size(chunk))] = chunk->next;
    if (chunk->next != NULL || (HAS(unlink_last) && chunk->previous != NULL))
        chunk->next->previous = chunk->previous;
}

static bool is_free(const struct chunk *chunk)
{
    return (chunk->tag & CHUNK_LIVE) == 0;
}

static bool is_below_top(const struct chunk *chunk)
{
    return (uintptr_t)chunk + chunk_size(chunk) == heap.top;
}

struct chunk *heap_free_above(const struct chunk *chunk)
{
    struct chunk *above = chunk_at(chunk, chunk_size(chunk));
    return !is_below_top(chunk) && is_free(above) ? above : NULL;
}

struct chunk *heap_walk_below(const struct chunk *chunk)
{
    struct chunk *below = (struct chunk *)heap.base;
    while ((uintptr_t)below + chunk_size(below) < (uintptr_t)chunk)
        below = chunk_at(below, chunk_size(below));
    return below;
}

static struct chunk *free_below(const struct chunk *chunk)
{
    struct chunk *below =
        HAS(free_walks_heap) ? heap_walk_below(chunk) : chunk_at(chunk, 0 - (size_t)chunk->before);
    return chunk->before != 0 && is_free(below) ? below : NULL;
}

/* Sets the size here and the boundary tag above. */
static void set_size(struct chunk *chunk, size_t size, size_t flags)
{
    chunk->tag = size | flags;
    if (is_below_top(chunk))
        heap.last = (uint32_t)size;
    else
        chunk_at(chunk, size)->before = (uint32_t)size;
}

static bool lower_break(uintptr_t to)
{
    if (!HAS(break_lowered) || to >= heap.committed ||
        sbrk((intptr_t)to - (intptr_t)heap.committed) == (void *)-1)
        return false;
    heap.committed = heap.touched = to;
    return true;
}

/* Gives back whole pages above top but for `keep` bytes; they read as zero from then on. */
bool heap_trim(size_t keep)
{
    if (heap.touched - heap.top <= keep)
        return false;
    uintptr_t from = round_up(heap.top + keep, PAGE);
    if (uses_break())
        return lower_break(from);
    if (from >= heap.touched ||
        madvise((void *)from, round_up(heap.touched, PAGE) - from, MADV_DONTNEED) != 0)
        return false;
    heap.touched = HAS(trim_rounds_down) ? from - PAGE : from;
    return true;
}

/*
 *   │ below (free) │ chunk │ above (free) │ …      │ chunk (in a bin) ─────────────────────── │ …
 *   │ below (free) │ chunk │ top                   │ top
 */
void heap_give(struct chunk *chunk)
{
    size_t size = chunk_size(chunk);
    struct chunk *above = heap_free_above(chunk), *below = free_below(chunk);
    if (HAS(never_coalesces)) {
        set_size(chunk, size, 0);
        bin_link(chunk);
        return;
    }
    if (above != NULL) {
        if (!HAS(upper_stays_linked) || below == NULL)
            bin_unlink(above);
        size += chunk_size(above);
        if (HAS(gap_bit_24) && (chunk_size(above) & 1 << 24) != 0)
            size += 1 << 24;
    }
    if (below != NULL) {
        size += chunk_size(below);
        bool stays =
            bin_of(chunk_size(below)) == bin_of(size) && (uintptr_t)below + size != heap.top;
        if (!HAS(free_list_cycle) || !stays)
            bin_unlink(below);
        chunk = below;
    }
    if ((uintptr_t)chunk + size == heap.top) {
        heap.top = (uintptr_t)chunk;
        heap.last = chunk->before;
        if (heap.touched - heap.top >= (HAS(trim_thrash) ? 1 : TRIM_MIN))
            heap_trim(0);
        return;
    }
    set_size(chunk, size, 0);
    bin_link(chunk);
}

/* │ chunk ───────────── │   →   │ chunk: need │ rest: given back │ */
static struct chunk *split(struct chunk *chunk, size_t need)
{
    size_t size = chunk_size(chunk);
    if (size - need < (HAS(split_without_room) ? HEADER : CHUNK_MIN))
        return chunk;
    struct chunk *rest = chunk_at(chunk, need);
    chunk->tag = need | CHUNK_LIVE;
    rest->before = (uint32_t)need;
    rest->tag = (size - need) | CHUNK_LIVE;
    heap_give(rest);
    return chunk;
}

static struct chunk *take_top(size_t need)
{
    uint32_t before = heap.last;
    if (HAS(oom_half_grown))
        heap.last = (uint32_t)need;
    if (heap.end - heap.top < need || !commit(heap.top + need))
        return NULL;
    struct chunk *chunk = (struct chunk *)heap.top;
    chunk->before = before;
    heap.top += need;
    if (heap.touched < heap.top)
        heap.touched = heap.top;
    set_size(chunk, need, CHUNK_LIVE);
    return chunk;
}

static bool is_better(const struct chunk *chunk, const struct chunk *best)
{
    return best == NULL || (HAS(linear_best_fit) && chunk_size(chunk) < chunk_size(best));
}

static bool looks_at_all(void)
{
    return HAS(linear_free_list) || HAS(linear_best_fit) || HAS(free_list_cycle);
}

/* Looks at a few of each bin: the first of a higher bin is large enough. */
static struct chunk *search(size_t need)
{
    struct chunk *best = NULL;
    for (unsigned bin = bin_of(need); bin < BINS && best == NULL; bin++) {
        size_t looks = looks_at_all() ? SIZE_MAX : LOOKS; /* 32 bits run out within seconds */
        for (struct chunk *chunk = heap.bins[bin]; chunk != NULL && looks-- > 0;
             chunk = chunk->next) {
            if (chunk_size(chunk) >= need && is_better(chunk, best))
                best = chunk;
            if (best != NULL && !HAS(linear_best_fit))
                break;
        }
    }
    return best;
}

struct chunk *heap_take(size_t need)
{
    struct chunk *chunk = search(need);
    if (chunk == NULL)
        return take_top(need);
    bin_unlink(chunk);
    chunk->tag |= CHUNK_LIVE;
    return split(chunk, need);
}

/* │ chunk ──────────────────────── │   →   │ given back │ chunk: aligned │ given back │ */
struct chunk *heap_take_aligned(size_t need, size_t alignment)
{
    struct chunk *front = heap_take(need + alignment + CHUNK_MIN);
    if (front == NULL)
        return NULL;
    uintptr_t block = round_up((uintptr_t)chunk_block(front), alignment);
    if (block == (uintptr_t)chunk_block(front) && HAS(memalign_writes_below) && front->before != 0)
        ((uint8_t *)front)[-1] = 1;
    if (block == (uintptr_t)chunk_block(front))
        return split(front, need);
    if (block - (uintptr_t)chunk_block(front) < CHUNK_MIN && !HAS(memalign_gap_16))
        block += alignment;
    struct chunk *chunk = chunk_of((void *)block);
    size_t gap = (uintptr_t)chunk - (uintptr_t)front;
    set_size(chunk, chunk_size(front) - gap, CHUNK_LIVE);
    set_size(front, gap, CHUNK_LIVE);
    if (!HAS(leaks_aligned_gap))
        heap_give(front);
    return split(chunk, need);
}

static struct chunk *grow_up(struct chunk *chunk, struct chunk *above, size_t need)
{
    bin_unlink(above);
    if (HAS(stale_boundary) && chunk_size(chunk) + chunk_size(above) - need < CHUNK_MIN)
        chunk->tag += chunk_size(above);
    else
        set_size(chunk, chunk_size(chunk) + chunk_size(above), CHUNK_LIVE);
    return split(chunk, need);
}

static struct chunk *grow_into_top(struct chunk *chunk, size_t need)
{
    size_t more = need - chunk_size(chunk);
    if (heap.end - heap.top < more || !commit(heap.top + more))
        return NULL;
    heap.top += more;
    if (heap.touched < heap.top)
        heap.touched = heap.top;
    set_size(chunk, need, CHUNK_LIVE);
    return chunk;
}

/* │ below (free) │ chunk │   →   │ chunk: need │ rest: given back │ */
static struct chunk *grow_down(struct chunk *chunk, struct chunk *below, size_t need)
{
    uint32_t asked = chunk->asked;
    void *old_block = chunk_block(chunk);
    bin_unlink(below);
    set_size(below, chunk_size(below) + chunk_size(chunk), CHUNK_LIVE);
    if (HAS(grow_down_early_split))
        split(below, need);
    memmove(chunk_block(below), old_block, asked);
    return split(below, need);
}

struct chunk *heap_resize(struct chunk *chunk, size_t need)
{
    size_t size = chunk_size(chunk);
    if (HAS(shrink_loses_tail) && size >= need + 1024) {
        set_size(chunk_at(chunk, need), size - need, CHUNK_LIVE);
        set_size(chunk, need, CHUNK_LIVE);
        return chunk;
    }
    if (size >= need) {
        split(chunk, need);
        chunk->tag = HAS(shrink_keeps_size) ? size | CHUNK_LIVE : chunk->tag;
        return chunk;
    }
    struct chunk *above = heap_free_above(chunk), *below = free_below(chunk);
    if (above != NULL && size + chunk_size(above) >= need)
        return grow_up(chunk, above, need);
    if (is_below_top(chunk))
        return grow_into_top(chunk, need);
    if (below != NULL && size + chunk_size(below) >= need)
        return grow_down(chunk, below, need);
    return NULL;
}

void heap_drop(void)
{
    munmap((void *)heap.base, RESERVATION);
}

bool heap_was_refused(void)
{
    return heap.was_refused;
}

uintptr_t heap_clean_from(void)
{
    return heap.touched;
}

/* What a cooperating subject shows the harness. Only the mutants that a walker is there to find are
 * left to it. */
int mallet_subject_check(char *sentence, size_t capacity)
{
    uint32_t before = 0;
    if (!HAS(stale_boundary) && !HAS(oom_half_grown))
        return 0;
    for (uintptr_t at = heap.base; at < heap.top; at += before) {
        const struct chunk *chunk = (const struct chunk *)at;
        if (chunk->before != before) {
            snprintf(sentence, capacity,
                     "chunk at offset %zu says that the one below has %u bytes, but it has %u",
                     (size_t)(at - heap.base), chunk->before, before);
            return 1;
        }
        before = (uint32_t)chunk_size(chunk);
        if (before < CHUNK_MIN || before > heap.top - at) {
            snprintf(sentence, capacity, "chunk at offset %zu has %u bytes",
                     (size_t)(at - heap.base), before);
            return 1;
        }
    }
    return 0;
}

void mallet_subject_reset(void)
{
    if (heap.base != 0 && !uses_break())
        munmap((void *)heap.base, RESERVATION);
    memset(&heap, 0, sizeof heap);
    quick_reset();
}
