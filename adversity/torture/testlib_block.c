/* SPDX-License-Identifier: MIT */
/* Blocks. Each word of one names the block and its own position, so that a wrong word tells whose
 * it is. */
#include "adversity/torture/testlib.h"

enum { WORD = 8, SERIAL_BITS = 26, ERRNO_UNTOUCHED = 7777, ONE_IS_EMPTY = 64 };
#define DISGUISE 0x9e3779b97f4a7c15u /* so that neither zero nor a small number is a word */

static uint64_t make_word(uint32_t key, size_t position)
{
    return ((uint64_t)key << 32 | (uint32_t)(position / WORD)) ^ DISGUISE;
}

static void fill(const struct block *block)
{
    for (size_t at = 0; at < block->size; at += WORD) {
        uint64_t word = make_word(block->key, at);
        memcpy(block->address + at, &word, block->size - at < WORD ? block->size - at : WORD);
    }
}

/* The first wrong position below size; size: none. */
static size_t find_wrong(const struct block *block, size_t size)
{
    for (size_t at = 0; at < size; at += WORD) {
        uint64_t word = make_word(block->key, at);
        if (memcmp(block->address + at, &word, size - at < WORD ? size - at : WORD) != 0)
            return at;
    }
    return size;
}

static unsigned maker_of(uint32_t key)
{
    return key >> SERIAL_BITS;
}

/* Does a wrong word belong to another block? */
static bool is_of_other_block(const struct block *block, size_t at, uint32_t *ret_key)
{
    uint64_t word;
    if (block->size - at < WORD)
        return false;
    memcpy(&word, block->address + at, WORD);
    word ^= DISGUISE;
    *ret_key = (uint32_t)(word >> 32);
    return *ret_key != block->key && maker_of(*ret_key) < torture_options.workers &&
           (*ret_key & ((1u << SERIAL_BITS) - 1)) != 0 && (uint32_t)word < (64u << 20);
}

/* source: where its bytes come from. */
static _Noreturn void fail_content(struct worker *worker, const struct block *block, size_t at,
                                   const char *when, const char *call, const struct block *source)
{
    uint32_t other;
    unsigned maker = maker_of(block->key);
    if (is_of_other_block(block, at, &other))
        torture_fail_on(
            source, worker, "overlap", call,
            "thread %u, %s: byte %zu of a live block of %zu bytes at %p, made by thread "
            "%u, is what thread %u wrote to another block",
            worker->id, when, at, block->size, (void *)block->address, maker, maker_of(other));
    uint64_t found = 0;
    memcpy(&found, block->address + at, block->size - at < WORD ? block->size - at : WORD);
    torture_fail_on(source, worker, "content", call,
                    "thread %u, %s: the bytes from %zu of a live block of %zu bytes at %p, made by "
                    "thread %u, have changed to %#llx",
                    worker->id, when, at, block->size, (void *)block->address, maker,
                    (unsigned long long)found);
}

void block_check(struct worker *worker, const struct block *block, const char *when)
{
    size_t wrong = find_wrong(block, block->size);
    if (wrong < block->size)
        fail_content(worker, block, wrong, when, NULL, block);
}

size_t random_size(struct worker *worker, size_t limit)
{
    uint32_t kind = torture_random(worker, 1000);
    uint32_t below = kind < 700 ? 300 : kind < 940 ? 5000 : kind < 996 ? 60000 : 1000000;
    return 1 + torture_random(worker, below) % (uint32_t)limit;
}

static void judge_new(struct worker *worker, const struct block *block, size_t alignment,
                      const char *call)
{
    if (block->address == NULL && block->size > 0)
        torture_fail(worker, "null", call, "thread %u: %s of %zu bytes returned NULL", worker->id,
                     call, block->size);
    if ((uintptr_t)block->address % alignment != 0 && !torture_is_muted("alignment"))
        torture_fail(worker, "alignment", call,
                     "thread %u: a block of %zu bytes came at %p, not aligned to %zu", worker->id,
                     block->size, (void *)block->address, alignment);
}

static void judge_zero(struct worker *worker, const struct block *block)
{
    for (size_t at = 0; at < block->size; at++)
        if (block->address[at] != 0 && !torture_is_muted("zeroed"))
            torture_fail_on(block, worker, "zeroed", "calloc",
                            "thread %u: byte %zu of %zu at %p is %#x", worker->id, at, block->size,
                            (void *)block->address, block->address[at]);
}

/* What any object of that size may need. */
static size_t natural_alignment(size_t size)
{
    size_t alignment = torture_options.alignment;
    while (alignment > 1 && alignment > size)
        alignment /= 2;
    return alignment;
}

