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

enum {
    SPARSE_BYTES = 4 << 20, /* so much of a class must be free before spans are made of it */
    SPARSE_SHARE = 8,       /* a class that has no more spans needs so many more free blocks */
    LOOKS_MAX = 16,         /* slabs that one request for a span looks at */
};

void slabs_init(struct slabs *slabs, struct extents *extents, struct sync_lock *extents_lock)
{
    slabs->extents = extents;
    slabs->extents_lock = extents_lock;
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

static void partial_remove(struct slabs *slabs, struct slab *slab)
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
    *slab = (struct slab){.extent = extent};
    for (size_t index = 0; index <= capacity; index++)
        sync_tag_write(&slab->tags[index], SLAB_TAG_NONE);
    slab->start = extent->start;
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
        slab->magazine = (uint16_t)(class_index * SLAB_MAGAZINE_BYTES);
        slab->reciprocal = size->reciprocal;
        slab->bias = (uintptr_t)slab->start * slab->reciprocal;
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
    partial_remove(slabs, slab);
    sync_lock_acquire(slabs->extents_lock);
    if (slab->usable == 0 && set_access(slabs, slab, true) != 0) {
        class->free_blocks -= slab->free_count;
        retire(slab);
    } else {
        class->slabs--;
        class->free_blocks -= slab->free_count;
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
    bool is_zero = offset >= slab->extent->as.zero_from;
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
        ASSERT(slab_tag_is_free(tag));
        sync_tag_write(&slab->tags[index], SLAB_TAG_TAKEN | (tag & SLAB_TAG_ZERO));
        *entry = entry_of(slab, index);
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
    for (; count < wanted && slab->carved < slab->capacity; count++)
        end[-1 - (int)count] = entry_of(slab, slab_carve(slab));
    if (!has_room(slab))
        partial_remove(slabs, slab);
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

/* Are there so many free blocks, and more than others, that spans shall be made of them? */
static void look_whether_sparse(struct slabs *slabs, unsigned class_index)
{
    struct slab_class *class = &slabs->classes[class_index];
    const struct size_class *size = &size_classes[class_index];
    size_t held = (size_t)class->slabs * size->pages << PAGE_SHIFT;
    class->sparse_at = class->free_blocks + class->free_blocks / SPARSE_SHARE;
    if ((size_t)class->free_blocks * size->bytes * 2 < held)
        return;
    slabs->sweeps[class_index].is_on = true;
    sync_tag_write(&slabs->spans.is_wanted, 1);
}

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
    if (UNLIKELY(!slab_tag_is_taken(value)))
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
    class->free_blocks += done; /* modulo 2^32: slab_delete may have taken off some before */
    if (UNLIKELY(class->free_blocks > class->sparse_at))
        look_whether_sparse(slabs, class_index);
    sync_lock_release(lock);
    return done;
}

/* ---- spans ---- */

static unsigned span_blocks(unsigned source_class, unsigned class_index)
{
    unsigned block = size_classes[source_class].bytes;
    return (size_classes[class_index].bytes + block - 1) / block;
}

/*
 *   before   | free | free | live | free | free | free | free |        blocks == 2
 *   after    | taken  rest | live | taken  rest | taken  rest |
 *
 * Returns how many spans there are now in `entries`.
 */
static unsigned mark_spans(struct slab *slab, unsigned blocks, struct slab_entry *entries)
{
    unsigned count = 0, run = 0;
    for (unsigned index = 0; index < slab->carved && count < SLAB_SPANS_MAX; index++) {
        run = slab_tag_is_free(sync_tag_read(&slab->tags[index])) ? run + 1 : 0;
        if (run < blocks)
            continue;
        for (run = blocks; run > 1; run--)
            sync_tag_write(&slab->tags[index + 2 - run], SLAB_TAG_SPAN);
        unsigned first = index + 1 - blocks;
        sync_tag_write(&slab->tags[first], SLAB_TAG_TAKEN);
        entries[count++] = entry_of(slab, first);
        run = 0;
    }
    return count;
}

/* Links all blocks whose tags say `free`, the lowest address first. */
static void relink_free(struct slab *slab)
{
    slab->first_free = SLAB_NO_BLOCK;
    for (unsigned index = slab->carved; index-- > 0;) {
        uint32_t tag = sync_tag_read(&slab->tags[index]);
        if (!slab_tag_is_free(tag))
            continue;
        sync_tag_write(&slab->tags[index],
                       SLAB_TAG_FREE | (tag & SLAB_TAG_ZERO) | slab->first_free);
        slab->first_free = (uint16_t)index;
    }
}

static unsigned cut_spans(struct slabs *slabs, struct slab *slab, unsigned blocks,
                          struct slab_entry *entries)
{
    struct slab_class *class = &slabs->classes[slab->class_index];
    unsigned count = class->empty == slab ? 0 : mark_spans(slab, blocks, entries);
    if (count == 0)
        return 0;
    relink_free(slab);
    slab->free_count = (uint16_t)(slab->free_count - count * blocks);
    class->free_blocks -= count * blocks;
    if (!has_room(slab))
        partial_remove(slabs, slab);
    return count;
}

/* All partial slabs were seen. It begins again if it was worth it. */
static void end_sweep(struct slab_sweep *sweep, struct slab_class *class)
{
    *sweep = (struct slab_sweep){.is_on = sweep->found > sweep->looked};
    class->sparse_at = class->free_blocks + class->free_blocks / SPARSE_SHARE;
}

/* Under the lock of the class. Goes on where the last request stopped. */
static unsigned find_spans(struct slabs *slabs, unsigned source, unsigned blocks,
                           struct slab_entry *entries)
{
    struct slab_class *class = &slabs->classes[source];
    struct slab_sweep *sweep = &slabs->sweeps[source];
    unsigned count = 0;
    for (unsigned looks = 0; count == 0 && looks < LOOKS_MAX && sweep->is_on; looks++) {
        struct slab *slab = sweep->next != NULL ? sweep->next : class->partial;
        if (slab != NULL) {
            sweep->next = slab->next;
            count = cut_spans(slabs, slab, blocks, entries);
            sweep->looked++;
            sweep->found += count;
        }
        if (sweep->next == NULL)
            end_sweep(sweep, class);
    }
    return count;
}

/* Under the lock of the spans, of which there are none. */
static void make_spans(struct slabs *slabs, unsigned class_index)
{
    struct slab_spans *spans = &slabs->spans;
    bool is_any_sparse = false;
    for (unsigned source = class_index; source-- > 0 && spans->count == 0;) {
        struct sync_lock *lock = lock_of(slabs, source);
        unsigned blocks = span_blocks(source, class_index);
        sync_lock_acquire(lock);
        if (blocks <= SLAB_SPAN_BLOCKS_MAX)
            spans->count = find_spans(slabs, source, blocks, spans->entries);
        is_any_sparse |= slabs->sweeps[source].is_on;
        sync_lock_release(lock);
    }
    spans->class_index = class_index;
    if (!is_any_sparse)
        sync_tag_write(&spans->is_wanted, 0);
}

/* The free blocks of one that is taken or live: the caller has the lock of its class. */
static void free_span(struct slabs *slabs, struct slab *slab, struct sync_tag *tag, unsigned blocks)
{
    struct slab_class *class = &slabs->classes[slab->class_index];
    bool had_room = has_room(slab);
    for (unsigned index = (unsigned)(tag - slab->tags) + blocks; blocks > 0; blocks--) {
        sync_tag_write(&slab->tags[--index], SLAB_TAG_FREE | slab->first_free);
        slab->first_free = (uint16_t)index;
        slab->free_count++;
        class->free_blocks++;
    }
    if (!had_room)
        partial_insert(class, slab);
    if (class->free_blocks > class->sparse_at)
        look_whether_sparse(slabs, slab->class_index);
    if (is_empty(slab))
        settle_empty(slabs, class, slab);
}

/* Under the lock of the spans. */
static void free_unused_spans(struct slabs *slabs)
{
    struct slab_spans *spans = &slabs->spans;
    while (spans->count > 0) {
        struct slab_entry entry = spans->entries[--spans->count];
        struct slab *slab = slab_of_taken(entry.block);
        struct sync_lock *lock = lock_of(slabs, slab->class_index);
        sync_lock_acquire(lock);
        free_span(slabs, slab, entry.tag, span_blocks(slab->class_index, spans->class_index));
        sync_lock_release(lock);
    }
}

static bool class_has_room(struct slabs *slabs, unsigned class_index)
{
    struct sync_lock *lock = lock_of(slabs, class_index);
    sync_lock_acquire(lock);
    bool result = slabs->classes[class_index].partial != NULL;
    sync_lock_release(lock);
    return result;
}

COLD char *slabs_take_span(struct slabs *slabs, unsigned class_index, size_t size)
{
    struct slab_spans *spans = &slabs->spans;
    struct slab_entry entry = {NULL, NULL};
    if (class_index == SIZE_CLASS_NOTHING || class_has_room(slabs, class_index))
        return NULL;
    sync_lock_acquire(&spans->lock);
    if (spans->class_index != class_index)
        free_unused_spans(slabs);
    if (spans->count == 0)
        make_spans(slabs, class_index);
    if (spans->count > 0)
        entry = spans->entries[--spans->count];
    sync_lock_release(&spans->lock);
    if (entry.block != NULL) {
        unsigned source = slab_of_taken(entry.block)->class_index;
        sync_tag_write(entry.tag, slab_tag_span(span_blocks(source, class_index), size));
    }
    return entry.block;
}

bool slabs_put_span(struct slabs *slabs, struct slab *slab, struct sync_tag *tag)
{
    struct sync_lock *lock = lock_of(slabs, slab->class_index);
    sync_lock_acquire(lock);
    uint32_t value = sync_tag_read(tag);
    bool is_span = slab_tag_is_span(value);
    if (is_span)
        free_span(slabs, slab, tag, slab_tag_span_blocks(value));
    sync_lock_release(lock);
    return is_span;
}

static bool release_spans(struct slabs *slabs)
{
    sync_lock_acquire(&slabs->spans.lock);
    bool is_any = slabs->spans.count > 0;
    free_unused_spans(slabs);
    sync_lock_release(&slabs->spans.lock);
    return is_any;
}

bool slabs_release(struct slabs *slabs)
{
    bool is_any = release_spans(slabs);
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
