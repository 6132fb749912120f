/* SPDX-License-Identifier: MIT */
/*
 * The levels of harden.h. A canary is a byte that depends on the block's address and on a secret
 * of the process, never zero, so that the terminator of a string is noticed. The first CANARY_BYTES
 * behind a block hold it, for writes past the end, and so do the last TAIL_BYTES of its capacity,
 * for writes before the start of the next block:
 *
 *     | size asked for | canary | rest | tail |
 *
 * A block in the quarantine is in the state of one that a thread keeps for itself: a small one is
 * `taken`, a large one EXTENT_CACHED. So a second free is diagnosed as ever, and the checker and
 * the walker need to know nothing new.
 */
#include "harden.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

enum { CANARY_BYTES = 32, TAIL_BYTES = 16, DISCARD_FROM = 256 * 1024 /* bytes */ };

/* ---- the canary ---- */

static unsigned char canary_of(const struct anvil_heap *heap, const char *start)
{
    uint64_t bits = ((uint64_t)(uintptr_t)start ^ heap->secret) * UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned char)(bits >> 56 | 1);
}

static size_t canary_length(const struct anvil_heap *heap, size_t size, size_t capacity)
{
    return heap->options.canary ? size_min(capacity - size, CANARY_BYTES) : 0;
}

/* Of what is behind the canary, the last bytes. */
static size_t tail_length(const struct anvil_heap *heap, size_t size, size_t capacity)
{
    size_t rest = capacity - size - canary_length(heap, size, capacity);
    return heap->options.canary ? size_min(rest, TAIL_BYTES) : 0;
}

static void canary_write(const struct anvil_heap *heap, char *start, size_t size, size_t capacity)
{
    size_t tail = tail_length(heap, size, capacity);
    memset(start + size, canary_of(heap, start), canary_length(heap, size, capacity));
    memset(start + capacity - tail, canary_of(heap, start), tail);
}

static bool is_filled(const char *start, size_t length, unsigned char value)
{
    unsigned char difference = 0;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)start[i] ^ value;
    return difference == 0;
}

static bool canary_is_whole(const struct anvil_heap *heap, const char *start, size_t size,
                            size_t capacity)
{
    unsigned char canary = canary_of(heap, start);
    size_t tail = tail_length(heap, size, capacity);
    return is_filled(start + size, canary_length(heap, size, capacity), canary) &&
           is_filled(start + capacity - tail, tail, canary);
}

static void expect_whole(bool is_whole, const char *start, size_t size, const char *function)
{
    if (!is_whole)
        panic_fault(function, start, &(struct fault){.kind = FAULT_OVERFLOW, .size = size});
}

void harden_verify(const struct anvil_heap *heap, const struct heap_block *block,
                   const char *function)
{
    expect_whole(canary_is_whole(heap, block->start, block->size, block->capacity), block->start,
                 block->size, function);
}

/* A buffer is mostly overrun soon after it was asked for, and may never be freed. */
static void note_newest(struct anvil_heap *heap, const struct heap_block *block, size_t size)
{
    if (!heap->options.canary)
        return;
    sync_lock_acquire(&heap->quarantine.lock);
    heap->quarantine.newest = (struct heap_newest){block->start, size, block->capacity};
    sync_lock_release(&heap->quarantine.lock);
}

/* Before its canary changes or its memory goes: others look at it under the lock. */
static void forget_newest(struct anvil_heap *heap, const struct heap_block *block)
{
    if (!heap->options.canary)
        return;
    sync_lock_acquire(&heap->quarantine.lock);
    if (heap->quarantine.newest.start == block->start)
        heap->quarantine.newest.start = NULL;
    sync_lock_release(&heap->quarantine.lock);
}

static void verify_newest(struct anvil_heap *heap)
{
    bool is_whole = true;
    if (!heap->options.canary)
        return;
    sync_lock_acquire(&heap->quarantine.lock);
    struct heap_newest newest = heap->quarantine.newest;
    if (newest.start != NULL)
        is_whole = canary_is_whole(heap, newest.start, newest.size, newest.capacity);
    sync_lock_release(&heap->quarantine.lock);
    expect_whole(is_whole, newest.start, newest.size, "malloc");
}

/* What the lower half is asked for: room for the canary. A block of no bytes needs none, since
 * nobody can write to it. */
static size_t padded(const struct anvil_heap *heap, size_t size)
{
    return size + (heap->options.canary && size > 0 ? CANARY_BYTES : 0);
}

/* ---- freed memory is zero ---- */