static const char *make_aligned(struct worker *worker, struct block *block, size_t alignment)
{
    void *address = NULL;
    if (calls.posix_memalign != NULL && torture_random(worker, 2) == 0) {
        call_begins(worker, IN_posix_memalign);
        block->address =
            calls.posix_memalign(&address, alignment, block->size) == 0 ? address : NULL;
        return "posix_memalign";
    }
    if (calls.memalign != NULL && torture_random(worker, 2) == 0) {
        call_begins(worker, IN_memalign);
        block->address = calls.memalign(alignment, block->size);
        return "memalign";
    }
    if (calls.aligned_alloc == NULL)
        return NULL;
    block->size = (block->size + alignment - 1) / alignment * alignment;
    call_begins(worker, IN_aligned_alloc);
    block->address = calls.aligned_alloc(alignment, block->size);
    return "aligned_alloc";
}

static const char *make_plain(struct worker *worker, struct block *block, uint32_t kind)
{
    if (kind < 12 && calls.calloc != NULL) {
        call_begins(worker, IN_calloc);
        block->address = calls.calloc(1, block->size);
        return "calloc";
    }
    if (kind < 16 && calls.realloc != NULL) {
        call_begins(worker, IN_realloc);
        block->address = calls.realloc(NULL, block->size);
        return "realloc";
    }
    call_begins(worker, IN_malloc);
    block->address = calls.malloc(block->size);
    return "malloc";
}

/* Counts what is served, and tells whether a small subject may refuse. */
static bool is_refused(const struct block *block)
{
    if (block->address != NULL)
        atomic_store_explicit(&torture_report->is_served, 1, memory_order_relaxed);
    return block->address == NULL && torture_options.is_small;
}

void block_make(struct worker *worker, struct block *ret_block, size_t limit)
{
    uint32_t kind = torture_random(worker, 50);
    uint32_t serial = ++worker->serial & ((1u << SERIAL_BITS) - 1);
    struct block block = {.size = random_size(worker, limit),
                          .key = worker->id << SERIAL_BITS | (serial != 0 ? serial : 1)};
    worker->made += block.size;
    size_t alignment = (size_t)16 << torture_random(worker, 6);
    const char *call = kind >= 46 ? make_aligned(worker, &block, alignment) : NULL;
    if (call == NULL) {
        block.size = torture_random(worker, ONE_IS_EMPTY) == 0 ? 0 : block.size;
        alignment = natural_alignment(block.size);
        call = make_plain(worker, &block, kind);
    }
    if (block.address != NULL)
        call_gives(worker, &block);
    call_ends(worker);
    *ret_block = (struct block){0};
    if (is_refused(&block))
        return;
    judge_new(worker, &block, alignment, call);
    if (call[0] == 'c')
        judge_zero(worker, &block);
    fill(&block);
    *ret_block = block;
}

void block_resize(struct worker *worker, struct block *block, size_t size)
{
    block_check(worker, block, "before realloc");
    if (calls.realloc == NULL || block->address == NULL)
        return;
    struct block resized = {.size = size, .key = block->key};
    size_t kept = size < block->size ? size : block->size;
    call_begins(worker, IN_realloc);
    call_takes(worker, block);
    resized.address = calls.realloc(block->address, size);
    if (resized.address != NULL)
        call_gives(worker, &resized);
    call_ends(worker);
    if (is_refused(&resized)) {
        block_check(worker, block, "after realloc failed");
        return;
    }
    judge_new(worker, &resized, natural_alignment(size), "realloc");
    size_t wrong = find_wrong(&resized, kept);
    if (wrong < kept)
        fail_content(worker, &resized, wrong, "after realloc", "realloc", block);
    fill(&resized);
    *block = resized;
}

void block_drop(struct worker *worker, struct block *block)
{
    if (block->address == NULL)
        return;
    block_check(worker, block, "before free");
    call_begins(worker, IN_free);
    call_takes(worker, block);
    errno = ERRNO_UNTOUCHED;
    calls.free(block->address);
    int seen = errno;
    call_ends(worker);
    if (seen != ERRNO_UNTOUCHED && !torture_is_muted("errno"))
        torture_fail(worker, "errno", "free",
                     "thread %u: free(%p) of %zu bytes changed errno to %d", worker->id,
                     (void *)block->address, block->size, seen);
    block->address = NULL;
}

void block_ask_usable(struct worker *worker, const struct block *block)
{
    if (calls.malloc_usable_size == NULL || block->address == NULL)
        return;
    call_begins(worker, IN_malloc_usable_size);
    size_t first = calls.malloc_usable_size(block->address),
           second = calls.malloc_usable_size(block->address);
    call_ends(worker);
    if ((first < block->size || first != second) && !torture_is_muted("usable"))
        torture_fail(
            worker, "usable", "malloc_usable_size",
            "thread %u: a live block of %zu bytes has %zu usable ones, and asked again %zu",
            worker->id, block->size, first, second);
}
