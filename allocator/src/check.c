/* SPDX-License-Identifier: MIT */
/*
 * The checker: one walk over the extents, then the tree, the classes, the calling thread's cache
 * and the sums. Meant to run after every operation of a fuzzed heap, so it does no more than a few
 * look-ups per extent; it trusts nothing that it has not checked before.
 *
 * known-zero is a sample: the first and the last word before and behind the dirty part, where an
 * off-by-one in the accounting shows.
 */
#include "check.h"

#include "cache.h"
#include "heap_set.h"
#include "text.h"
#include "tree.h"
#include "walk.h"

#include <errno.h>
#include <string.h>

struct invariant {
    const char *name, *sentence;
};

/* What one pass over the heap adds up, and the first violation. */
struct check {
    const struct anvil_heap *heap;
    const void *place; /* of the violation */
    size_t held_pages, free_pages, free_count, dirty_bytes, mapping_count, mapping_pages,
        kept_count, kept_pages;
    size_t slabs, slabs_with_room, slabs_empty;
    size_t to_purge; /* free extents */
    size_t taken;    /* blocks */
    size_t free_blocks;
    size_t cached; /* large ones */
};

#define CHECK_ENTRY(id, name, sentence) [CHECK_##id] = {(name), (sentence)},
static const struct invariant invariants[CHECK_COUNT] = {[CHECK_OK] = {"ok", "nothing is broken"},
                                                         CHECK_LIST(CHECK_ENTRY)};

const char *check_id_name(enum check_id id)
{
    return invariants[id].name;
}

/* May a pointer be followed to a descriptor of this size? The metadata may have any content. */
static bool is_known(const struct check *check, const void *descriptor, size_t size)
{
    return meta_owns(&check->heap->meta, descriptor, size);
}

static bool is_known_extent(const struct check *check, const struct extent *extent)
{
    return is_known(check, extent, sizeof *extent);
}

static bool is_known_slab(const struct check *check, const struct slab *slab)
{
    return is_known(check, slab, sizeof *slab) &&
           is_known(check, slab, offsetof(struct slab, tags[slab->capacity + 1]));
}

/* right: what the page behind the extent leads to. */
static inline enum check_id check_place(const struct check *check, const struct extent *extent,
                                        const struct extent *right)
{
    const struct extents *extents = &check->heap->extents;
    const struct extent *next = extent->next;
    if (next != NULL && !is_known_extent(check, next))
        return CHECK_EXTENT_ORDER;
    if (next == NULL ? extents->list.last != extent : next->previous != extent)
        return CHECK_EXTENT_ORDER;
    if ((extent->previous == NULL) != (extents->list.first == extent))
        return CHECK_EXTENT_ORDER;
    if (next != NULL && next->start >= extent->start && next->start < extent_end(extent))
        return CHECK_EXTENT_OVERLAP;
    if (right == NULL)
        return CHECK_OK;
    if (right != next)
        return CHECK_EXTENT_ORDER;
    return extent_state(right) == EXTENT_FREE && extent_state(extent) == EXTENT_FREE
               ? CHECK_EXTENT_COALESCED
               : CHECK_OK;
}

static enum check_id check_pagemap(const struct check *check, const struct extent *extent)
{
    unsigned owner = check->heap->extents.list.owner;
    bool is_slab = extent_state(extent) == EXTENT_SLAB;
    pagemap_word word = is_slab ? pagemap_word_of_slab(extent->as.slab, owner)
                                : pagemap_word_of_extent(extent, owner);
    bool has_cell = extent_has_cell(extent);
    pagemap_word ends = has_cell ? 0 : word;
    if (pagemap_get(extent->start) != ends || pagemap_get(extent_end(extent) - 1) != ends ||
        (has_cell && pagemap_get_start(extent->start) != word))
        return CHECK_PAGEMAP_ENDS;
    if (is_slab)
        return pagemap_agrees(extent->start, extent->pages, word) ? CHECK_OK : CHECK_PAGEMAP_INNER;
    const char *second = extent->start + PAGE_BYTES,
               *last_but_one = extent_end(extent) - 2 * PAGE_BYTES;
    bool is_clear =
        extent->pages <= 2 || (pagemap_get(second) == 0 && pagemap_get(last_but_one) == 0);
    return is_clear ? CHECK_OK : CHECK_PAGEMAP_INNER;
}

