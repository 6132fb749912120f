/* SPDX-License-Identifier: MIT */
/*
 * anvil: a complete, hardened general-purpose allocator. This header is its manual.
 *
 * Units: `size` is bytes that the caller asked for, `capacity` bytes that the caller may use,
 * `alignment` a power of two in bytes.
 *
 * Contract of every allocating function below, said once:
 *  - success: a block aligned to at least 16 bytes (or to `alignment` if larger) that overlaps no
 *    other live block; size 0 yields a unique block that can be freed, and faults
 *    when it is read or written, where the system allows that;
 *  - failure: NULL and errno = ENOMEM, nothing else changed. It fails when the page source gives no
 *    memory, and always for sizes above PTRDIFF_MAX and for products that overflow;
 *  - cost: O(log n) in the number of free extents at worst, O(1) for sizes up to ANVIL_SMALL_MAX;
 *  - threads: every function may be called by any thread at any time, on any heap, but for create
 *    and destroy of the same heap.
 *
 * A pointer that is not a live block of that heap (invalid, interior, foreign, freed twice) is the
 * caller's bug: it is named in one line on stderr, and the process aborts. free and everything that
 * frees leave errno as it was.
 *
 * Sources: ISO C17 7.22.3, C23 7.24.3, POSIX.1-2024 malloc/free/realloc/posix_memalign, the glibc
 * manual for the extensions.
 */
#ifndef ANVIL_H
#define ANVIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the plain functions: one process-wide default heap, set up at the first call, options from
 * the environment ANVIL_OPTIONS ---- */

void *anvil_malloc(size_t size);
/* count * size bytes, every byte zero. */
void *anvil_calloc(size_t count, size_t size);
/* NULL acts as malloc. size 0 frees the block and returns NULL with EINVAL (POSIX.1-2024). Failure
 * keeps the old block. */
void *anvil_realloc(void *block, size_t size);
/* realloc(block, count * size); a product that overflows fails and keeps the block. */
void *anvil_reallocarray(void *block, size_t count, size_t size);
/* NULL is a no-op. */
void anvil_free(void *block);
/* As free; a size (and alignment) that differs from the request is diagnosed and aborts. The
 * capacity is taken for the size too. */
void anvil_free_sized(void *block, size_t size);
void anvil_free_aligned_sized(void *block, size_t alignment, size_t size);
/* An alignment that is not a power of two fails with EINVAL. Any size is taken, a multiple of the
 * alignment or not. */
void *anvil_aligned_alloc(size_t alignment, size_t size);
/* As aligned_alloc, but an alignment that is not a power of two, 0 included, is rounded up to one:
 * no standard has this function, and its callers were written against C libraries that do so. An
 * alignment above the largest power of two fails with EINVAL. */
void *anvil_memalign(size_t alignment, size_t size);
/* Returns 0, EINVAL (not a power of two, or not a multiple of sizeof(void *)) or ENOMEM; *ret_block
 * is written on success only, errno never. */
int anvil_posix_memalign(void **ret_block, size_t alignment, size_t size);
/* Page-aligned; pvalloc also rounds the size up to whole pages. */
void *anvil_valloc(size_t size);
void *anvil_pvalloc(size_t size);
/* The capacity of a live block, at least its size; 0 for NULL. */
size_t anvil_malloc_usable_size(void *block);
/* Gives unused whole pages back to the system, but for `keep` bytes at the top. Returns 1 if any
 * memory was given back, else 0. */
int anvil_malloc_trim(size_t keep);

/* The fields of glibc's struct mallinfo2 that mean something here; the same names and units (bytes,
 * counts). */
struct anvil_mallinfo2 {
    size_t arena;    /* bytes from the page source that are not `hblkhd` */
    size_t ordblks;  /* free extents */
    size_t smblks;   /* free small blocks in slabs */
    size_t hblks;    /* blocks with a mapping of their own */
    size_t hblkhd;   /* bytes of those mappings */
    size_t usmblks;  /* 0, as in glibc */
    size_t fsmblks;  /* bytes in free small blocks */
    size_t uordblks; /* bytes in live blocks, capacity, mappings of their own left out */
    size_t fordblks; /* bytes free inside `arena` */
    size_t keepcost; /* bytes that malloc_trim(0) could give back */
};
struct anvil_mallinfo2 anvil_mallinfo2(void);

/* ---- heaps as objects: NULL stands for the default heap in every function that takes one ---- */

typedef struct anvil_heap anvil_heap;

#define ANVIL_SMALL_MAX 32768 /* bytes; larger blocks are extents of their own */

enum anvil_source {
    ANVIL_SOURCE_MMAP,
    ANVIL_SOURCE_SBRK,
    /* one fixed, caller-owned region: deterministic addresses, never asks the system */
    ANVIL_SOURCE_ARENA
};

enum anvil_fit { ANVIL_FIT_FIRST, ANVIL_FIT_NEXT, ANVIL_FIT_BEST, ANVIL_FIT_WORST };

