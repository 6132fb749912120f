/* SPDX-License-Identifier: MIT */
/*
 * The checker: one walk over the extents, then the tree, then the sums. Meant to run after every
 * operation of a fuzzed heap, so it does no more than a few look-ups per extent; it trusts nothing
 * that it has not checked before.
 *
 * known-zero is a sample: the first and the last word before and behind the dirty part, where an
 * off-by-one in the accounting shows.
 */
#include "check.h"

#include "heap_set.h"
#include "text.h"
#include "tree.h"
#include "walk.h"

#include <errno.h>

struct invariant {
    const char *name, *sentence;
};

/* What one pass over the heap adds up, and the first violation. */
struct check {
    const struct anvil_heap *heap;
    const void *place; /* of the violation */
    struct pagemap_view view;
    size_t held_pages, free_pages, free_count, dirty_bytes, mapping_count, mapping_pages,
        pending_count, pending_pages;
    size_t live_blocks, live_size, live_capacity;
    size_t slabs, slabs_with_room, slabs_empty, carved_free, carved_free_bytes;
};

#define CHECK_ENTRY(id, name, sentence) [CHECK_##id] = {(name), (sentence)},
static const struct invariant invariants[CHECK_COUNT] = {[CHECK_OK] = {"ok", "nothing is broken"},
                                                         CHECK_LIST(CHECK_ENTRY)};

const char *check_id_name(enum check_id id)
{
    return invariants[id].name;
}

/* As pagemap_get. */
static const struct extent *get(struct check *check, const void *address)
{
    const struct sync_pointer *word = pagemap_view_words(&check->view, address, 1);
    return pagemap_extent_of(UNLIKELY(word == NULL) ? 0 : sync_word_read(word),
                             check->heap->extents.owner);
}

/* right: what the page behind the extent leads to. */
static inline enum check_id check_place(const struct check *check, const struct extent *extent,
                                        const struct extent *right)
{
    const struct extents *extents = &check->heap->extents;
    const struct extent *next = extent->next;
    if (next == NULL ? extents->last != extent : next->previous != extent)
        return CHECK_EXTENT_ORDER;
    if (extent->previous == NULL && extents->first != extent)
        return CHECK_EXTENT_ORDER;
    if (next != NULL && next->start >= extent->start && next->start < extent_end(extent))
        return CHECK_EXTENT_OVERLAP;
    if (right == NULL)
        return CHECK_OK;
    if (right != next)
        return CHECK_EXTENT_ORDER;
    return right->state == EXTENT_FREE && extent->state == EXTENT_FREE ? CHECK_EXTENT_COALESCED
                                                                       : CHECK_OK;
}

/* As pagemap_agrees, where one leaf has the words of all pages. */
static inline bool is_recorded_whole(const struct sync_pointer *words, size_t pages,
                                     uintptr_t expected)
{
    uintptr_t difference = 0;
    for (size_t page = 0; page < pages; page++)
        difference |= sync_word_read(&words[page]) ^ expected;
    return difference == 0;
}

static enum check_id check_pagemap(struct check *check, const struct extent *extent)
{
    unsigned owner = check->heap->extents.owner;
    bool is_slab = extent->state == EXTENT_SLAB;
    if (is_slab && pagemap_agrees(extent->start, extent->pages, extent, owner))
        return CHECK_OK;
    if (get(check, extent->start) != extent || get(check, extent_end(extent) - 1) != extent)
        return CHECK_PAGEMAP_ENDS;
    if (is_slab)
        return CHECK_PAGEMAP_INNER;
    const char *second = extent->start + PAGE_BYTES,
               *last_but_one = extent_end(extent) - 2 * PAGE_BYTES;
    bool is_clear = extent->pages <= 2 || (pagemap_agrees(second, 1, NULL, owner) &&
                                           pagemap_agrees(last_but_one, 1, NULL, owner));
    return is_clear ? CHECK_OK : CHECK_PAGEMAP_INNER;
}

