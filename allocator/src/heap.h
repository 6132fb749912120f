/* SPDX-License-Identifier: MIT */
/*
 * A heap: one of each lower layer, and its locks. It routes a request by its size and tells what a
 * pointer stands for.
 *
 *     up to 32 KiB, aligned to a page at most     a block in a slab
 *     up to the mmap threshold                    an extent; if threads keep blocks, of a run class
 *     above, or aligned to far more               an extent with a mapping of its own (sources that
 *                                                 have any)
 *
 * The functions below take the locks that they need and neither set errno nor panic on misuse:
 * malloc.c does both. A block is found without any lock; between heap_find and what follows it
 * belongs to its caller alone.
 *
 * Lock order within a heap: the quarantine's, the spans', those of the slabs by rising number, then
 * `lock`.
 */
#ifndef ANVIL_HEAP_H
#define ANVIL_HEAP_H

#include "anvil.h"
#include "extent.h"
#include "mapping.h"
#include "meta.h"
#include "pages.h"
#include "panic.h"
#include "slab.h"
#include "span.h"
#include "sync.h"

enum { HEAP_GONE_COUNT = 64 };

/* Where a freed large block was, so that its double free is recognised, with its size. */
struct heap_gone {
    const char *start;
    size_t size;
};

/* A freed block that waits in the quarantine: see harden.h. */
struct heap_waiting {
    char *start;
    struct sync_tag *tag;  /* of a small block */
    struct extent *extent; /* of a large one */
    size_t capacity;
    unsigned class_index; /* of a small block */
};

/* The live block that was handed out last; start NULL: it was freed since. */
struct heap_newest {
    char *start;
    size_t size, capacity;
};

enum { QUARANTINE_MAX = 256 };

/* A ring, guarded by its lock. */
struct heap_quarantine {
    struct sync_lock lock;
    unsigned oldest, count;
    size_t bytes;
    uint64_t random; /* never 0 */
    struct heap_waiting waiting[QUARANTINE_MAX];
    struct heap_newest newest;
};

/* What every process uses comes first: it fits into one page. */
struct anvil_heap {
    unsigned id;               /* owner number in the pagemap */
    bool is_hardened;          /* any level on: see harden.h */
    struct sync_tag small_max; /* bytes: slabs have no larger blocks */
    struct anvil_options options;
    uint64_t secret;       /* what canaries depend on */
    struct sync_lock lock; /* guards what follows, but for the slabs and the quarantine */
    unsigned gone_next;
    struct pages pages;
    struct meta meta;
    struct extents extents;
    size_t own_length;        /* bytes of the mapping that this struct lies in; 0: it is static */
    struct pages fresh_pages; /* as they were when the heap was made */
    struct slabs slabs;       /* with locks of its own */
    struct heap_gone gone[HEAP_GONE_COUNT];
    struct heap_quarantine quarantine; /* of a hardened heap */
};

/* A live block, as heap_find found it. */
struct heap_block {
    struct slab *slab;     /* NULL: an extent of its own */
    struct sync_tag *tag;  /* if in a slab */
    struct extent *extent; /* if not */
    char *start;
    size_t size, capacity;
    unsigned span_blocks;  /* 0: no span; see slab.h */
    unsigned request_code; /* enum request_code */
};

/* A new block. Only its first `dirty` bytes may be other than zero. */
struct heap_fresh {
    char *start;
    size_t dirty;
};

enum heap_resized { HEAP_RESIZED, HEAP_MUST_MOVE };

/* Makes an empty heap. The struct is zeroed or was destroyed; `pages` is initialised. The locks are
 * left as they are. */
void heap_init(struct anvil_heap *heap, unsigned id, const struct anvil_options *options,
               const struct pages *pages, size_t own_length);
/* Drops every block and releases all memory but the heap's own struct. The caller holds all
 * locks. */
void heap_destroy(struct anvil_heap *heap);
/* All locks of the heap, for a look at the whole of it. */
void heap_lock(struct anvil_heap *heap);
void heap_unlock(struct anvil_heap *heap);
/* Before the heap is used at all: it takes no lock. */
void heap_turn_locks_off(struct anvil_heap *heap);
/* Calls act for each lock of the heap, in order. */
void heap_for_each_lock(struct anvil_heap *heap, void (*act)(struct sync_lock *lock));

/* Blocks from here up have a mapping of their own, as the option says. */
void heap_set_mmap_threshold(struct anvil_heap *heap, size_t threshold);

/* Do slabs of this heap serve the request? */
static inline bool heap_serves_small(const struct anvil_heap *heap, size_t size, size_t alignment)
{
    return size_class_serves(size, alignment) &&
           size_classes[size_class_of_aligned(size, alignment)].bytes <=
               sync_tag_read(&heap->small_max);
}

/* alignment: a power of two; request_code: what is remembered of the request. Returns 0 or
 * ENOMEM. */
int heap_alloc(struct anvil_heap *heap, size_t size, size_t alignment, unsigned request_code,
               struct heap_fresh *ret_fresh);
/* As slabs_take, but gives up what the heap keeps for speed before it fails. */
int heap_take(struct anvil_heap *heap, unsigned class_index, struct slab_entry *entries,
              unsigned wanted, unsigned *ret_count);
/* Frees blocks that were in a thread's cache or in the quarantine, linked by `next`. */
void heap_put_runs(struct anvil_heap *heap, struct extent *first);
/* Returns false if the block has been freed since it was found. */
bool heap_free(struct anvil_heap *heap, const struct heap_block *block);
/* Finds the live block of this heap that starts at the pointer. Returns false if there is none;
 * heap_diagnose tells why. */
bool heap_find(const struct anvil_heap *heap, const void *pointer, struct heap_block *ret_block);
struct fault heap_diagnose(struct anvil_heap *heap, const void *pointer);
/* Makes the block `size` bytes long where it is, or, in a mapping of its own, at *ret_start.
 * must_stay: takes any place that is large enough, so that shrinking never fails. */
enum heap_resized heap_resize(struct anvil_heap *heap, const struct heap_block *block, size_t size,
                              bool must_stay, char **ret_start);
/* Releases or purges all unused pages but `keep` bytes. Returns whether any memory left the
 * process. */
bool heap_trim(struct anvil_heap *heap, size_t keep);

#endif
