/* SPDX-License-Identifier: MIT */
/*
 * The invariants of every layer, each with its name and its one sentence. anvil_heap_check reports
 * the first that is broken as
 *
 *     extent-coalesced: no two free extents touch (at 0x7f0012340000)
 *
 * To add an invariant, add a line here, its test in check.c, and a violation made by hand to
 * tests/test_check.c, which covers every name in this list.
 */
#ifndef ANVIL_CHECK_H
#define ANVIL_CHECK_H

#include "heap.h"

#define CHECK_LIST(X)                                                                             \
    X(EXTENT_SHAPE, "extent-shape",                                                               \
      "an extent is whole pages, in a known state, and dirty at most to its end")                 \
    X(EXTENT_ORDER, "extent-order",                                                               \
      "the list is linked both ways, ends where it says, and follows the addresses within a run") \
    X(EXTENT_OVERLAP, "extent-overlap", "no two extents share a page")                            \
    X(EXTENT_COALESCED, "extent-coalesced", "no two free extents touch")                          \
    X(EXTENT_SIZE, "extent-size", "a large block is no larger than its extent")                   \
    X(KNOWN_ZERO, "known-zero", "a free extent is zero behind its dirty part")                    \
    X(PAGEMAP_ENDS, "pagemap-ends", "the first and the last page of an extent lead to it")        \
    X(PAGEMAP_INNER, "pagemap-inner", "the pages between lead to it in a slab, and nowhere else") \
    X(TREE_ORDER, "tree-order",                                                                   \
      "the tree of free extents is in the order of the fit policy, and balanced by priority")     \
    X(TREE_MAX, "tree-max", "each node of the tree knows the largest extent below it")            \
    X(TREE_MEMBERS, "tree-members", "the tree holds the free extents and nothing else")           \
    X(PURGE_LIST, "purge-list",                                                                   \
      "the list of extents to purge holds the free ones that are worth it, linked both ways")     \
    X(EXTENT_SUMS, "extent-sums",                                                                 \
      "the sums of pages, free pages, dirty bytes and mappings agree with the extents")           \
    X(SOURCE_HELD, "source-held",                                                                 \
      "what the page source gave is extents, mappings, descriptors and the heap itself")          \
    X(SLAB_SHAPE, "slab-shape", "a slab's block size, capacity and counts belong together")       \
    X(SLAB_TAGS, "slab-tags",                                                                     \
      "a block that was carved is live, taken, free, or the rest of a span, and no other is")     \
    X(SLAB_SIZE, "slab-size", "no block is asked for beyond its capacity")                        \
    X(SLAB_FREE, "slab-free", "a slab's count of free blocks agrees with its tags")               \
    X(SLAB_FREE_LIST, "slab-free-list", "a slab's free list names each free block once")          \
    X(CLASS_PARTIAL, "class-partial",                                                             \
      "a class lists its slabs that have room, linked both ways, and no others")                  \
    X(CLASS_EMPTY, "class-empty",                                                                 \
      "a class keeps at most one slab with all blocks in it, and knows it")                       \
    X(SLAB_SUMS, "slab-sums", "the counts of slabs and of free blocks agree with the slabs")      \
    X(SPANS, "spans", "a span that waits for its use begins with a block that is taken")          \
    X(CACHE_ENTRIES, "cache-entries",                                                             \
      "the entries of the thread's magazines are blocks of their class that are taken")           \
    X(CACHE_RUNS, "cache-runs",                                                                   \
      "the large blocks that the thread keeps are cached, of their class, and add up")

#define CHECK_ID(id, name, sentence) CHECK_##id,
enum check_id { CHECK_OK, CHECK_LIST(CHECK_ID) CHECK_COUNT };
#undef CHECK_ID

const char *check_id_name(enum check_id id);

/* Returns the first broken invariant and its place, or CHECK_OK. The caller holds the heap's
 * lock. */
enum check_id check_heap(const struct anvil_heap *heap, const void **ret_place);

#endif