static bool is_zero_between(const struct extent *extent, size_t from, size_t to)
{
    return from == to || (*(const uint64_t *)(extent->start + from) == 0 &&
                          *(const uint64_t *)(extent->start + to - sizeof(uint64_t)) == 0);
}

static bool is_zero_around_dirt(const struct extent *extent)
{
    size_t behind = size_round_up(extent->dirty, sizeof(uint64_t));
    return is_zero_between(extent, 0, extent->clean) &&
           is_zero_between(extent, behind, extent_length(extent));
}

static enum check_id check_free(struct check *check, const struct extent *extent)
{
    check->free_pages += extent->pages;
    check->free_count++;
    check->to_purge += free_set_is_worth_purging(extent);
    check->dirty_bytes += extent->dirty - extent->clean;
    check->held_pages += extent->pages;
    return is_zero_around_dirt(extent) ? CHECK_OK : CHECK_KNOWN_ZERO;
}

static bool is_run_class_right(const struct extent *extent)
{
    size_t pages = extent->pages;
    return extent->run_class == RUN_CLASS_NONE ||
           (run_class_serves(pages) && run_class_round_up(pages) == pages &&
            run_class_of(pages) == extent->run_class);
}

static enum check_id check_block(struct check *check, const struct extent *extent)
{
    enum extent_state state = extent_state(extent);
    check->cached += state == EXTENT_CACHED;
    if (state == EXTENT_MAPPING || state == EXTENT_CACHED_MAPPING) {
        check->mapping_count++;
        check->mapping_pages += extent->pages;
    } else {
        check->held_pages += extent->pages;
    }
    if (!is_run_class_right(extent))
        return CHECK_EXTENT_SHAPE;
    return extent_size(extent) <= extent_length(extent) ? CHECK_OK : CHECK_EXTENT_SIZE;
}

/* ---- slabs and their classes ---- */

static bool has_room(const struct slab *slab)
{
    return slab->free_count > 0 || slab->carved < slab->capacity;
}

static bool is_slab_shaped(const struct check *check, const struct extent *extent)
{
    const struct slab *slab = extent->as.slab;
    if (!is_known_slab(check, slab) || slab->class_index >= SIZE_CLASS_COUNT ||
        slab->extent != extent || slab->start != extent->start)
        return false;
    struct size_class size = size_classes[slab->class_index];
    size_t used = (size_t)slab->capacity * size.bytes;
    size_t length = extent_length(extent) - slab->guard_pages * PAGE_BYTES;
    return slab->block_size == size.bytes && slab->usable == size_class_usable(slab->class_index) &&
           slab->reciprocal == size.reciprocal &&
           slab->bias == (uintptr_t)slab->start * slab->reciprocal &&
           slab->magazine == slab->class_index * SLAB_MAGAZINE_BYTES && slab->guard_pages <= 1 &&
           used <= length && length - used < size.bytes && slab->carved <= slab->capacity &&
           slab->free_count <= slab->carved;
}

/* Every block on the list is free, and the list is as long as there are free blocks: so each is on
 * it once. */
static bool is_free_list_whole(const struct slab *slab)
{
    unsigned index = slab->first_free;
    for (unsigned left = slab->free_count; left > 0; left--) {
        uint32_t tag = index < slab->carved ? sync_tag_read(&slab->tags[index]) : SLAB_TAG_NONE;
        if (!slab_tag_is_free(tag))
            return false;
        index = tag & SLAB_TAG_LOW_MASK;
    }
    return index == SLAB_NO_BLOCK;
}

/* May the tag `rest` stand at this place, after `left` more of a span? *left is what follows. A
 * span that is not in use yet is taken, and does not tell its length. */
static bool is_rest_whole(uint32_t tag, unsigned *left)
{
    bool is_rest = tag == SLAB_TAG_SPAN, is_whole = is_rest ? *left > 0 : true;
    if (is_rest)
        *left -= *left > 0 && *left != UINT32_MAX;
    else
        is_whole = *left == 0 || *left == UINT32_MAX;
    if (slab_tag_is_span(tag))
        *left = slab_tag_span_blocks(tag) - 1;
    else if (!is_rest)
        *left = slab_tag_is_taken(tag) ? UINT32_MAX : 0;
    return is_whole;
}

/* No tag behind the carved ones was written yet. As each is compared with the next, one look at the
 * first is enough; nobody writes to them without the lock of the class. */
static bool is_tail_uncarved(const struct slab *slab)
{
    const struct sync_tag *first = &slab->tags[slab->carved];
    return sync_tag_read(first) == SLAB_TAG_NONE &&
           memcmp(first, first + 1, (size_t)(slab->capacity - slab->carved) * sizeof *first) == 0;
}

