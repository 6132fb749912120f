/* SPDX-License-Identifier: MIT */
/*
 * Memory for descriptors: extents and the tags of slabs. It lies in mappings of its own, apart from
 * every block, so that a program which writes past its blocks does not reach it.
 *
 * Objects come in powers of two. What is given back is kept for the next taker of that size; the
 * mappings go back when the heap does. Nothing that frees a block ever needs a new object: only
 * paths that allocate may fail here. Then `missing` says for want of how much, and whoever has
 * memory to spare may hand some over: a heap whose blocks took all there was must not be stuck for
 * want of a descriptor.
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
    size_t missing;            /* bytes that the page source refused last; 0: it gave them */
    struct meta_object *spare[META_CLASSES];
};

void meta_init(struct meta *meta, struct pages *pages);
/* Gives every mapping back; `clear` makes it zero first. All objects are gone. */
void meta_destroy(struct meta *meta, bool clear);
/* Returns an object of at least `size` bytes (at most 1 << META_SHIFT_MAX), aligned to 64 bytes if
 * that large; its content is arbitrary. NULL: the page source gave nothing. */
void *meta_alloc(struct meta *meta, size_t size);
void meta_free(struct meta *meta, void *object, size_t size);
/* Makes sure that the next `count` takes of `size` bytes succeed. Returns 0 or ENOMEM. */
int meta_reserve(struct meta *meta, size_t size, size_t count);
/* Asks the page source once more for what is missing. Returns 0, also where nothing is, or
 * ENOMEM. */
int meta_retry(struct meta *meta);
/* The pages that meta_adopt must get so that what is missing can be taken. */
size_t meta_missing_pages(const struct meta *meta);
/* Takes over whole pages, which came from the page source too and may hold anything. */
void meta_adopt(struct meta *meta, char *start, size_t length);

#endif
