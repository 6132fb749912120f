/* SPDX-License-Identifier: MIT */
/*
 * What owns a page, for every address that a user program can have. All heaps of the process share
 * one map.
 *
 * A word of the map carries the descriptor, its kind, and the number of the heap that owns it, so a
 * pointer of another heap, or of no heap at all, is recognised without following anything. What is
 * recorded: every page of a slab leads to the slab, the first and the last page of every other
 * extent lead to the extent. All other pages have no entry, so that coalescing and splitting cost
 * the same for any length.
 *
 * The map has two levels: the root of 2^17 words is static, a leaf of 2^19 words covers 2 GiB of
 * addresses. Both are mostly untouched memory; a process pays one page of it for each 2 MiB that it
 * uses. That would be much for a long mapping of which a program uses little. So such a mapping has
 * one word only, for the cell of 1 MiB in which it starts: the words of all cells are side by side
 * behind those of the pages. The root is less than 2 MiB, because a kernel that aligns longer
 * mappings for huge pages would put the drop-in, and every library loaded below it, at one unlucky
 * place. Leaves are never released. Words of a heap change under that heap's lock. Others read them
 * without a lock: a thread that frees a valid block sees its word, because the block was handed to
 * it after the word was written.
 */
#ifndef ANVIL_PAGEMAP_H
#define ANVIL_PAGEMAP_H

#include "pages.h"
#include "sync.h"

struct extent;
struct slab;

enum {
    PAGEMAP_ROOT_WORDS = 1 << 17,
    PAGEMAP_WORDS_SHIFT = 19, /* of a leaf */
    PAGEMAP_WORDS = 1 << PAGEMAP_WORDS_SHIFT,
    PAGEMAP_LEAF_SHIFT = PAGEMAP_WORDS_SHIFT + PAGE_SHIFT, /* addresses of a leaf */
    PAGEMAP_CELL_SHIFT = 20,
    PAGEMAP_CELLS = 1 << (PAGEMAP_LEAF_SHIFT - PAGEMAP_CELL_SHIFT), /* of a leaf */
    PAGEMAP_CELL_PAGES = 1 << (PAGEMAP_CELL_SHIFT - PAGE_SHIFT),
    PAGEMAP_ADDRESS_BITS = 48,
    PAGEMAP_OWNER_MAX = 0x3fff,
    PAGEMAP_OWNER_DEFAULT = 1, /* the default heap */
};
_Static_assert((size_t)PAGEMAP_ROOT_WORDS << PAGEMAP_LEAF_SHIFT == (size_t)1
                                                                       << PAGEMAP_ADDRESS_BITS,
               "the map covers what a word can hold beside the owner");

/*
 *     address:  | root 17 bits | leaf 19 | within the page 12 |   bits above 48: not a user address
 *     word:     | 1 | owner 14 bits | is slab | address of the descriptor, 48 bits |
 *               | 0               | address of a slab of the default heap, 48 bits |
 *               0: nobody's
 *
 * The second form is what makes free fast: one test of the sign tells everything.
 */
typedef intptr_t pagemap_word;

/* A root word holds its leaf's address less that of the first page's number in words, so that the
 * number of the page is the index; 0: no leaf. Here only so that look-ups can be inlined. */
extern struct sync_pointer pagemap_root[PAGEMAP_ROOT_WORDS] HIDDEN;

/*
 * The leaf that was made first, in most processes the only one: looking there takes less time. A
 * word is its page's number less the first one's. Settled once; until then, no page is in it.
 */
struct pagemap_first {
    struct sync_pointer page, words;
    struct sync_pointer leaf, no_words; /* for who settles it */
};
extern struct pagemap_first pagemap_first HIDDEN;

/* Makes room for entries of every page of [start, start + length), which is not empty. Returns 0 or
 * ENOMEM. */
int pagemap_reserve(struct pages *pages, const char *start, size_t length);
/* Writes the word for `count` pages from `address` on; they have been reserved. */
void pagemap_fill(const char *address, size_t count, pagemap_word word);
/* Do `count` pages from `address` on all have this word? Pages without a leaf have 0. */
bool pagemap_agrees(const char *address, size_t count, pagemap_word word);
/* The owner recorded for that page, or 0. Of the start of a page also that of a long mapping which
 * starts in its cell, whether there or not. */
unsigned pagemap_owner(const void *address);

/* The root word for an address; 0 if no leaf covers it. */
static inline uintptr_t pagemap_leaf(const void *address)
{
    uintptr_t root_index = (uintptr_t)address >> PAGEMAP_LEAF_SHIFT;
    return LIKELY(root_index < PAGEMAP_ROOT_WORDS) ? (uintptr_t)sync_read(&pagemap_root[root_index])
                                                   : 0;
}

/* The place of a page's word, in a leaf that exists. */
static inline struct sync_pointer *pagemap_place_in(uintptr_t leaf, const void *address)
{
    size_t page = (uintptr_t)address >> PAGE_SHIFT;
    return (struct sync_pointer *)(leaf + page * sizeof(struct sync_pointer));
}