/* A field that is 0 means its default. */
struct anvil_options {
    enum anvil_source source;
    enum anvil_fit fit;
    /* ANVIL_SOURCE_ARENA: page-aligned, all zero; metadata lives there too */
    void *arena;
    size_t arena_size; /* bytes, a multiple of the page size */
    /* bytes; blocks from here up, or aligned to 16 times as much, get a mapping of their own.
     * Default 1 MiB */
    size_t mmap_threshold;
    /* bytes; a free run beyond this and a quarter of the heap goes back at once. Default 4 MiB; in
     * an arena never */
    size_t trim_threshold;
    /* the caller sees to it that one thread at a time uses the heap: it takes no lock */
    bool unlocked;
    /* the default heap: threads keep no blocks of their own, so every call takes a lock */
    bool uncached;
    /* Levels of hardening, each at a cost that allocator/README.md states; "secure" is all of them.
     * With any of them but the last, threads keep no blocks of their own. */
    /* free and realloc find a write past the end of a block, from one byte on; each block takes 32
     * bytes more, and the capacity that malloc_usable_size tells is the size */
    bool canary;
    /* freed blocks are cleared, and a write to one is found before its memory is used again */
    bool zero;
    /* freed blocks are used again in random order; quarantine is 256 KiB if it is 0 */
    bool random;
    /* bytes; a freed block is not used again until so many, or 256 blocks, were freed after it.
     * Blocks with a mapping of their own do not wait */
    size_t quarantine;
    /* what operator new[] of the drop-in made must not go to delete, nor the other way round */
    bool form;
    /* an inaccessible page after each slab, of which there can be 16,384; threads do keep blocks */
    bool guard;
    /* the arena is one private anonymous mapping: clearing long stretches of it may use madvise */
    bool arena_discard;
};

/* Parses "source:sbrk,fit:best,mmap_threshold:65536,…" onto *options. Returns 0, or EINVAL with one
 * sentence that names the bad item in `error` (of error_size bytes); items before it have been
 * applied. */
int anvil_options_parse(const char *text, struct anvil_options *options, char *error,
                        size_t error_size);

/* options NULL: all defaults. Returns 0, EINVAL (options that contradict each other) or ENOMEM
 * (also beyond 4094 heaps at a time). */
int anvil_heap_create(anvil_heap **ret_heap, const struct anvil_options *options);
/* Drops every block and gives all memory back; a fixed arena is all zero again. No-op for NULL. */
void anvil_heap_destroy(anvil_heap *heap);
/* Drops every block: the heap is as create left it, a fixed arena behaves as if all zero again.
 * Cost: proportional to what was handed out. */
void anvil_heap_reset(anvil_heap *heap);

/* As the plain functions, on one heap. */
void *anvil_heap_malloc(anvil_heap *heap, size_t size);
void *anvil_heap_calloc(anvil_heap *heap, size_t count, size_t size);
void *anvil_heap_realloc(anvil_heap *heap, void *block, size_t size);
void *anvil_heap_reallocarray(anvil_heap *heap, void *block, size_t count, size_t size);
void anvil_heap_free(anvil_heap *heap, void *block);
void anvil_heap_free_sized(anvil_heap *heap, void *block, size_t size);
void anvil_heap_free_aligned_sized(anvil_heap *heap, void *block, size_t alignment, size_t size);
void *anvil_heap_aligned_alloc(anvil_heap *heap, size_t alignment, size_t size);
void *anvil_heap_memalign(anvil_heap *heap, size_t alignment, size_t size);
int anvil_heap_posix_memalign(anvil_heap *heap, void **ret_block, size_t alignment, size_t size);
void *anvil_heap_valloc(anvil_heap *heap, size_t size);
void *anvil_heap_pvalloc(anvil_heap *heap, size_t size);
size_t anvil_heap_malloc_usable_size(anvil_heap *heap, void *block);
int anvil_heap_malloc_trim(anvil_heap *heap, size_t keep);

/* ---- looking inside: walk, check, statistics and dump are visitors of one walker, so each costs
 * O(blocks) ---- */

struct anvil_region {
    void *start;
    size_t length;   /* bytes covered */
    size_t size;     /* bytes asked for; 0 unless live */
    bool is_live;    /* false: free */
    bool is_small;   /* a block of a slab; else an extent */
    bool is_mapping; /* an extent with a mapping of its own */
};
/* Calls visit for every block and free extent, by address within one mapping, under the heap's
 * locks (visit must not call anvil). A freed block that a thread keeps for itself is free. Stops at
 * the first non-zero result of visit and returns it. */
int anvil_heap_walk(anvil_heap *heap,
                    int (*visit)(const struct anvil_region *region, void *context), void *context);

/* Verifies every invariant of every layer. Returns 0, or EINVAL with the broken invariant's name
 * and one sentence in `error`. */
int anvil_heap_check(anvil_heap *heap, char *error, size_t error_size);
/* One line per region to a file descriptor; allocates nothing. */
void anvil_heap_dump(anvil_heap *heap, int fd);

struct anvil_stats {
    size_t live_blocks, live_size, live_capacity;
    size_t free_extents, free_bytes;
    /* bytes held from the page source, mappings of their own and metadata included */
    size_t mapped, mapped_peak;
    size_t os_calls; /* requests made to the page source so far, failed ones included */
};
void anvil_heap_stats(anvil_heap *heap, struct anvil_stats *ret_stats);

/* Makes the nth-next request to the page source fail once (1: the very next); 0 cancels. */
void anvil_heap_fail_os_call(anvil_heap *heap, unsigned nth);

#ifdef __cplusplus
}
#endif

#endif
