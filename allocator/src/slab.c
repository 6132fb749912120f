/* SPDX-License-Identifier: MIT */
/*
 * The life of a slab: made, carved, taken from, put back to, freed.
 *
 * A slab is in its class's list of partial slabs while it has blocks to take. It leaves when the
 * last is taken and comes back, in front, when one is put back. One empty slab per class is kept,
 * so that a program whose use oscillates around a slab's border does not make and free one each
 * time; the next empty slab becomes a free extent.
 */
#include "slab.h"

#include <errno.h>
#include <string.h>

void slabs_init(struct slabs *slabs, struct extents *extents, struct sync_lock *extents_lock)
{
    slabs->extents = extents;
    slabs->extents_lock = extents_lock;
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        struct slab_class *class = &slabs->classes[class_index];
        class->partial = class->empty = NULL;
        class->slabs = 0;
    }
}

static struct sync_lock *lock_of(struct slabs *slabs, unsigned class_index)
{
    return &slabs->locks[class_index % SLAB_LOCKS];
}

static bool has_room(const struct slab *slab)
{
    return slab->free_count > 0 || slab->carved < slab->capacity;
}

static bool is_empty(const struct slab *slab)
{
    return slab->free_count == slab->carved;
}

static void partial_insert(struct slab_class *class, struct slab *slab)
{
    slab->previous = NULL;
    slab->next = class->partial;
    if (class->partial != NULL)
        class->partial->previous = slab;
    class->partial = slab;
}

static void partial_remove(struct slab_class *class, struct slab *slab)
{
    ASSERT(slab->previous != NULL || class->partial == slab);
    if (slab->next != NULL)
        slab->next->previous = slab->previous;
    *(slab->previous == NULL ? &class->partial : &slab->previous->next) = slab->next;
}

/* ---- making and freeing slabs ---- */

static size_t descriptor_length(size_t capacity)
{
    return sizeof(struct slab) + (capacity + 1) * sizeof(struct sync_tag);
}

/* The descriptor and the extent, under the lock of the extents. */
static struct slab *slab_map(struct slabs *slabs, size_t pages, size_t capacity)
{
    struct extents *extents = slabs->extents;
    size_t length = descriptor_length(capacity);
    struct extent *extent;
    struct slab *slab = meta_alloc(extents->meta, length);
    if (slab == NULL)
        return NULL;
    if (extent_alloc(extents, pages, PAGE_BYTES, &extent) != 0) {
        meta_free(extents->meta, slab, length);
        return NULL;
    }
    memset(slab, 0, length);
    slab->extent = extent;
    slab->start = extent->start;
    slab->zero_from = (uint32_t)extent->dirty;
    extent_make_slab(extents, extent, slab);
    return slab;
}

/* Under the lock of the extents. An arena's pages stay as they are. */
static int set_access(struct slabs *slabs, struct slab *slab, bool is_accessible)
{
    return slabs->extents->pages->ops->is_system
               ? os_protect(slab->start, extent_length(slab->extent), is_accessible)
               : 0;
}

/* An empty slab whose pages the system will not make accessible again is lost: all its blocks are
 * taken, by nobody. */
static void retire(struct slab *slab)
{
    for (unsigned index = 0; index < slab->capacity; index++)
        sync_tag_write(&slab->tags[index], SLAB_TAG_TAKEN);
    slab->carved = slab->capacity;
    slab->free_count = 0;
    slab->first_free = SLAB_NO_BLOCK;
}

