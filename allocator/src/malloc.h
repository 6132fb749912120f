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

/* C++'s new and delete; form: REQUEST_NEW or REQUEST_NEW_ARRAY. function: what a panic names. */
/* As malloc, if the straight path has no block. */
void *malloc_new(size_t size, enum request_code form);
/* As free, if the straight path cannot; panics if the block is known to be of the other form.
 * REQUEST_PLAIN: of any. */
void malloc_delete(void *block, enum request_code form, const char *function);
/* The same, and panics if its size is another. */
void malloc_delete_sized(void *block, size_t size, enum request_code form, const char *function);

/* ---- for aligned.c ---- */

/* NULL stands for the default heap. */
HIDDEN struct anvil_heap *malloc_heap_or_default(struct anvil_heap *heap);
/* alignment: at least BLOCK_ALIGNMENT; code: 1 + log2 of the one asked for, or 0. Returns NULL for
 * ENOMEM; errno is left as it was. */
HIDDEN void *malloc_allocate(struct anvil_heap *heap, size_t size, size_t alignment, unsigned code,
                             bool is_cleared);
/* The same, but sets errno; any size. */
HIDDEN void *malloc_allocate_or_fail(struct anvil_heap *heap, size_t size, size_t alignment,
                                     unsigned code, bool is_cleared);
/* Sets errno. Returns NULL. */
HIDDEN void *malloc_fail(int error);
/* A pointer that is no live block does not return. function: what the panic names. */
HIDDEN void malloc_find_or_panic(struct anvil_heap *heap, const void *pointer, const char *function,
                                 bool is_free, struct heap_block *ret_block);
/* Frees a block that was found in this heap; errno is left as it was. */
HIDDEN void malloc_release_found(struct anvil_heap *heap, const struct heap_block *block,
                                 const char *function);

/* ---- the straight paths ---- */

static inline void *malloc_straight(size_t size)
{
    if (UNLIKELY(size > SIZE_CLASS_BYTES_MAX))
        return malloc_slow(size);
    const struct slab_entry *entry = cache_pop_live(size, slab_tag_live(size, 0));
    return LIKELY(entry != NULL) ? entry->block : malloc_slow(size);
}

/* Pushes a small block whose tag was found to be live. Returns false, with nothing done, if there
 * is no room. */
static inline bool free_cached(struct slab *slab, void *block, struct sync_tag *tag)
{
    bool is_pushed = cache_push(slab, block, tag);
    if (LIKELY(is_pushed))
        sync_tag_write(tag, SLAB_TAG_TAKEN);
    return is_pushed;
}

/* A block of a slab of the default heap. */
static inline void free_small(struct slab *slab, void *block)
{
    struct sync_tag *tag = slab_tag_at(slab, block);
    if (UNLIKELY(tag == NULL || !slab_tag_is_live(sync_tag_read(tag)) ||
                 !free_cached(slab, block, tag)))
        free_slow(block);
}

/* The tag of a small block of the default heap that one look finds; else NULL. */
static inline struct sync_tag *tag_at_once(void *block, struct slab **ret_slab)
{
    pagemap_word word;
    if (UNLIKELY(!pagemap_get_in_first(block, &word) || word <= 0))
        return NULL;
    *ret_slab = (struct slab *)word;
    return slab_tag_at(*ret_slab, block);
}

/* As free_straight, if that takes one look; else returns false, with nothing done. */
static inline bool free_at_once(void *block)
{
    struct slab *slab;
    struct sync_tag *tag = tag_at_once(block, &slab);
    return LIKELY(tag != NULL && slab_tag_is_live(sync_tag_read(tag))) &&
           free_cached(slab, block, tag);
}

/* The same, if the block has that size and was asked for without more. */
static inline bool free_sized_at_once(void *block, size_t size)
{
    struct slab *slab;
    struct sync_tag *tag = tag_at_once(block, &slab);
    uint32_t value = LIKELY(tag != NULL) ? sync_tag_read(tag) : SLAB_TAG_NONE;
    return LIKELY(slab_tag_is_live(value) && value == size) && free_cached(slab, block, tag);
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