/* The tags of the blocks that were carved; threads may change live to taken and back meanwhile. */
static enum check_id check_tags(struct check *check, const struct slab *slab)
{
    size_t free_count = 0, taken = 0, unknown = 0, over = 0;
    unsigned left = 0;
    for (unsigned index = 0; index < slab->carved; index++) {
        uint32_t tag = sync_tag_read(&slab->tags[index]);
        bool is_live = slab_tag_is_live(tag), is_span = slab_tag_is_span(tag);
        bool is_taken = slab_tag_is_taken(tag), is_free = slab_tag_is_free(tag);
        size_t usable = slab_tag_blocks(tag) * (size_t)slab->usable;
        free_count += is_free;
        taken += is_taken;
        unknown += !is_live && !is_taken && !is_free && !is_span && tag != SLAB_TAG_SPAN;
        unknown += !is_rest_whole(tag, &left);
        over += (is_live || is_span) && slab_tag_size(tag) > usable;
    }
    unknown += left != 0 && left != UINT32_MAX;
    unknown += !is_tail_uncarved(slab);
    check->taken += taken;
    check->free_blocks += free_count;
    if (unknown != 0)
        return CHECK_SLAB_TAGS;
    if (over != 0)
        return CHECK_SLAB_SIZE;
    return free_count == slab->free_count ? CHECK_OK : CHECK_SLAB_FREE;
}

static enum check_id check_slab(struct check *check, const struct extent *extent)
{
    const struct slab *slab = extent->as.slab;
    if (!is_slab_shaped(check, extent))
        return CHECK_SLAB_SHAPE;
    enum check_id broken = check_tags(check, slab);
    if (broken != CHECK_OK)
        return broken;
    if (!is_free_list_whole(slab))
        return CHECK_SLAB_FREE_LIST;
    check->slabs++;
    check->slabs_with_room += has_room(slab);
    check->slabs_empty += slab->free_count == slab->carved;
    return CHECK_OK;
}

static enum check_id check_class(struct check *check, unsigned class_index, size_t *room_left,
                                 size_t *empty_left)
{
    const struct slab_class *class = &check->heap->slabs.classes[class_index];
    const struct slab *previous = NULL;
    bool has_empty = false;
    for (const struct slab *slab = class->partial; slab != NULL;
         previous = slab, slab = slab->next) {
        bool is_member =
            is_known_slab(check, slab) && slab->class_index == class_index && has_room(slab);
        if (!is_member || slab->previous != previous || (*room_left)-- == 0)
            return CHECK_CLASS_PARTIAL;
        if (slab->free_count != slab->carved)
            continue;
        if (class->empty != slab || (*empty_left)-- == 0)
            return CHECK_CLASS_EMPTY;
        has_empty = true;
    }
    return has_empty == (class->empty != NULL) ? CHECK_OK : CHECK_CLASS_EMPTY;
}

static enum check_id check_classes(struct check *check)
{
    const struct slabs *slabs = &check->heap->slabs;
    size_t count = 0, free_blocks = 0;
    size_t room_left = check->slabs_with_room, empty_left = check->slabs_empty;
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        enum check_id broken = check_class(check, class_index, &room_left, &empty_left);
        if (broken != CHECK_OK)
            return broken;
        count += slabs->classes[class_index].slabs;
        free_blocks += slabs->classes[class_index].free_blocks;
    }
    if (room_left != 0)
        return CHECK_CLASS_PARTIAL;
    bool are_sums_right = count == check->slabs && free_blocks == check->free_blocks;
    return are_sums_right ? CHECK_OK : CHECK_SLAB_SUMS;
}

static bool is_entry_whole(const struct check *check, const struct slab_entry *entry,
                           unsigned class_index)
{
    struct slab *slab = pagemap_slab_of(pagemap_get(entry->block), check->heap->id);
    if (slab == NULL || !is_known_slab(check, slab) || slab->class_index != class_index ||
        slab_tag_at(slab, entry->block) != entry->tag)
        return false;
    uint32_t tag = sync_tag_read(entry->tag);
    return slab_tag_is_taken(tag);
}