static bool is_zero(const char *start, size_t length)
{
    uint64_t bits = 0, words[4];
    size_t at = 0;
    for (; at + sizeof words <= length; at += sizeof words) {
        memcpy(words, start + at, sizeof words);
        bits |= words[0] | words[1] | words[2] | words[3];
    }
    for (; at < length; at++)
        bits |= (unsigned char)start[at];
    return bits == 0;
}

static void verify_zero(const struct anvil_heap *heap, const char *start, size_t length,
                        const char *function)
{
    if (heap->options.zero && !is_zero(start, length))
        panic_fault(function, start,
                    &(struct fault){.kind = FAULT_WRITE_AFTER_FREE, .size = length});
}

/* Pages that go back to the system come back as zero: cheaper for large blocks, most of which may
 * never have been written to. Tries twice, because an injected refusal comes once, and clearing by
 * hand would make gigabytes resident. */
static void clear(struct anvil_heap *heap, char *start, size_t length)
{
    bool is_cleared = false;
    if (length >= DISCARD_FROM && is_page_run(start, length)) {
        sync_lock_acquire(&heap->lock);
        for (int tries = 0; tries < 2 && !is_cleared; tries++)
            is_cleared = pages_purge(&heap->pages, start, length) == 0;
        sync_lock_release(&heap->lock);
    }
    if (!is_cleared)
        memset(start, 0, length);
}

/* ---- the quarantine ---- */

/* Frees for good. */
static void release(struct anvil_heap *heap, const struct heap_waiting *waiting)
{
    struct slab_entry entry = {.block = waiting->start, .tag = waiting->tag};
    verify_zero(heap, waiting->start, waiting->capacity, "free");
    if (waiting->extent != NULL) {
        waiting->extent->as.block.next = NULL;
        heap_put_runs(heap, waiting->extent);
    } else if (slabs_put(&heap->slabs, waiting->class_index, &entry, 1) != 1) {
        struct fault fault = {.kind = FAULT_DOUBLE_FREE, .size = waiting->capacity};
        panic_fault("free", waiting->start, &fault);
    }
}

/* Under the lock of the quarantine. */
static unsigned choose_place(struct anvil_heap *heap)
{
    struct heap_quarantine *quarantine = &heap->quarantine;
    if (!heap->options.random)
        return quarantine->oldest;
    quarantine->random ^= quarantine->random << 13; /* xorshift: Marsaglia, 2003 */
    quarantine->random ^= quarantine->random >> 7;
    quarantine->random ^= quarantine->random << 17;
    return (unsigned)((quarantine->oldest + quarantine->random % quarantine->count) %
                      QUARANTINE_MAX);
}

/* Takes one block out: the oldest, or one at random whose place the oldest takes. Under the
 * lock. */
static struct heap_waiting take_out(struct anvil_heap *heap)
{
    struct heap_quarantine *quarantine = &heap->quarantine;
    unsigned place = choose_place(heap);
    struct heap_waiting out = quarantine->waiting[place];
    quarantine->waiting[place] = quarantine->waiting[quarantine->oldest];
    quarantine->oldest = (quarantine->oldest + 1) % QUARANTINE_MAX;
    quarantine->count--;
    quarantine->bytes -= out.capacity;
    return out;
}

/* Takes out a block while there are more bytes or blocks than allowed. */
static bool next_out(struct anvil_heap *heap, size_t bytes, unsigned blocks,
                     struct heap_waiting *ret_out)
{
    struct heap_quarantine *quarantine = &heap->quarantine;
    sync_lock_acquire(&quarantine->lock);
    bool is_any =
        quarantine->count > 0 && (quarantine->bytes > bytes || quarantine->count > blocks);
    if (is_any)
        *ret_out = take_out(heap);
    sync_lock_release(&quarantine->lock);
    return is_any;
}

/* Returns false if there is no place. */
static bool put_in(struct anvil_heap *heap, const struct heap_waiting *waiting)
{
    struct heap_quarantine *quarantine = &heap->quarantine;
    sync_lock_acquire(&quarantine->lock);
    bool has_place = quarantine->count < QUARANTINE_MAX;
    if (has_place) {
        quarantine->waiting[(quarantine->oldest + quarantine->count) % QUARANTINE_MAX] = *waiting;
        quarantine->count++;
        quarantine->bytes += waiting->capacity;
    }
    sync_lock_release(&quarantine->lock);
    return has_place;
}

bool harden_flush(struct anvil_heap *heap)
{
    struct heap_waiting out;
    bool is_any = false;
    while (next_out(heap, 0, 0, &out)) {
        release(heap, &out);
        is_any = true;
    }
    return is_any;
}

/* The block freed last is looked at with every request, and not only when it leaves: a stale
 * pointer is mostly used soon. Under the lock, so that nobody takes it out meanwhile. */
