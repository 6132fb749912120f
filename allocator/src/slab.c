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

enum { SPARSE_BYTES = 4 << 20 }; /* so much of a class must be free before spans are made of it */

void slabs_init(struct slabs *slabs, struct extents *extents, struct sync_lock *extents_lock)
{
    slabs->extents = extents;
    slabs->extents_lock = extents_lock;
    slabs->wants_guards = false;
    slabs->guards = 0;
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        struct slab_class *class = &slabs->classes[class_index];
        *class = (struct slab_class){.sparse_at = SPARSE_BYTES / size_classes[class_index].bytes};
        if (slabs->sweeps[class_index].is_on) /* if not, its page is left untouched */
            slabs->sweeps[class_index] = (struct slab_sweep){0};
    }
    if (slabs->spans.count != 0 || slabs_want_spans(slabs)) { /* as above */
        sync_tag_write(&slabs->spans.is_wanted, 0);
        slabs->spans.count = 0;
    }
}

void slab_partial_insert(struct slab_class *class, struct slab *slab)
{
    slab->previous = NULL;
    slab->next = class->partial;
    if (class->partial != NULL)
        class->partial->previous = slab;
    class->partial = slab;
}

void slab_partial_remove(struct slabs *slabs, struct slab *slab)
{
    struct slab_class *class = &slabs->classes[slab->class_index];
    struct slab_sweep *sweep = &slabs->sweeps[slab->class_index];
    ASSERT(slab->previous != NULL || class->partial == slab);
    if (UNLIKELY(sweep->next == slab))
        sweep->next = slab->next;
    if (slab->next != NULL)
        slab->next->previous = slab->previous;
    *(slab->previous == NULL ? &class->partial : &slab->previous->next) = slab->next;
}

/* ---- making and freeing slabs ---- */

/* One tag more than there are blocks, and one for each index that a pointer into the guard can
 * have, the inexact reciprocal allowed for. */
static size_t tag_count(size_t capacity, size_t block_size, unsigned guard_pages)
{
    return capacity + 1 + guard_pages * (PAGE_BYTES / block_size + 2);
}

static size_t descriptor_length(size_t tags)
{
    return sizeof(struct slab) + tags * sizeof(struct sync_tag);
}

/* The descriptor and the extent, under the lock of the extents. */
static struct slab *slab_map(struct slabs *slabs, size_t pages, size_t tags)
{
    struct extents *extents = slabs->extents;
    size_t length = descriptor_length(tags);
    struct extent *extent;
    struct slab *slab = meta_alloc(extents->list.meta, length);
    if (slab == NULL)
        return NULL;
    if (extent_alloc(extents, pages, PAGE_BYTES, &extent) != 0) {
        meta_free(extents->list.meta, slab, length);
        return NULL;
    }
    *slab = (struct slab){.extent = extent};
    for (size_t index = 0; index < tags; index++)
        sync_tag_write(&slab->tags[index], SLAB_TAG_NONE);
    slab->start = extent->start;
    extent_make_slab(&extents->list, extent, slab);
    return slab;
}

/* Under the lock of the extents. An arena's pages stay as they are. */
static int set_access(struct slabs *slabs, const struct slab *slab, bool is_accessible)
{
    size_t length = slab->guard_pages > 0 ? PAGE_BYTES : extent_length(slab->extent);
    return slabs->extents->pages->ops->is_system
               ? os_protect(extent_end(slab->extent) - length, length, is_accessible)
               : 0;
}

/* Of a slab whose pages, or whose guard, are not to be touched. If the system refuses, they can
 * be. */
static void forbid_access(struct slabs *slabs, const struct slab *slab)
{
    slabs->guards += slab->guard_pages;
    if (slab->guard_pages > 0 || slab->usable == 0)
        (void)set_access(slabs, slab, false);
}