static enum check_id check_spans(struct check *check)
{
    const struct slab_spans *spans = &check->heap->slabs.spans;
    if (spans->count > SLAB_SPANS_MAX)
        return CHECK_SPANS;
    for (unsigned i = 0; i < spans->count; i++) {
        const struct slab_entry *entry = &spans->entries[i];
        const struct slab *slab = pagemap_slab_of(pagemap_get(entry->block), check->heap->id);
        check->place = entry->block;
        if (slab == NULL || !is_known_slab(check, slab) ||
            !is_entry_whole(check, entry, slab->class_index))
            return CHECK_SPANS;
    }
    return CHECK_OK;
}

/* ---- the calling thread's cache ---- */

static enum check_id check_run_class(struct check *check, const struct cache *cache,
                                     unsigned run_class, size_t *pages)
{
    for (const struct extent *extent = cache->runs[run_class]; extent != NULL;
         extent = extent->as.block.next) {
        bool is_whole = is_known_extent(check, extent) && extent_state(extent) == EXTENT_CACHED &&
                        extent->run_class == run_class;
        if (!is_whole || check->cached-- == 0)
            return CHECK_CACHE_RUNS;
        check->place = extent->start;
        *pages += extent->pages;
    }
    return CHECK_OK;
}

static bool is_cached_mapping_whole(const struct check *check, const struct extent *extent)
{
    return extent == NULL ||
           (is_known_extent(check, extent) && extent_state(extent) == EXTENT_CACHED_MAPPING &&
            extent->pages <= CACHED_MAPPING_PAGES_MAX);
}

static enum check_id check_cached_runs(struct check *check, const struct cache *cache)
{
    size_t pages = 0;
    if (!is_cached_mapping_whole(check, cache->mapping))
        return CHECK_CACHE_RUNS;
    for (unsigned run_class = 0; run_class < RUN_CLASS_COUNT; run_class++)
        if (check_run_class(check, cache, run_class, &pages) != CHECK_OK)
            return CHECK_CACHE_RUNS;
    bool is_within = pages == cache->run_pages && pages <= cache->run_pages_max;
    return is_within ? CHECK_OK : CHECK_CACHE_RUNS;
}

static enum check_id check_cache(struct check *check)
{
    const struct cache *cache = cache_current;
    size_t count = 0;
    if (cache->heap != check->heap)
        return CHECK_OK;
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        const struct magazine *magazine = &cache->magazines[class_index];
        for (const struct slab_entry *entry = magazine->top - 1; entry->block != NULL; entry--) {
            check->place = entry->block;
            if (!is_entry_whole(check, entry, class_index) || count++ >= check->taken)
                return CHECK_CACHE_ENTRIES;
        }
    }
    return check_cached_runs(check, cache);
}

/* ---- extents, the tree, the sums ---- */

static enum check_id check_content(struct check *check, const struct extent *extent)
{
    if (extent_state(extent) == EXTENT_FREE)
        return check_free(check, extent);
    if (extent_state(extent) == EXTENT_LARGE || extent_state(extent) == EXTENT_CACHED ||
        extent_state(extent) == EXTENT_MAPPING || extent_state(extent) == EXTENT_CACHED_MAPPING)
        return check_block(check, extent);
    if (extent_state(extent) == EXTENT_SLAB) {
        check->held_pages += extent->pages;
        return check_slab(check, extent);
    }
    check->kept_count++;
    check->kept_pages += extent->pages;
    return CHECK_OK;
}

static int check_extent(const struct extent *extent, void *context)
{
    struct check *check = context;
    check->place = extent->start;
    uintptr_t start = (uintptr_t)extent->start;
    bool is_shaped = start != 0 && start % PAGE_BYTES == 0 && extent->pages > 0 &&
                     extent->pages <= SIZE_LIMIT >> PAGE_SHIFT &&
                     extent->pages <= (UINTPTR_MAX - start) >> PAGE_SHIFT;
    if (!is_shaped || extent_state(extent) > EXTENT_KEPT || extent->dirty > extent_length(extent))
        return CHECK_EXTENT_SHAPE;
    if (extent_state(extent) == EXTENT_FREE
            ? extent->clean % PAGE_BYTES != 0 || extent->clean > extent->dirty
            : extent->clean != 0)
        return CHECK_EXTENT_SHAPE;
    enum check_id broken = check_pagemap(check, extent);
    bool is_apart = extent_has_cell(extent);
    if (broken == CHECK_OK)
        broken = check_place(check, extent,
                             is_apart ? NULL : extent_right(&check->heap->extents.list, extent));
    return (int)(broken != CHECK_OK ? broken : check_content(check, extent));
}

/* Checks a subtree whose nodes come after `*last` in order, and moves *last to its last node.
 * *ret_left: members not met yet. */