static int slab_new(struct slabs *slabs, unsigned class_index)
{
    struct slab_class *class = &slabs->classes[class_index];
    const struct size_class *size = &size_classes[class_index];
    size_t pages = class->slabs < SLAB_SMALL_COUNT ? size->pages_first : size->pages;
    size_t capacity = (pages << PAGE_SHIFT) / size->bytes;
    ASSERT(class->partial == NULL && capacity < SLAB_NO_BLOCK);
    sync_lock_acquire(slabs->extents_lock);
    struct slab *slab = slab_map(slabs, pages, capacity);
    if (slab != NULL) {
        slab->magazine = (uint64_t)class_index * SLAB_MAGAZINE_BYTES;
        slab->reciprocal = size->reciprocal;
        slab->block_size = size->bytes;
        slab->usable = (uint16_t)size_class_usable(class_index);
        slab->class_index = (uint8_t)class_index;
        slab->capacity = (uint16_t)capacity;
        slab->first_free = SLAB_NO_BLOCK;
        if (slab->usable == 0)
            (void)set_access(slabs, slab, false);
    }
    sync_lock_release(slabs->extents_lock);
    if (slab == NULL)
        return ENOMEM;
    class->slabs++;
    class->empty = slab;
    partial_insert(class, slab);
    return 0;
}

static void slab_delete(struct slabs *slabs, struct slab *slab)
{
    struct slab_class *class = &slabs->classes[slab->class_index];
    ASSERT(is_empty(slab) && class->empty != slab && class->slabs > 0);
    partial_remove(class, slab);
    sync_lock_acquire(slabs->extents_lock);
    if (slab->usable == 0 && set_access(slabs, slab, true) != 0) {
        retire(slab);
    } else {
        class->slabs--;
        extent_free(slabs->extents, slab->extent);
        meta_free(slabs->extents->meta, slab, descriptor_length(slab->capacity));
    }
    sync_lock_release(slabs->extents_lock);
}

/* ---- taking ---- */

/* The next block that was never taken. */
static unsigned slab_carve(struct slab *slab)
{
    ASSERT(slab->carved < slab->capacity);
    unsigned index = slab->carved++;
    size_t offset = (size_t)index * slab->block_size;
    bool is_zero = offset >= slab->zero_from;
    slab->extent->dirty = size_max(slab->extent->dirty, offset + slab->block_size);
    sync_tag_write(&slab->tags[index], SLAB_TAG_TAKEN | (is_zero ? SLAB_TAG_ZERO : 0));
    return index;
}

static struct slab_entry entry_of(struct slab *slab, unsigned index)
{
    return (struct slab_entry){.block = slab_block_start(slab, index), .tag = &slab->tags[index]};
}

/* Takes `count` blocks from the free list, which has them. */
static void slab_pop(struct slab *slab, struct slab_entry *end, unsigned count)
{
    unsigned index = slab->first_free;
    slab->free_count = (uint16_t)(slab->free_count - count);
    for (struct slab_entry *entry = end - 1; entry >= end - count; entry--) {
        ASSERT(index < slab->carved);
        uint32_t tag = sync_tag_read(&slab->tags[index]);
        ASSERT((tag & SLAB_TAG_FREE) != 0);
        sync_tag_write(&slab->tags[index], SLAB_TAG_TAKEN | (tag & SLAB_TAG_ZERO));
        *entry = entry_of(slab, index);
        index = tag & SLAB_TAG_LOW_MASK;
    }
    slab->first_free = (uint16_t)index;
}

/* The slab has room. Fills the entries below `end`, downwards. */
static unsigned take_from(struct slab_class *class, struct slab *slab, struct slab_entry *end,
                          unsigned wanted)
{
    unsigned count = (unsigned)size_min(wanted, slab->free_count);
    if (class->empty == slab)
        class->empty = NULL;
    slab_pop(slab, end, count);
    for (; count < wanted && slab->carved < slab->capacity; count++)
        end[-1 - (int)count] = entry_of(slab, slab_carve(slab));
    if (!has_room(slab))
        partial_remove(class, slab);
    return count;
}

