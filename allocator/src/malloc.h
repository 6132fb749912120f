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
/* Frees what is no small block of the default heap; word: its page's entry in the pagemap. */
void free_large(void *block, pagemap_word word);
/* Frees what the first leaf of the pagemap does not cover, such as NULL. */
void free_beyond(void *block);

/* As free, for a block of the default heap that C++'s new asked for: panics if its size is another.
 * function: what the panic names. */
void malloc_delete_sized(void *block, size_t size, const char *function);

static inline void *malloc_straight(size_t size)
{
    if (UNLIKELY(size > SIZE_CLASS_BYTES_MAX))
        return malloc_slow(size);
    const struct slab_entry *entry = cache_pop_live(size, slab_tag_live(size, 0));
    return LIKELY(entry != NULL) ? entry->block : malloc_slow(size);
}

/* A block of a slab of the default heap. */
static inline void free_small(struct slab *slab, void *block)
{
    struct sync_tag *tag = slab_tag_at(slab, block);
    if (UNLIKELY(tag == NULL || !slab_tag_is_live(sync_tag_read(tag)) ||
                 !cache_push(slab, block, tag)))
        free_slow(block);
    else
        sync_tag_write(tag, SLAB_TAG_TAKEN);
}

static inline void free_straight(void *block)
{
    pagemap_word word;
    if (UNLIKELY(!pagemap_get_in_first(block, &word)))
        free_beyond(block);
    else if (UNLIKELY(word <= 0))
        free_large(block, word);
    else
        free_small((struct slab *)word, block);
}

#endif