/* The place of a page's word, or NULL if no leaf covers it. */
static inline struct sync_pointer *pagemap_place(const void *address)
{
    uintptr_t leaf = pagemap_leaf(address);
    return UNLIKELY(leaf == 0) ? NULL : pagemap_place_in(leaf, address);
}

static inline pagemap_word pagemap_get_in(uintptr_t leaf, const void *address)
{
    return (pagemap_word)sync_word_read(pagemap_place_in(leaf, address));
}

static inline pagemap_word pagemap_get(const void *address)
{
    uintptr_t leaf = pagemap_leaf(address);
    return UNLIKELY(leaf == 0) ? 0 : pagemap_get_in(leaf, address);
}

/* The place of the word of an address's cell, in a leaf that exists. */
static inline struct sync_pointer *pagemap_cell_in(uintptr_t leaf, const void *address)
{
    const char *last_page =
        (const char *)((uintptr_t)address | (((uintptr_t)1 << PAGEMAP_LEAF_SHIFT) - 1));
    size_t cell = ((uintptr_t)address >> PAGEMAP_CELL_SHIFT) % PAGEMAP_CELLS;
    return pagemap_place_in(leaf, last_page) + 1 + cell;
}

static inline pagemap_word pagemap_get_cell(const void *address)
{
    uintptr_t leaf = pagemap_leaf(address);
    return UNLIKELY(leaf == 0) ? 0 : (pagemap_word)sync_word_read(pagemap_cell_in(leaf, address));
}

/* The word for what starts at an address: as pagemap_get, or that of a long mapping in its cell. */
static inline pagemap_word pagemap_get_start(const void *address)
{
    pagemap_word word = pagemap_get(address);
    return LIKELY(word != 0) ? word : pagemap_get_cell(address);
}

/* As pagemap_get, if the first leaf covers the address; else returns false. */
static inline bool pagemap_get_in_first(const void *address, pagemap_word *ret_word)
{
    uintptr_t page = (uintptr_t)address >> PAGE_SHIFT;
    uintptr_t index = page - sync_settled_read(&pagemap_first.page);
    if (UNLIKELY(index >= PAGEMAP_WORDS))
        return false;
    const struct sync_pointer *words =
        (const struct sync_pointer *)sync_settled_read(&pagemap_first.words);
    *ret_word = (pagemap_word)sync_word_read(&words[index]);
    return true;
}

static inline void pagemap_set(const char *address, pagemap_word word)
{
    struct sync_pointer *place = pagemap_place(address);
    ASSERT(place != NULL); /* reserved */
    sync_word_write(place, (uintptr_t)word);
}

/* For the mapping that starts at that address, of at least PAGEMAP_CELL_PAGES: so no other one
 * starts in its cell. */
static inline void pagemap_set_cell(const char *address, pagemap_word word)
{
    ASSERT(pagemap_leaf(address) != 0); /* reserved */
    sync_word_write(pagemap_cell_in(pagemap_leaf(address), address), (uintptr_t)word);
}

static inline pagemap_word pagemap_word_make(const void *descriptor, unsigned owner, bool is_slab)
{
    ASSERT(owner != 0 && owner <= PAGEMAP_OWNER_MAX);
    uintptr_t code = (uintptr_t)1 << 15 | (uintptr_t)owner << 1 | is_slab;
    if (is_slab && owner == PAGEMAP_OWNER_DEFAULT)
        code = 0;
    return (pagemap_word)((uintptr_t)descriptor | code << PAGEMAP_ADDRESS_BITS);
}

static inline pagemap_word pagemap_word_of_extent(const struct extent *extent, unsigned owner)
{
    return pagemap_word_make(extent, owner, false);
}

static inline pagemap_word pagemap_word_of_slab(const struct slab *slab, unsigned owner)
{
    return pagemap_word_make(slab, owner, true);
}

/* The descriptor of whatever kind and owner, for a word that is known to be right. */
static inline void *pagemap_descriptor(pagemap_word word)
{
    const uintptr_t mask = ((uintptr_t)1 << PAGEMAP_ADDRESS_BITS) - 1;
    return (void *)((uintptr_t)word & mask);
}

/* Decoding: the descriptor that a word stands for, if it is of that kind and that owner's; else
 * NULL. */
static inline void *pagemap_decode(pagemap_word word, unsigned owner, bool is_slab)
{
    void *descriptor = pagemap_descriptor(word);
    bool is_it = descriptor != NULL && word == pagemap_word_make(descriptor, owner, is_slab);
    return is_it ? descriptor : NULL;
}

static inline struct extent *pagemap_extent_of(pagemap_word word, unsigned owner)
{
    return pagemap_decode(word, owner, false);
}

static inline struct slab *pagemap_slab_of(pagemap_word word, unsigned owner)
{
    return pagemap_decode(word, owner, true);
}

#endif