static void verify_last_freed(struct anvil_heap *heap)
{
    struct heap_quarantine *quarantine = &heap->quarantine;
    struct heap_waiting last = {.start = NULL};
    bool is_whole = true;
    if (!heap->options.zero || heap->options.quarantine == 0)
        return;
    sync_lock_acquire(&quarantine->lock);
    if (quarantine->count > 0) {
        unsigned place = (quarantine->oldest + quarantine->count - 1) % QUARANTINE_MAX;
        last = quarantine->waiting[place];
        is_whole = is_zero(last.start, size_min(last.capacity, PAGE_BYTES));
    }
    sync_lock_release(&quarantine->lock);
    if (!is_whole)
        panic_fault("malloc", last.start,
                    &(struct fault){.kind = FAULT_WRITE_AFTER_FREE, .size = last.capacity});
}

/* ---- allocating and freeing ---- */

static void set_size(const struct heap_block *block, size_t size, unsigned request_code)
{
    if (block->slab != NULL) {
        sync_tag_write(block->tag, slab_tag_live(size, request_code));
    } else {
        extent_set_size(block->extent, size);
        block->extent->request_code = (uint8_t)request_code;
    }
}

int harden_alloc(struct anvil_heap *heap, size_t size, size_t alignment, unsigned request_code,
                 bool is_cleared, char **ret_start)
{
    struct heap_fresh fresh;
    struct heap_block block;
    size_t length = padded(heap, size);
    if (length > SIZE_LIMIT)
        return ENOMEM;
    verify_newest(heap);
    verify_last_freed(heap);
    if (heap_alloc(heap, length, alignment, request_code, &fresh) != 0 &&
        !(harden_flush(heap) && heap_alloc(heap, length, alignment, request_code, &fresh) == 0))
        return ENOMEM;
    bool is_found = heap_find(heap, fresh.start, &block);
    ASSERT(is_found);
    (void)is_found;
    if (fresh.dirty > 0)
        verify_zero(heap, block.start, block.slab != NULL ? block.capacity : fresh.dirty, "malloc");
    if (is_cleared && !heap->options.zero)
        memset(block.start, 0, size_min(fresh.dirty, size));
    set_size(&block, size, request_code);
    canary_write(heap, block.start, size, block.capacity);
    note_newest(heap, &block, size);
    *ret_start = block.start;
    return 0;
}

/* A mapping of its own does not wait: it would have no state to wait in. */
static bool has_state_to_wait(const struct heap_block *block)
{
    return block->slab != NULL || extent_state(block->extent) == EXTENT_LARGE;
}

bool harden_free(struct anvil_heap *heap, const struct heap_block *block, const char *function)
{
    harden_verify(heap, block, function);
    forget_newest(heap, block);
    if (heap->options.zero)
        clear(heap, block->start, block->capacity);
    if (heap->options.quarantine < block->capacity || !has_state_to_wait(block))
        return heap_free(heap, block);
    struct heap_waiting waiting = {.start = block->start,
                                   .tag = block->tag,
                                   .extent = block->extent,
                                   .capacity = block->capacity};
    if (block->slab != NULL) {
        waiting.class_index = block->slab->class_index;
        sync_tag_write(block->tag, SLAB_TAG_TAKEN);
    } else {
        extent_set_state(block->extent, EXTENT_CACHED);
    }
    struct heap_waiting out;
    while (next_out(heap, heap->options.quarantine - block->capacity, QUARANTINE_MAX - 1, &out))
        release(heap, &out);
    if (!put_in(heap, &waiting)) /* others were faster */
        release(heap, &waiting);
    return true;
}

/* ---- resizing ---- */

/* Small blocks and extents: in place while at least half of the block stays in use. */
static bool resize_in_place(struct anvil_heap *heap, const struct heap_block *block, size_t size,
                            bool must_stay)
{
    bool is_close = size >= block->capacity / 2 || size == block->size;
    if (padded(heap, size) > block->capacity && !(must_stay && size <= block->capacity))
        return false;
    if (!is_close && !must_stay)
        return false;
    size_t used = size_min(size, block->size);
    forget_newest(heap, block);
    if (heap->options.zero)
        memset(block->start + used, 0, block->capacity - used);
    set_size(block, size, 0);
    canary_write(heap, block->start, size, block->capacity);
    note_newest(heap, block, size);
    return true;
}

enum heap_resized harden_resize(struct anvil_heap *heap, const struct heap_block *block,
                                size_t size, bool must_stay, char **ret_start)
{
    *ret_start = block->start;
    return resize_in_place(heap, block, size, must_stay) ? HEAP_RESIZED : HEAP_MUST_MOVE;
}
