/* SPDX-License-Identifier: MIT */
/*
 * Memory for descriptors: extents and the tags of slabs. It lies in mappings of its own, apart from
 * every block, so that a program which writes past its blocks does not reach it.
 *
 * The sizes of objects are powers of two. A freed object is kept for the next request of that size;
 * meta_release gives back the mappings in which no object is in use, and the rest goes with the
 * heap. A mapping has an inaccessible page on either side, where the page source can make one.
 * Freeing a block never needs a new object, so only paths that allocate can fail here. On failure
 * `missing` holds the bytes that were refused, and meta_adopt accepts them from elsewhere: a heap
 * whose blocks hold all memory must still get a descriptor.
 */
#ifndef ANVIL_META_H
#define ANVIL_META_H

#include "pages.h"

enum {
    META_SHIFT_MIN = 5,
    META_SHIFT_MAX = 13,
    META_CLASSES = META_SHIFT_MAX - META_SHIFT_MIN + 1
};

struct meta_chunk;
struct meta_object;

/* Guarded by the lock of the heap that owns it. */
struct meta {
    struct pages *pages;
    struct meta_chunk *chunks; /* the newest first: the one that objects are carved from */
    char *next, *end;          /* what is left of it */
    size_t length;             /* bytes of all chunks */
    size_t missing;            /* bytes that the page source refused last, or 0 */
    struct meta_object *spare[META_CLASSES];
};

void meta_init(struct meta *meta, struct pages *pages);
/* Releases every mapping, zeroed first if `clear`. No object may be used after this. */
void meta_destroy(struct meta *meta, bool clear);
/* Returns an object of at least `size` bytes (at most 1 << META_SHIFT_MAX), aligned to 64 bytes if
 * that large; its content is arbitrary. Returns NULL if the page source gives nothing. */
void *meta_alloc(struct meta *meta, size_t size);
void meta_free(struct meta *meta, void *object, size_t size);
/* Makes sure that the next `count` allocations of `size` bytes succeed. Returns 0 or ENOMEM. */
int meta_reserve(struct meta *meta, size_t size, size_t count);
/* Asks the page source again for what is missing. Returns 0, also if nothing is missing, or
 * ENOMEM. */
int meta_retry(struct meta *meta);
/* The number of pages that meta_adopt needs to supply what is missing. */
size_t meta_missing_pages(const struct meta *meta);
/* Gives back the mappings without an object in use. Returns the bytes. Cost: spare objects times
 * mappings. */
size_t meta_release(struct meta *meta);
/* Does [object, object + size) lie in this memory? For the checker, which trusts no pointer. */
bool meta_owns(const struct meta *meta, const void *object, size_t size);
/* Takes over whole pages that came from the same page source. Their content is arbitrary. */
void meta_adopt(struct meta *meta, char *start, size_t length);

#endif
