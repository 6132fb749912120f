/* SPDX-License-Identifier: MIT */
/*
 * Spans: how they are found, made, taken and freed. A class whose free blocks are many and sparse
 * is swept, a few slabs for each request; all spans that a slab has room for are made at once, and
 * wait in the store for the next requests of the same class.
 */
#include "span.h"

enum { LOOKS_MAX = 16 }; /* slabs that one request for a span looks at */

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
        entries[count++] = slab_entry_of(slab, first);
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
    if (!slab_has_room(slab))
        slab_partial_remove(slabs, slab);
    return count;
}

/* All partial slabs were seen. It begins again if it was worth it. */
static void end_sweep(struct slab_sweep *sweep, struct slab_class *class)
{
    *sweep = (struct slab_sweep){.is_on = sweep->found > sweep->looked};
    class->sparse_at = class->free_blocks + class->free_blocks / SLAB_SPARSE_SHARE;
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
        struct sync_lock *lock = slab_class_lock(slabs, source);
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
    bool had_room = slab_has_room(slab);
    for (unsigned index = (unsigned)(tag - slab->tags) + blocks; blocks > 0; blocks--) {
        sync_tag_write(&slab->tags[--index], SLAB_TAG_FREE | slab->first_free);
        slab->first_free = (uint16_t)index;
        slab->free_count++;
        class->free_blocks++;
    }
    if (!had_room)
        slab_partial_insert(class, slab);
    if (class->free_blocks > class->sparse_at)
        slab_look_whether_sparse(slabs, slab->class_index);
    if (slab_is_empty(slab))
        slab_settle_empty(slabs, class, slab);
}

/* Under the lock of the spans. */
static void free_unused_spans(struct slabs *slabs)
{
    struct slab_spans *spans = &slabs->spans;
    while (spans->count > 0) {
        struct slab_entry entry = spans->entries[--spans->count];
        struct slab *slab = slab_of_taken(entry.block);
        struct sync_lock *lock = slab_class_lock(slabs, slab->class_index);
        sync_lock_acquire(lock);
        free_span(slabs, slab, entry.tag, span_blocks(slab->class_index, spans->class_index));
        sync_lock_release(lock);
    }
}

static bool class_has_room(struct slabs *slabs, unsigned class_index)
{
    struct sync_lock *lock = slab_class_lock(slabs, class_index);
    sync_lock_acquire(lock);
    bool result = slabs->classes[class_index].partial != NULL;
    sync_lock_release(lock);
    return result;
}

char *slabs_take_span(struct slabs *slabs, unsigned class_index, size_t size)
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
    struct sync_lock *lock = slab_class_lock(slabs, slab->class_index);
    sync_lock_acquire(lock);
    uint32_t value = sync_tag_read(tag);
    bool is_span = slab_tag_is_span(value);
    if (is_span)
        free_span(slabs, slab, tag, slab_tag_span_blocks(value));
    sync_lock_release(lock);
    return is_span;
}

bool slabs_release_spans(struct slabs *slabs)
{
    sync_lock_acquire(&slabs->spans.lock);
    bool is_any = slabs->spans.count > 0;
    free_unused_spans(slabs);
    sync_lock_release(&slabs->spans.lock);
    return is_any;
}
