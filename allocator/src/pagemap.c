/* SPDX-License-Identifier: MIT */
/*
 * The map behind pagemap.h: making leaves, and writing words.
 *
 * A leaf is published with release and read with acquire, so its zeros are seen. Words are relaxed:
 * a thread that holds the owner's lock has seen the owner's writes; a thread that was given a block
 * has seen its word with the block; any other thread only compares.
 */
#include "pagemap.h"

#include <errno.h>

enum { LEAF_BYTES = (PAGEMAP_WORDS + PAGEMAP_CELLS) * sizeof(struct sync_pointer) };

struct sync_pointer pagemap_root[PAGEMAP_ROOT_WORDS];

/* A thread that frees NULL may see the page settled and not yet the words, so there is one. */
struct pagemap_first pagemap_first = {.page = {UINTPTR_MAX / 2},
                                      .words = {(uintptr_t)&pagemap_first.no_words}};

/* Two leaves may be made at once. */
static void note_first(uintptr_t root_index, char *leaf)
{
    if (sync_publish_once(&pagemap_first.leaf, leaf) != leaf)
        return;
    sync_word_write(&pagemap_first.words, (uintptr_t)leaf);
    sync_publish(&pagemap_first.page, (const void *)(root_index << PAGEMAP_WORDS_SHIFT));
}

static int leaf_make(struct pages *pages, uintptr_t root_index)
{
    if (sync_read(&pagemap_root[root_index]) != NULL)
        return 0;
    char *leaf;
    if (pages_map_shared(pages, LEAF_BYTES, &leaf) != 0)
        return ENOMEM;
    char *biased = (char *)((uintptr_t)leaf -
                            (root_index << PAGEMAP_WORDS_SHIFT) * sizeof(struct sync_pointer));
    if (biased == NULL || sync_publish_once(&pagemap_root[root_index], biased) != biased)
        pages_release_shared(leaf, LEAF_BYTES); /* another heap was faster */
    else
        note_first(root_index, leaf);
    return biased == NULL ? ENOMEM : 0;
}

int pagemap_reserve(struct pages *pages, const char *start, size_t length)
{
    ASSERT(is_page_run(start, length));
    uintptr_t first = (uintptr_t)start >> PAGEMAP_LEAF_SHIFT;
    uintptr_t last = ((uintptr_t)start + length - 1) >> PAGEMAP_LEAF_SHIFT;
    if (last >= PAGEMAP_ROOT_WORDS)
        return ENOMEM;
    for (uintptr_t root_index = first; root_index <= last; root_index++)
        if (leaf_make(pages, root_index) != 0)
            return ENOMEM;
    return 0;
}

/* The words of up to `count` pages in a row that lie in one leaf; *ret_count: how many. NULL: there
 * is no leaf. */
static struct sync_pointer *words_in_leaf(const char *address, size_t count, size_t *ret_count)
{
    size_t index = ((uintptr_t)address >> PAGE_SHIFT) % PAGEMAP_WORDS;
    *ret_count = size_min(count, PAGEMAP_WORDS - index);
    return pagemap_place(address);
}

void pagemap_fill(const char *address, size_t count, pagemap_word word)
{
    for (size_t in_leaf; count > 0; count -= in_leaf, address += in_leaf << PAGE_SHIFT) {
        struct sync_pointer *words = words_in_leaf(address, count, &in_leaf);
        ASSERT(words != NULL);
        for (size_t i = 0; i < in_leaf; i++)
            sync_word_write(&words[i], (uintptr_t)word);
    }
}

bool pagemap_agrees(const char *address, size_t count, pagemap_word word)
{
    uintptr_t difference = 0;
    for (size_t in_leaf; count > 0; count -= in_leaf, address += in_leaf << PAGE_SHIFT) {
        const struct sync_pointer *words = words_in_leaf(address, count, &in_leaf);
        difference |= words == NULL ? (uintptr_t)word : 0;
        for (size_t i = 0; words != NULL && i < in_leaf; i++)
            difference |= sync_word_read(&words[i]) ^ (uintptr_t)word;
    }
    return difference == 0;
}

COLD unsigned pagemap_owner(const void *address)
{
    pagemap_word word =
        is_aligned(address, PAGE_BYTES) ? pagemap_get_start(address) : pagemap_get(address);
    if (word >= 0)
        return word == 0 ? 0 : PAGEMAP_OWNER_DEFAULT;
    return (unsigned)((uintptr_t)word >> (PAGEMAP_ADDRESS_BITS + 1)) & PAGEMAP_OWNER_MAX;
}
