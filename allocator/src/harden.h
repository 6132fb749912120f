/* SPDX-License-Identifier: MIT */
/*
 * The optional levels of hardening, for heaps that ask for any of them. They cost time and memory,
 * so such a heap has no caches, and every call for one of its blocks comes through here.
 *
 *     canary       | size asked for | canary | rest | tail |    32 and 16 bytes, checked at free;
 *                  that of the block handed out last also with every request
 *     zero         a freed block is cleared at once; that it still is zero is checked before it is
 *                  handed out again: a write after free is found, and secrets do not linger;
 *                  with a quarantine, the block freed last is checked with every request
 *     quarantine   a freed block waits until so many bytes, or QUARANTINE_MAX blocks, were freed
 *                  after it: a stale pointer meets a freed block and not somebody else's
 *     random       blocks leave the quarantine in random order, and so come back in random order
 *     form         the block remembers whether new or new[] made it; a delete of the other form is
 *                  found by whoever has the deletes: see malloc.h
 *
 * The memory of a zero heap is zero wherever no block is live. Mappings of their own skip the
 * quarantine.
 *
 * Lock: that of the quarantine guards its places and the newest block; nothing is taken below it.
 */
#ifndef ANVIL_HARDEN_H
#define ANVIL_HARDEN_H

#include "heap.h"

/* Any option on? */
static inline bool harden_is_on(const struct anvil_heap *heap)
{
    return heap->is_hardened;
}

/* As heap_alloc; the block is all zero if `is_cleared`. Panics if freed memory was written to. */
int harden_alloc(struct anvil_heap *heap, size_t size, size_t alignment, unsigned request_code,
                 bool is_cleared, char **ret_start);
/* Frees a block that was found. Panics if its canary was overwritten. Returns false if the block
 * has been freed since it was found. */
bool harden_free(struct anvil_heap *heap, const struct heap_block *block, const char *function);
/* Panics if the block's canary was overwritten. */
void harden_verify(const struct anvil_heap *heap, const struct heap_block *block,
                   const char *function);
/* As heap_resize, for a block that was verified. */
enum heap_resized harden_resize(struct anvil_heap *heap, const struct heap_block *block,
                                size_t size, bool must_stay, char **ret_start);
/* Bytes that the caller may use. */
static inline size_t harden_usable(const struct anvil_heap *heap, const struct heap_block *block)
{
    return heap->options.canary ? block->size : block->capacity;
}
/* Frees what the quarantine holds. Returns whether it held any. */
bool harden_flush(struct anvil_heap *heap);

#endif
