/* SPDX-License-Identifier: MIT */
/*
 * The page source: all memory comes from here and goes back here. Lengths are whole pages, in
 * bytes.
 *
 * Three sources stand behind one table of functions: mmap, sbrk (with mmap for mappings of their
 * own) and a fixed arena that never asks the system. The front counts every request, keeps the sum
 * of what is held, and can refuse the n-th next request, so that tests reach each failure path.
 * Every function returns 0 or a positive errno; a failure changes nothing.
 *
 * Memory from pages_grow and pages_map is zero, and so is what was purged.
 */
#ifndef ANVIL_PAGES_H
#define ANVIL_PAGES_H

#include "base.h"

struct pages;

struct pages_ops {
    int (*grow)(struct pages *pages, size_t length, char **ret_start);
    int (*map)(struct pages *pages, size_t length, char **ret_start);
    int (*release)(struct pages *pages, char *start, size_t length, size_t dirty);
    int (*purge)(struct pages *pages, char *start, size_t length);
    int (*resize)(struct pages *pages, char *start, size_t old_length, size_t new_length);
    int (*move)(struct pages *pages, char *start, size_t old_length, char *target,
                size_t new_length);
    /* grow extends the last growth upwards, and only the top can be released */
    bool is_contiguous;
    bool has_mappings; /* large blocks may have a mapping of their own */
    bool is_system;    /* asks the operating system */
};

/* Guarded by the lock of the heap that owns it. */
struct pages {
    const struct pages_ops *ops;
    char *low, *top; /* contiguous sources: [low, top) is what grow gave; mmap: top ends the last */
    char *apart;     /* where metadata was mapped last */
    char *high, *end; /* arena: [high, end) is what map gave, downwards */
    bool may_discard; /* arena: a private anonymous mapping, which madvise can make zero */
    size_t held, held_peak;
    size_t calls;
    unsigned refuse_in; /* the request that will be refused; 1 is the next, 0 none */
};

void pages_init_mmap(struct pages *pages);
void pages_init_sbrk(struct pages *pages);
/* The arena is all zero, page-aligned, and used by nobody else. */
void pages_init_arena(struct pages *pages, char *start, size_t length, bool may_discard);

/* The fork handlers, as sync_fork_begin and sync_fork_end: hold off all who move the break. */
void pages_sbrk_fork_begin(void);
void pages_sbrk_fork_end(void);

/* Fresh memory for extents; from a contiguous source usually, but not surely, right above the
 * last. */
int pages_grow(struct pages *pages, size_t length, char **ret_start);
/* Fresh memory that stands alone: descriptors, large blocks. */
int pages_map(struct pages *pages, size_t length, char **ret_start);
/* Releases any part of what grow or map gave. Only the first `dirty` bytes may be other than
 * zero. */
int pages_release(struct pages *pages, char *start, size_t length, size_t dirty);
/* The same for memory that the caller cannot keep: tries twice, because an injected refusal comes
 * once; if both fail the memory is leaked. */
void pages_abandon(struct pages *pages, char *start, size_t length, size_t dirty);
/* As pages_map and pages_release, for metadata: from the system it comes with inaccessible
 * pages on either side, a quarter of its length, so that no write which runs past a block reaches
 * it. The guards are not part of `held`. */
int pages_map_guarded(struct pages *pages, size_t length, char **ret_start);
int pages_release_guarded(struct pages *pages, char *start, size_t length, size_t dirty);
/* Keeps the addresses and drops the content, which reads as zero afterwards. */
int pages_purge(struct pages *pages, char *start, size_t length);
/* Resizes a mapping in place. */
int pages_resize(struct pages *pages, char *start, size_t old_length, size_t new_length);
/* Moves a mapping to `target`, which pages_map gave with new_length; the old addresses are
 * unmapped. */
int pages_move(struct pages *pages, char *start, size_t old_length, char *target,
               size_t new_length);
/* Memory that outlives the heap and is shared between heaps, guarded as well: not part of `held`,
 * and not counted for an arena, whose calls must not depend on what other heaps did. Never
 * released, except by the loser of a race to publish it: pages_release_shared. */
int pages_map_shared(struct pages *pages, size_t length, char **ret_start);
void pages_release_shared(char *start, size_t length);

/* Does the place of [start, start + length) allow its release now? */
static inline bool pages_is_releasable(const struct pages *pages, const char *start, size_t length)
{
    bool is_grown = start >= pages->low && start < pages->top;
    return !pages->ops->is_contiguous || !is_grown || start + length == pages->top;
}

/* The sources' shared helpers on the system's mappings. */
int os_map(size_t length, char **ret_start);
/* At that address, if the system has room there; it need not be aligned, and may be NULL. */
int os_map_near(char *wish, size_t length, char **ret_start);
int os_unmap(char *start, size_t length);
int os_map_guarded(size_t length, char **ret_start);
int os_unmap_guarded(char *start, size_t length);
int os_discard(char *start, size_t length);
int os_protect(char *start, size_t length, bool is_accessible);
/* Of at most OS_COUNTED_PAGES_MAX pages: those that take memory; all, if the system does not tell.
 * A question and no request, so it is not counted. */
size_t os_count_resident(char *start, size_t pages);
enum { OS_COUNTED_PAGES_MAX = 256 };
/* Seconds of a coarse clock. */
uint64_t os_seconds(void);
int os_resize(char *start, size_t old_length, size_t new_length);
int os_move(char *start, size_t old_length, char *target, size_t new_length);

#endif