/* The straight path is a slab whose words, and that of the page behind it, are in one leaf. */
static inline enum check_id check_recorded_place(struct check *check, const struct extent *extent)
{
    unsigned owner = check->heap->extents.owner;
    const struct sync_pointer *words =
        pagemap_view_words(&check->view, extent->start, extent->pages + 1);
    bool is_straight = extent->state == EXTENT_SLAB && words != NULL;
    if (UNLIKELY(!is_straight ||
                 !is_recorded_whole(words, extent->pages, pagemap_word_of(extent, owner)))) {
        enum check_id broken = check_pagemap(check, extent);
        return broken != CHECK_OK ? broken
                                  : check_place(check, extent, get(check, extent_end(extent)));
    }
    return check_place(check, extent,
                       pagemap_extent_of(sync_word_read(&words[extent->pages]), owner));
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

static void add_live(struct check *check, const struct extent *extent)
{
    check->live_blocks++;
    check->live_size += extent->as.block.size;
    check->live_capacity += extent_length(extent);
}

static enum check_id check_free(struct check *check, const struct extent *extent)
{
    check->free_pages += extent->pages;
    check->free_count++;
    check->dirty_bytes += extent->dirty - extent->clean;
    check->held_pages += extent->pages;
    return is_zero_around_dirt(extent) ? CHECK_OK : CHECK_KNOWN_ZERO;
}

static enum check_id check_block(struct check *check, const struct extent *extent)
{
    add_live(check, extent);
    if (extent->state == EXTENT_MAPPING) {
        check->mapping_count++;
        check->mapping_pages += extent->pages;
    } else {
        check->held_pages += extent->pages;
    }
    return extent->as.block.size <= extent_length(extent) ? CHECK_OK : CHECK_EXTENT_SIZE;
}

/* ---- slabs and their classes ---- */

static bool is_slab_shaped(const struct extent *extent)
{
    const struct slab *slab = slab_of_const(extent);
    if (slab->class_index >= SLAB_CLASSES)
        return false;
    struct slab_size size = slab_sizes[slab->class_index];
    size_t used = (size_t)slab->capacity * size.bytes, length = extent_length(extent);
    return slab->block_size == size.bytes && slab->reciprocal == size.reciprocal &&
           used <= length && length - used < size.bytes && slab->carved <= slab->capacity &&
           slab->live <= slab->carved;
}

/* Every block on the list is free, and the list is as long as there are free blocks: so each is on
 * it once. */
static bool is_free_list_whole(const struct extent *extent)
{
    const struct slab *slab = slab_of_const(extent);
    unsigned index = slab->first_free, left = (unsigned)(slab->carved - slab->live);
    for (; left > 0; left--) {
        if (index >= slab->carved || slab_block_is_live(extent, index))
            return false;
        index = slab_block_next_free(extent, index);
    }
    return index == SLAB_NO_BLOCK;
}

static enum check_id check_slab(struct check *check, const struct extent *extent)
{
    const struct slab *slab = slab_of_const(extent);
    if (!is_slab_shaped(extent))
        return CHECK_SLAB_SHAPE;
    size_t live = 0, slack = 0;
    bool is_over = false;
    /* no branches: they would be unpredictable */
    for (unsigned index = 0; index < slab->carved; index++) {
        size_t one = slab->tags[index] >> SLAB_TAG_LIVE_SHIFT;
        size_t its_slack = slab->tags[index] & SLAB_TAG_SLACK_MASK & -one;
        live += one;
        slack += its_slack;
        is_over |= its_slack > slab->block_size;
    }
    if (is_over)
        return CHECK_SLAB_SLACK;
    if (live != slab->live)
        return CHECK_SLAB_LIVE;
    if (!is_free_list_whole(extent))
        return CHECK_SLAB_FREE_LIST;
    check->live_blocks += live;
    check->live_size += live * slab->block_size - slack;
    check->live_capacity += live * slab->block_size;
    check->carved_free += slab->carved - live;
    check->carved_free_bytes += (slab->carved - live) * slab->block_size;
    check->slabs++;
    check->slabs_with_room += slab->live < slab->capacity;
    check->slabs_empty += slab->live == 0;
    return CHECK_OK;
}

static enum check_id check_class(struct check *check, unsigned class_index, size_t *room_left,
                                 size_t *empty_left)
{
    const struct slab_class *class = &check->heap->slabs.classes[class_index];
    const struct extent *previous = NULL;
    bool has_empty = false;
    for (const struct extent *extent = class->partial; extent != NULL;
         previous = extent, extent = slab_of_const(extent)->next) {
        const struct slab *slab = slab_of_const(extent);
        check->place = extent->start;
        bool is_member = extent->state == EXTENT_SLAB && slab->class_index == class_index &&
                         slab->live < slab->capacity;
        if (!is_member || slab->previous != previous || (*room_left)-- == 0)
            return CHECK_CLASS_PARTIAL;
        if (slab->live != 0)
            continue;
        if (class->empty != extent || (*empty_left)-- == 0)
            return CHECK_CLASS_EMPTY;
        has_empty = true;
    }
    return has_empty == (class->empty != NULL) ? CHECK_OK : CHECK_CLASS_EMPTY;
}

static enum check_id check_classes(struct check *check)
{
    const struct slabs *slabs = &check->heap->slabs;
    size_t count = 0, room_left = check->slabs_with_room, empty_left = check->slabs_empty;
    for (unsigned class_index = 0; class_index < SLAB_CLASSES; class_index++) {
        if (slabs->classes[class_index].partial == NULL &&
            slabs->classes[class_index].empty == NULL) {
            count += slabs->classes[class_index].slabs;
            continue;
        }
        enum check_id broken = check_class(check, class_index, &room_left, &empty_left);
        if (broken != CHECK_OK)
            return broken;
        count += slabs->classes[class_index].slabs;
    }
    if (room_left != 0)
        return CHECK_CLASS_PARTIAL;
    if (count != check->slabs || check->carved_free != slabs->carved_free ||
        check->carved_free_bytes != slabs->carved_free_bytes)
        return CHECK_SLAB_SUMS;
    return CHECK_OK;
}

/* ---- extents, the tree, the sums ---- */

static enum check_id check_content(struct check *check, const struct extent *extent)
{
    if (extent->state == EXTENT_FREE)
        return check_free(check, extent);
    if (extent->state == EXTENT_LARGE || extent->state == EXTENT_MAPPING)
        return check_block(check, extent);
    if (extent->state == EXTENT_SLAB) {
        check->held_pages += extent->pages;
        return check_slab(check, extent);
    }
    check->pending_count++;
    check->pending_pages += extent->pages;
    return CHECK_OK;
}

static int check_extent(const struct extent *extent, void *context)
{
    struct check *check = context;
    check->place = extent->start;
    bool is_shaped = (uintptr_t)extent->start % PAGE_BYTES == 0 && extent->pages > 0 &&
                     extent->pages <= SIZE_LIMIT >> PAGE_SHIFT;
    if (!is_shaped || extent->state > EXTENT_PENDING || extent->dirty > extent_length(extent))
        return CHECK_EXTENT_SHAPE;
    if (extent->state == EXTENT_FREE
            ? extent->clean % PAGE_BYTES != 0 || extent->clean > extent->dirty
            : extent->clean != 0)
        return CHECK_EXTENT_SHAPE;
    enum check_id broken = check_recorded_place(check, extent);
    return (int)(broken != CHECK_OK ? broken : check_content(check, extent));
}

/* Checks a subtree whose nodes come after `*last` in order, and moves *last to its last node.
 * *ret_left: members not met yet. */
static enum check_id check_tree(struct check *check, const struct extent *node,
                                const struct extent **last, size_t *ret_left)
{
    if (node == NULL)
        return CHECK_OK;
    const struct extent *left = node->as.node.left, *right = node->as.node.right;
    check->place = node->start;
    if (node->state != EXTENT_FREE || (*ret_left)-- == 0)
        return CHECK_TREE_MEMBERS;
    enum check_id broken = check_tree(check, left, last, ret_left);
    if (broken != CHECK_OK)
        return broken;
    check->place = node->start;
    if (*last != NULL && !tree_is_before(*last, node, check->heap->extents.fit))
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

static enum check_id check_sums(const struct check *check)
{
    const struct anvil_heap *heap = check->heap;
    const struct extents *extents = &heap->extents;
    if (check->held_pages != extents->held_pages || check->free_pages != extents->free_pages ||
        check->free_count != extents->free_count || check->dirty_bytes != extents->dirty_bytes ||
        check->mapping_count != extents->mapping_count ||
        check->mapping_pages != extents->mapping_pages ||
        check->pending_count != extents->pending_count ||
        check->pending_pages != extents->pending_pages)
        return CHECK_EXTENT_SUMS;
    size_t pages = check->held_pages + check->mapping_pages + check->pending_pages;
    if (heap->pages.held != (pages << PAGE_SHIFT) + heap->meta.length + heap->own_length)
        return CHECK_SOURCE_HELD;
    if (check->live_blocks != heap->live_blocks || check->live_size != heap->live_size ||
        check->live_capacity != heap->live_capacity)
        return CHECK_LIVE_SUMS;
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
        broken = check_tree(&check, heap->extents.root, &last, &left);
    if (broken == CHECK_OK && left != 0)
        broken = CHECK_TREE_MEMBERS;
    if (broken == CHECK_OK)
        broken = check_classes(&check);
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
    sync_lock_acquire(&heap->lock);
    enum check_id broken = check_heap(heap, &place);
    sync_lock_release(&heap->lock);
    if (broken == CHECK_OK)
        return 0;
    struct text text = text_start(error, error_size);
    text_add(&text, "%s: %s (at %p)", invariants[broken].name, invariants[broken].sentence,
             (void *)(uintptr_t)place);
    return EINVAL;
}
