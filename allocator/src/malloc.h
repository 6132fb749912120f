/* SPDX-License-Identifier: MIT */
/*
 * The straight paths of malloc and free, inlined into the public functions of the library and of
 * the drop-in. They serve small blocks from the thread's cache, without a lock and without a call;
 * whatever else a request may be, the slow forms see to it.
 */
#ifndef ANVIL_MALLOC_H
#define ANVIL_MALLOC_H

#include "cache.h"

void *malloc_slow(size_t size);
void free_slow(void *block);
/* Frees what is no small block of the default heap; word: its entry in the pagemap. */
void free_large(void *block, pagemap_word word);

/* As free, for a block of the default heap that C++'s new asked for: panics if its size is another.
 * function: what the panic names. */
void malloc_delete_sized(void *block, size_t size, const char *function);

static inline void *malloc_straight(size_t size)
{
    struct slab_entry entry;
    if (UNLIKELY(size > SIZE_CLASS_BYTES_MAX || !cache_pop(size, &entry)))
        return malloc_slow(size);
    sync_tag_write(entry.tag, slab_tag_live(size, 0));
    return entry.block;
}

/* NULL has no leaf. */
static inline void free_straight(void *block)
{
    uintptr_t leaf = pagemap_leaf(block);
    if (UNLIKELY(leaf == 0)) {
        free_slow(block);
        return;
    }
    pagemap_word word = pagemap_get_in(leaf, block);
    if (UNLIKELY(word <= 0)) {
        free_large(block, word);
        return;
    }
    struct slab *slab = (struct slab *)word; /* of the default heap */
    struct sync_tag *tag = slab_tag_at(slab, block);
    if (UNLIKELY(tag == NULL || !slab_tag_is_live(sync_tag_read(tag)) ||
                 !cache_push(slab, block, tag)))
        free_slow(block);
    else
        sync_tag_write(tag, SLAB_TAG_TAKEN);
}

#endif
