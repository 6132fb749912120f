/* SPDX-License-Identifier: MIT */
/*
 * Which extent owns a page, for every address that a user program can have. All heaps of the
 * process share one map.
 *
 * A word of the map carries the descriptor and the number of the heap that owns it, so a pointer of
 * another heap, or of no heap at all, is recognised without following anything. What is recorded:
 * the first and the last page of every extent, and every page of a slab. All other pages have no
 * entry, so that coalescing and splitting cost the same for any length.
 *
 * The map is a tree of three levels, 4096 words each, made as needed: a process that uses little
 * address space pays three pages. Nodes are never released. Words of a heap change under that
 * heap's lock; others only compare them.
 */
#ifndef ANVIL_PAGEMAP_H
#define ANVIL_PAGEMAP_H

#include "pages.h"
#include "sync.h"

struct extent;

enum {
    PAGEMAP_SHIFT = 12, /* of a node */
    PAGEMAP_WORDS = 1 << PAGEMAP_SHIFT,
    PAGEMAP_ADDRESS_BITS = 3 * PAGEMAP_SHIFT + PAGE_SHIFT,
    PAGEMAP_OWNER_MAX = 0xffff,
};
_Static_assert(PAGEMAP_ADDRESS_BITS == 48, "a word keeps 48 bits of the address beside the owner");

/*
 *     address:  | root 12 bits | middle 12 | leaf 12 | within the page 12 |          bits above 48: not a user address
 *     word:     | owner 16 bits | address of the struct extent, 48 bits   |          0: nobody's
 */
struct pagemap_node {
    struct sync_pointer words[PAGEMAP_WORDS];
};
_Static_assert(sizeof(struct pagemap_node) % 4096 == 0, "a node is whole pages");

/* The process-wide map. Here only so that look-ups can be inlined. */
extern struct pagemap_node pagemap_root;

/* Makes room for entries of every page of [start, start + length), which is not empty. Returns 0 or
 * ENOMEM. */
int pagemap_reserve(struct pages *pages, const char *start, size_t length);
/* Records the extent, or nothing for NULL, for `count` pages from `address` on; they have been
 * reserved. */
void pagemap_fill(const char *address, size_t count, const struct extent *extent, unsigned owner);
/* The owner recorded for that page, or 0. */
unsigned pagemap_owner(const void *address);
/* Do `count` pages from `address` on all lead to this extent, or, if it is NULL, nowhere? */
bool pagemap_agrees(const char *address, size_t count, const struct extent *extent, unsigned owner);

static inline unsigned pagemap_index(uintptr_t address, unsigned level)
{
    return (unsigned)(address >> (PAGE_SHIFT + PAGEMAP_SHIFT * level)) & (PAGEMAP_WORDS - 1);
}

/* The leaf for a page, or NULL if there is none. */
static inline struct pagemap_node *pagemap_leaf(const void *pointer)
{
    uintptr_t address = (uintptr_t)pointer;
    if (UNLIKELY(address >> PAGEMAP_ADDRESS_BITS != 0))
        return NULL;
    struct pagemap_node *middle = sync_read(&pagemap_root.words[pagemap_index(address, 2)]);
    return UNLIKELY(middle == NULL) ? NULL : sync_read(&middle->words[pagemap_index(address, 1)]);
}

/* The word of a page, or NULL if no node covers it. */
static inline struct sync_pointer *pagemap_word(const void *pointer)
{
    struct pagemap_node *leaf = pagemap_leaf(pointer);
    return UNLIKELY(leaf == NULL) ? NULL : &leaf->words[pagemap_index((uintptr_t)pointer, 0)];
}

/* What a page's word holds for an extent, and 0 for NULL. */
static inline uintptr_t pagemap_word_of(const struct extent *extent, unsigned owner)
{
    return extent == NULL ? 0 : (uintptr_t)extent | (uintptr_t)owner << PAGEMAP_ADDRESS_BITS;
}

/* The extent that a word stands for, if it belongs to this owner; else NULL. */
static inline struct extent *pagemap_extent_of(uintptr_t word, unsigned owner)
{
    if (UNLIKELY(word >> PAGEMAP_ADDRESS_BITS != owner))
        return NULL;
    return (struct extent *)(word & (((uintptr_t)1 << PAGEMAP_ADDRESS_BITS) - 1));
}

/* The extent recorded for the page of `address`, if it belongs to this owner; else NULL. */
static inline struct extent *pagemap_get(const void *address, unsigned owner)
{
    struct sync_pointer *word = pagemap_word(address);
    return pagemap_extent_of(UNLIKELY(word == NULL) ? 0 : sync_word_read(word), owner);
}

static inline void pagemap_set(const char *address, const struct extent *extent, unsigned owner)
{
    struct sync_pointer *word = pagemap_word(address);
    ASSERT(word != NULL); /* reserved */
    sync_word_write(word, pagemap_word_of(extent, owner));
}

static inline void pagemap_clear(const char *address)
{
    struct sync_pointer *word = pagemap_word(address);
    ASSERT(word != NULL);
    sync_word_write(word, 0);
}

/* A cache of the last leaf, for look-ups of many pages in a row. Zero-initialise it. */
struct pagemap_view {
    uintptr_t span; /* the address bits above a leaf's, plus one */
    struct pagemap_node *leaf;
};

/* The words of `count` pages in a row, or NULL if no single leaf covers them. */
static inline const struct sync_pointer *pagemap_view_words(struct pagemap_view *view,
                                                            const void *address, size_t count)
{
    uintptr_t span = ((uintptr_t)address >> (PAGEMAP_SHIFT + PAGE_SHIFT)) + 1;
    unsigned index = pagemap_index((uintptr_t)address, 0);
    if (UNLIKELY(view->span != span))
        *view = (struct pagemap_view){span, pagemap_leaf(address)};
    return UNLIKELY(view->leaf == NULL || index + count > PAGEMAP_WORDS)
               ? NULL
               : &view->leaf->words[index];
}

#endif