static enum check_id check_tree(struct check *check, const struct extent *node,
                                const struct extent **last, size_t *ret_left)
{
    if (node == NULL)
        return CHECK_OK;
    if (!is_known_extent(check, node))
        return CHECK_TREE_MEMBERS;
    const struct extent *left = node->as.node.left, *right = node->as.node.right;
    check->place = node->start;
    if (extent_state(node) != EXTENT_FREE || (*ret_left)-- == 0)
        return CHECK_TREE_MEMBERS;
    enum check_id broken = check_tree(check, left, last, ret_left);
    if (broken != CHECK_OK)
        return broken;
    check->place = node->start;
    if (*last != NULL && !tree_is_before(*last, node, check->heap->extents.free.fit))
        return CHECK_TREE_ORDER;
    *last = node;
    broken = check_tree(check, right, last, ret_left);
    if (broken != CHECK_OK)
        return broken;
    check->place = node->start;
    size_t below = size_max(left == NULL ? 0 : left->as.node.pages_max,
                            right == NULL ? 0 : right->as.node.pages_max);
    if (node->as.node.pages_max != size_max(node->pages, below))
        return CHECK_TREE_MAX;
    bool is_heap = (left == NULL || left->as.node.priority <= node->as.node.priority) &&
                   (right == NULL || right->as.node.priority <= node->as.node.priority);
    return is_heap ? CHECK_OK : CHECK_TREE_ORDER;
}

static enum check_id check_purge_list(struct check *check)
{
    const struct extent *previous = NULL;
    for (const struct extent *extent = check->heap->extents.free.purge_first; extent != NULL;
         previous = extent, extent = extent->as.node.purge_next) {
        bool is_member = is_known_extent(check, extent) && extent_state(extent) == EXTENT_FREE &&
                         free_set_is_worth_purging(extent);
        if (!is_member || extent->as.node.purge_previous != previous || check->to_purge-- == 0)
            return CHECK_PURGE_LIST;
        check->place = extent->start;
    }
    return check->to_purge == 0 ? CHECK_OK : CHECK_PURGE_LIST;
}

static enum check_id check_sums(const struct check *check)
{
    const struct anvil_heap *heap = check->heap;
    const struct extents *extents = &heap->extents;
    if (check->held_pages != extents->held_pages || check->free_pages != extents->free.pages ||
        check->free_count != extents->free.count ||
        check->dirty_bytes != extents->free.dirty_bytes ||
        check->mapping_count != extents->mapping_count ||
        check->mapping_pages != extents->mapping_pages ||
        check->kept_count != extents->kept_count || check->kept_pages != extents->kept_pages)
        return CHECK_EXTENT_SUMS;
    size_t pages = check->held_pages + check->mapping_pages + check->kept_pages;
    if (heap->pages.held != (pages << PAGE_SHIFT) + heap->meta.length + heap->own_length)
        return CHECK_SOURCE_HELD;
    return CHECK_OK;
}

enum check_id check_heap(const struct anvil_heap *heap, const void **ret_place)
{
    struct check check = {.heap = heap};
    struct walk_visitor visitor = {.extent = check_extent, .context = &check};
    const struct extent *last = NULL;
    enum check_id broken = (enum check_id)walk(heap, &visitor);
    size_t left = check.free_count;
    if (broken == CHECK_OK)
        broken = check_tree(&check, heap->extents.free.root, &last, &left);
    if (broken == CHECK_OK && left != 0)
        broken = CHECK_TREE_MEMBERS;
    if (broken == CHECK_OK)
        broken = check_purge_list(&check);
    if (broken == CHECK_OK)
        broken = check_classes(&check);
    if (broken == CHECK_OK)
        broken = check_spans(&check);
    if (broken == CHECK_OK)
        broken = check_cache(&check);
    if (broken == CHECK_OK)
        broken = check_sums(&check);
    *ret_place = check.place;
    return broken;
}

int anvil_heap_check(anvil_heap *heap, char *error, size_t error_size)
{
    const void *place;
    if (heap == NULL)
        heap = heap_default();
    heap_lock(heap);
    enum check_id broken = check_heap(heap, &place);
    heap_unlock(heap);
    if (broken == CHECK_OK)
        return 0;
    struct text text = text_start(error, error_size);
    text_add(&text, "%s: %s (at %p)", invariants[broken].name, invariants[broken].sentence,
             (void *)(uintptr_t)place);
    return EINVAL;
}