int slabs_take(struct slabs *slabs, unsigned class_index, struct slab_entry *entries,
               unsigned wanted, unsigned *ret_count)
{
    struct slab_class *class = &slabs->classes[class_index];
    struct sync_lock *lock = lock_of(slabs, class_index);
    unsigned count = 0;
    ASSERT(wanted > 0);
    sync_lock_acquire(lock);
    if (class->partial != NULL || slab_new(slabs, class_index) == 0)
        while (count < wanted && class->partial != NULL)
            count += take_from(class, class->partial, &entries[wanted - count], wanted - count);
    sync_lock_release(lock);
    if (count == 0)
        return ENOMEM;
    if (UNLIKELY(count < wanted))
        memmove(entries, &entries[wanted - count], count * sizeof *entries);
    *ret_count = count;
    return 0;
}

/* ---- putting back ---- */

static void settle_empty(struct slabs *slabs, struct slab_class *class, struct slab *slab)
{
    if (class->empty != NULL)
        slab_delete(slabs, slab);
    else
        class->empty = slab;
}

/* The slab of a block that was taken from it: its pagemap word is known to be there. */
static struct slab *slab_of_taken(const char *block)
{
    uintptr_t leaf = (uintptr_t)sync_read(&pagemap_root[(uintptr_t)block >> PAGEMAP_LEAF_SHIFT]);
    return pagemap_descriptor(pagemap_get_in(leaf, block));
}

/* Returns false if the block is not taken. */
static bool put_block(struct slabs *slabs, struct slab_class *class, const struct slab_entry *entry)
{
    struct sync_tag *tag = entry->tag;
    uint32_t value = sync_tag_read(tag);
    if (UNLIKELY((value & SLAB_TAG_TAKEN) == 0 || slab_tag_is_live(value)))
        return false;
    struct slab *slab = slab_of_taken(entry->block);
    ASSERT(slab == pagemap_slab_of(pagemap_get(entry->block), slabs->extents->owner));
    ASSERT(tag == slab_tag_at(slab, entry->block));
    sync_tag_write(tag, SLAB_TAG_FREE | (value & SLAB_TAG_ZERO) | slab->first_free);
    slab->first_free = (uint16_t)(tag - slab->tags);
    if (UNLIKELY(slab->free_count++ == 0) && slab->carved == slab->capacity)
        partial_insert(class, slab);
    if (UNLIKELY(is_empty(slab)))
        settle_empty(slabs, class, slab);
    return true;
}

unsigned slabs_put(struct slabs *slabs, unsigned class_index, const struct slab_entry *entries,
                   unsigned count)
{
    struct slab_class *class = &slabs->classes[class_index];
    struct sync_lock *lock = lock_of(slabs, class_index);
    unsigned done = 0;
    sync_lock_acquire(lock);
    while (done < count && put_block(slabs, class, &entries[done]))
        done++;
    sync_lock_release(lock);
    return done;
}

bool slabs_release(struct slabs *slabs)
{
    bool is_any = false;
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        struct slab_class *class = &slabs->classes[class_index];
        struct sync_lock *lock = lock_of(slabs, class_index);
        sync_lock_acquire(lock);
        struct slab *slab = class->empty;
        class->empty = NULL;
        if (slab != NULL)
            slab_delete(slabs, slab);
        is_any |= slab != NULL;
        sync_lock_release(lock);
    }
    return is_any;
}

COLD struct fault slab_diagnose(const struct slab *slab, const void *pointer)
{
    size_t offset = (size_t)((const char *)pointer - slab->start);
    size_t index = offset / slab->block_size;
    if (offset % BLOCK_ALIGNMENT != 0)
        return (struct fault){.kind = FAULT_MISALIGNED};
    if (index >= slab->carved)
        return (struct fault){.kind = FAULT_NOT_ALLOCATED};
    if (index * slab->block_size != offset)
        return (struct fault){.kind = FAULT_INTERIOR, .size = slab->block_size};
    if ((sync_tag_read(&slab->tags[index]) & SLAB_TAG_ZERO) != 0) /* it was never live */
        return (struct fault){.kind = FAULT_NOT_ALLOCATED};
    return (struct fault){.kind = FAULT_DOUBLE_FREE, .size = slab->block_size};
}