/* Returns false if they cannot be touched again. */
static bool allow_access(struct slabs *slabs, const struct slab *slab)
{
    return (slab->guard_pages == 0 && slab->usable != 0) || set_access(slabs, slab, true) == 0;
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

/* Under the lock of the extents. The blocks of no bytes are inaccessible themselves. */
static bool gets_guard(const struct slabs *slabs, unsigned class_index)
{
    return slabs->wants_guards && slabs->guards < SLAB_GUARDS_MAX &&
           class_index != SIZE_CLASS_NOTHING && slabs->extents->pages->ops->is_system;
}

static int slab_new(struct slabs *slabs, unsigned class_index)
{
    struct slab_class *class = &slabs->classes[class_index];
    const struct size_class *size = &size_classes[class_index];
    size_t pages = class->slabs < SLAB_SMALL_COUNT ? size->pages_first : size->pages;
    size_t capacity = (pages << PAGE_SHIFT) / size->bytes;
    ASSERT(class->partial == NULL && capacity < SLAB_NO_BLOCK);
    sync_lock_acquire(slabs->extents_lock);
    unsigned guard_pages = gets_guard(slabs, class_index);
    struct slab *slab =
        slab_map(slabs, pages + guard_pages, tag_count(capacity, size->bytes, guard_pages));
    if (slab != NULL) {
        slab->magazine = (uint16_t)(class_index * SLAB_MAGAZINE_BYTES);
        slab->reciprocal = size->reciprocal;
        slab->bias = (uintptr_t)slab->start * slab->reciprocal;
        slab->block_size = size->bytes;
        slab->usable = (uint16_t)size_class_usable(class_index);
        slab->class_index = (uint8_t)class_index;
        slab->guard_pages = (uint8_t)guard_pages;
        slab->capacity = (uint16_t)capacity;
        slab->first_free = SLAB_NO_BLOCK;
        forbid_access(slabs, slab);
    }
    sync_lock_release(slabs->extents_lock);
    if (slab == NULL)
        return ENOMEM;
    class->slabs++;
    class->empty = slab;
    slab_partial_insert(class, slab);
    return 0;
}

static void slab_delete(struct slabs *slabs, struct slab *slab)
{
    struct slab_class *class = &slabs->classes[slab->class_index];
    ASSERT(slab_is_empty(slab) && class->empty != slab && class->slabs > 0);
    slab_partial_remove(slabs, slab);
    sync_lock_acquire(slabs->extents_lock);
    if (!allow_access(slabs, slab)) {
        class->free_blocks -= slab->free_count;
        retire(slab);
    } else {
        class->slabs--;
        class->free_blocks -= slab->free_count;
        extent_free(slabs->extents, slab->extent);
        slabs->guards -= slab->guard_pages;
        size_t tags = tag_count(slab->capacity, slab->block_size, slab->guard_pages);
        meta_free(slabs->extents->list.meta, slab, descriptor_length(tags));
    }
    sync_lock_release(slabs->extents_lock);
}

/* ---- taking ---- */

/* Takes the next `count` blocks that were never taken, of which there are so many. */
static void slab_carve(struct slab *slab, struct slab_entry *end, unsigned count)
{
    ASSERT(count <= (unsigned)(slab->capacity - slab->carved));
    size_t offset = (size_t)slab->carved * slab->block_size;
    size_t zero_from = slab->extent->as.zero_from;
    struct sync_tag *tag = &slab->tags[slab->carved];
    for (struct slab_entry *entry = end - 1; entry >= end - count; entry--, tag++) {
        sync_tag_write(tag, SLAB_TAG_TAKEN | (offset >= zero_from ? SLAB_TAG_ZERO : 0));
        *entry = (struct slab_entry){.block = slab->start + offset, .tag = tag};
        offset += slab->block_size;
    }
    slab->carved = (uint16_t)(slab->carved + count);
    slab->extent->dirty = size_max(slab->extent->dirty, offset);
}

/* Takes `count` blocks from the free list, which has them. */
static void slab_pop(struct slab *slab, struct slab_entry *end, unsigned count)
{
    unsigned index = slab->first_free;
    slab->free_count = (uint16_t)(slab->free_count - count);
    for (struct slab_entry *entry = end - 1; entry >= end - count; entry--) {
        ASSERT(index < slab->carved);
        uint32_t tag = sync_tag_read(&slab->tags[index]);
        ASSERT(slab_tag_is_free(tag));
        sync_tag_write(&slab->tags[index], SLAB_TAG_TAKEN | (tag & SLAB_TAG_ZERO));
        *entry = slab_entry_of(slab, index);
        index = tag & SLAB_TAG_LOW_MASK;
    }
    slab->first_free = (uint16_t)index;
}

/* The slab has room. Fills the entries below `end`, downwards. */
static unsigned take_from(struct slabs *slabs, struct slab *slab, struct slab_entry *end,
                          unsigned wanted)
{
    struct slab_class *class = &slabs->classes[slab->class_index];
    unsigned count = (unsigned)size_min(wanted, slab->free_count);
    if (class->empty == slab)
        class->empty = NULL;
    slab_pop(slab, end, count);
    class->free_blocks -= count;
    unsigned fresh = (unsigned)size_min(wanted - count, (size_t)(slab->capacity - slab->carved));
    if (fresh > 0)
        slab_carve(slab, end - count, fresh);
    count += fresh;
    if (!slab_has_room(slab))
        slab_partial_remove(slabs, slab);
    return count;
}

int slabs_take(struct slabs *slabs, unsigned class_index, struct slab_entry *entries,
               unsigned wanted, unsigned *ret_count)
{
    struct slab_class *class = &slabs->classes[class_index];
    struct sync_lock *lock = slab_class_lock(slabs, class_index);
    unsigned count = 0;
    ASSERT(wanted > 0);
    sync_lock_acquire(lock);
    if (class->partial != NULL || slab_new(slabs, class_index) == 0)
        while (count < wanted && class->partial != NULL)
            count += take_from(slabs, class->partial, &entries[wanted - count], wanted - count);
    sync_lock_release(lock);
    if (count == 0)
        return ENOMEM;
    if (UNLIKELY(count < wanted))
        memmove(entries, &entries[wanted - count], count * sizeof *entries);
    *ret_count = count;
    return 0;
}

/* ---- putting back ---- */

void slab_look_whether_sparse(struct slabs *slabs, unsigned class_index)
{
    struct slab_class *class = &slabs->classes[class_index];
    const struct size_class *size = &size_classes[class_index];
    size_t held = (size_t)class->slabs * size->pages << PAGE_SHIFT;
    class->sparse_at = class->free_blocks + class->free_blocks / SLAB_SPARSE_SHARE;
    if ((size_t)class->free_blocks * size->bytes * 2 < held)
        return;
    slabs->sweeps[class_index].is_on = true;
    sync_tag_write(&slabs->spans.is_wanted, 1);
}

void slab_settle_empty(struct slabs *slabs, struct slab_class *class, struct slab *slab)
{
    if (class->empty != NULL)
        slab_delete(slabs, slab);
    else
        class->empty = slab;
}

/* Returns false if the block is not taken. */
static bool put_block(struct slabs *slabs, struct slab_class *class, const struct slab_entry *entry)
{
    struct sync_tag *tag = entry->tag;
    uint32_t value = sync_tag_read(tag);
    if (UNLIKELY(!slab_tag_is_taken(value)))
        return false;
    struct slab *slab = slab_of_taken(entry->block);
    ASSERT(slab == pagemap_slab_of(pagemap_get(entry->block), slabs->extents->list.owner));
    ASSERT(tag == slab_tag_at(slab, entry->block));
    sync_tag_write(tag, SLAB_TAG_FREE | (value & SLAB_TAG_ZERO) | slab->first_free);
    slab->first_free = (uint16_t)(tag - slab->tags);
    if (UNLIKELY(slab->free_count++ == 0) && slab->carved == slab->capacity)
        slab_partial_insert(class, slab);
    if (UNLIKELY(slab_is_empty(slab)))
        slab_settle_empty(slabs, class, slab);
    return true;
}

unsigned slabs_put(struct slabs *slabs, unsigned class_index, const struct slab_entry *entries,
                   unsigned count)
{
    struct slab_class *class = &slabs->classes[class_index];
    struct sync_lock *lock = slab_class_lock(slabs, class_index);
    unsigned done = 0;
    sync_lock_acquire(lock);
    while (done < count && put_block(slabs, class, &entries[done]))
        done++;
    class->free_blocks += done; /* modulo 2^32: slab_delete may have taken off some before */
    if (UNLIKELY(class->free_blocks > class->sparse_at))
        slab_look_whether_sparse(slabs, class_index);
    sync_lock_release(lock);
    return done;
}

bool slabs_release(struct slabs *slabs)
{
    bool is_any = false;
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        struct slab_class *class = &slabs->classes[class_index];
        struct sync_lock *lock = slab_class_lock(slabs, class_index);
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
    size_t index = offset / slab->block_size, first = index;
    if (offset % BLOCK_ALIGNMENT != 0)
        return (struct fault){.kind = FAULT_MISALIGNED};
    if (index >= slab->carved)
        return (struct fault){.kind = FAULT_NOT_ALLOCATED};
    while (first > 0 && sync_tag_read(&slab->tags[first]) == SLAB_TAG_SPAN)
        first--;
    uint32_t tag = sync_tag_read(&slab->tags[first]);
    if (slab_tag_is_span(tag))
        return (struct fault){.kind = FAULT_INTERIOR,
                              .size = slab_tag_span_blocks(tag) * (size_t)slab->block_size};
    if (index * slab->block_size != offset)
        return (struct fault){.kind = FAULT_INTERIOR, .size = slab->block_size};
    if ((sync_tag_read(&slab->tags[index]) & SLAB_TAG_ZERO) != 0) /* it was never live */
        return (struct fault){.kind = FAULT_NOT_ALLOCATED};
    return (struct fault){.kind = FAULT_DOUBLE_FREE, .size = slab->block_size};
}
