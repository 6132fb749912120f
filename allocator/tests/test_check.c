/* SPDX-License-Identifier: MIT */
/* Makes a violation of each invariant: the checker must report it by its name. */
#include "support.h"

#include "check.h"
#include "tree.h"

#include <string.h>

enum { BLOCK = 64 };

static anvil_heap *heap;
static struct extent *low, *high, *live; /* free, free, and a large block between them */
static struct extent *slab_extent, *mapping;
static struct slab *slab;
static struct slab_class *class;

/* | low, free | live | high, free … |, a slab below, and a mapping of its own elsewhere. */
static int setup(void **state)
{
    (void)state;
    heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_FIRST);
    slab_extent = pagemap_get(anvil_heap_malloc(heap, 100), heap->id);
    char *first = anvil_heap_malloc(heap, 40000);
    live = pagemap_get(anvil_heap_malloc(heap, 20000), heap->id);
    mapping = pagemap_get(anvil_heap_malloc(heap, 2 << 20), heap->id);
    anvil_heap_free(heap, first);
    low = extent_left(&heap->extents, live);
    high = extent_right(&heap->extents, live);
    support_check(heap);
    return 0;
}

/* One slab with ten blocks carved, of which 3, 5 and 7 are free. */
static int setup_slab(void **state)
{
    (void)state;
    void *blocks[10];
    heap = support_arena_heap(1024 * PAGE_BYTES, ANVIL_FIT_FIRST);
    for (int i = 0; i < 10; i++)
        blocks[i] = anvil_heap_malloc(heap, BLOCK);
    for (int i = 3; i < 9; i += 2)
        anvil_heap_free(heap, blocks[i]);
    slab_extent = pagemap_get(blocks[0], heap->id);
    slab = slab_of(slab_extent);
    class = &heap->slabs.classes[slab->class_index];
    support_check(heap);
    return 0;
}

static void expect(enum check_id id)
{
    char error[200] = "";
    assert_int_not_equal(anvil_heap_check(heap, error, sizeof error), 0);
    size_t length = strlen(check_id_name(id));
    if (strncmp(error, check_id_name(id), length) != 0 || error[length] != ':')
        fail_msg("expected %s, reported: %s", check_id_name(id), error);
}

/* Changes a field for one check, expects its violation, and puts it back: the heap must be whole
 * again. */
#define EXPECT_WHEN(field, value, id)       \
    do {                                    \
        __typeof__(field) before = (field); \
        (field) = (value);                  \
        expect(id);                         \
        (field) = before;                   \
        support_check(heap);                \
    } while (0)

static void an_extent_of_no_known_shape_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(live->state, EXTENT_PENDING + 1, CHECK_EXTENT_SHAPE);
    EXPECT_WHEN(live->start, live->start + 8, CHECK_EXTENT_SHAPE);
    EXPECT_WHEN(live->pages, 0, CHECK_EXTENT_SHAPE);
    EXPECT_WHEN(low->dirty, extent_length(low) + 1, CHECK_EXTENT_SHAPE);
    EXPECT_WHEN(low->clean, low->dirty + PAGE_BYTES, CHECK_EXTENT_SHAPE);
    EXPECT_WHEN(live->clean, PAGE_BYTES, CHECK_EXTENT_SHAPE);
}

static void a_broken_list_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(live->previous, slab_extent, CHECK_EXTENT_ORDER);
    EXPECT_WHEN(heap->extents.last, live, CHECK_EXTENT_ORDER);
    EXPECT_WHEN(low->next, high, CHECK_EXTENT_ORDER);
}

static void overlapping_extents_are_reported(void **state)
{
    (void)state;
    char *last_page = extent_end(live) - PAGE_BYTES;
    pagemap_clear(last_page); /* so that only the overlap is wrong */
    pagemap_set(high->start, live, heap->id);
    live->pages++;
    expect(CHECK_EXTENT_OVERLAP);
    live->pages--;
    pagemap_set(high->start, high, heap->id);
    pagemap_set(last_page, live, heap->id);
    support_check(heap);
}

static void free_neighbours_are_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(live->state, EXTENT_FREE, CHECK_EXTENT_COALESCED);
}

static void a_block_larger_than_its_extent_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(live->as.block.size, extent_length(live) + 1, CHECK_EXTENT_SIZE);
}

static void dirt_in_memory_known_as_zero_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(high->start[high->dirty], 1, CHECK_KNOWN_ZERO);
    EXPECT_WHEN(extent_end(high)[-1], 1, CHECK_KNOWN_ZERO);
}

static void wrong_entries_of_the_pagemap_are_reported(void **state)
{
    (void)state;
    pagemap_clear(extent_end(live) - 1);
    expect(CHECK_PAGEMAP_ENDS);
    pagemap_set(extent_end(live) - 1, live, heap->id);
    pagemap_set(live->start + PAGE_BYTES, live, heap->id);
    expect(CHECK_PAGEMAP_INNER);
    pagemap_clear(live->start + PAGE_BYTES);
    pagemap_clear(slab_extent->start + PAGE_BYTES);
    expect(CHECK_PAGEMAP_INNER);
    pagemap_set(slab_extent->start + PAGE_BYTES, slab_extent, heap->id);
    support_check(heap);
}

static void a_tree_out_of_order_is_reported(void **state)
{
    (void)state;
    struct extent *root = heap->extents.root;
    struct extent_node kept = root->as.node;
    root->as.node.left = kept.right;
    root->as.node.right = kept.left;
    expect(CHECK_TREE_ORDER);
    root->as.node = kept;
    struct extent *child = kept.left != NULL ? kept.left : kept.right;
    EXPECT_WHEN(root->as.node.priority, child->as.node.priority - 1, CHECK_TREE_ORDER);
}

static void a_wrong_maximum_in_the_tree_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(heap->extents.root->as.node.pages_max, heap->extents.root->as.node.pages_max - 1,
                CHECK_TREE_MAX);
}

static void a_tree_with_wrong_members_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(heap->extents.root, NULL, CHECK_TREE_MEMBERS);
    struct extent **leaf = heap->extents.root->as.node.left != NULL
                               ? &heap->extents.root->as.node.left
                               : &heap->extents.root->as.node.right;
    EXPECT_WHEN(*leaf, mapping, CHECK_TREE_MEMBERS);
}

static void wrong_sums_of_extents_are_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(heap->extents.held_pages, heap->extents.held_pages + 1, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.free_pages, 0, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.free_count, 1, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.dirty_bytes, 1, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.mapping_count, 0, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.mapping_pages, 0, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.pending_count, 1, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.pending_pages, 1, CHECK_EXTENT_SUMS);
}

static void memory_that_is_nowhere_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(heap->pages.held, heap->pages.held + PAGE_BYTES, CHECK_SOURCE_HELD);
    EXPECT_WHEN(heap->meta.length, 0, CHECK_SOURCE_HELD);
}

static void wrong_sums_of_blocks_are_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(heap->live_blocks, 1, CHECK_LIVE_SUMS);
    EXPECT_WHEN(heap->live_size, heap->live_size - 1, CHECK_LIVE_SUMS);
    EXPECT_WHEN(heap->live_capacity, heap->live_capacity + 16, CHECK_LIVE_SUMS);
    EXPECT_WHEN(live->as.block.size, live->as.block.size - 1, CHECK_LIVE_SUMS);
}

static void a_slab_of_no_known_shape_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->class_index, SLAB_CLASSES, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->block_size, 80, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->capacity, 10, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->carved, slab->capacity + 1, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->live, 11, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->reciprocal, 1, CHECK_SLAB_SHAPE);
}

static void a_wrong_live_count_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->live, 6, CHECK_SLAB_LIVE);
    EXPECT_WHEN(slab->tags[0], SLAB_NO_BLOCK, CHECK_SLAB_LIVE);
    EXPECT_WHEN(slab->tags[5], SLAB_TAG_LIVE, CHECK_SLAB_LIVE);
}

static void a_slack_beyond_the_block_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->tags[0], SLAB_TAG_LIVE | (BLOCK + 1), CHECK_SLAB_SLACK);
}

static void a_broken_free_list_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->first_free, 5, CHECK_SLAB_FREE_LIST);             /* too short */
    EXPECT_WHEN(slab->first_free, SLAB_NO_BLOCK, CHECK_SLAB_FREE_LIST); /* empty */
    EXPECT_WHEN(slab->first_free, 20, CHECK_SLAB_FREE_LIST);            /* not carved */
    EXPECT_WHEN(slab->tags[3], 7, CHECK_SLAB_FREE_LIST);                /* a ring */
    EXPECT_WHEN(slab->tags[5], 0, CHECK_SLAB_FREE_LIST);                /* leads to a live block */
}

static void a_slab_missing_from_its_class_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(class->partial, NULL, CHECK_CLASS_PARTIAL);
    EXPECT_WHEN(slab->previous, slab_extent, CHECK_CLASS_PARTIAL);
    EXPECT_WHEN(slab->next, slab_extent, CHECK_CLASS_PARTIAL);
}

static void an_unknown_empty_slab_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(class->empty, slab_extent, CHECK_CLASS_EMPTY);
    struct extent *other = pagemap_get(anvil_heap_malloc(heap, 500), heap->id);
    struct slab_class *other_class = &heap->slabs.classes[slab_of(other)->class_index];
    anvil_heap_free(heap, other->start);
    EXPECT_WHEN(other_class->empty, NULL, CHECK_CLASS_EMPTY);
}

static void wrong_sums_of_slabs_are_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(class->slabs, 2, CHECK_SLAB_SUMS);
    EXPECT_WHEN(heap->slabs.carved_free, 2, CHECK_SLAB_SUMS);
    EXPECT_WHEN(heap->slabs.carved_free_bytes, 2, CHECK_SLAB_SUMS);
}

static void the_report_is_name_sentence_and_place(void **state)
{
    (void)state;
    char error[200], small[10];
    heap->live_blocks++;
    assert_int_not_equal(anvil_heap_check(heap, error, sizeof error), 0);
    assert_non_null(strstr(error, "live-sums: the counts of live blocks, their sizes and "
                                  "capacities agree with the blocks (at 0x"));
    assert_int_not_equal(anvil_heap_check(heap, small, sizeof small), 0);
    assert_string_equal(small, "live-sums");
    assert_int_not_equal(anvil_heap_check(heap, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_extent_of_no_known_shape_is_reported, setup),
        cmocka_unit_test_setup(a_broken_list_is_reported, setup),
        cmocka_unit_test_setup(overlapping_extents_are_reported, setup),
        cmocka_unit_test_setup(free_neighbours_are_reported, setup),
        cmocka_unit_test_setup(a_block_larger_than_its_extent_is_reported, setup),
        cmocka_unit_test_setup(dirt_in_memory_known_as_zero_is_reported, setup),
        cmocka_unit_test_setup(wrong_entries_of_the_pagemap_are_reported, setup),
        cmocka_unit_test_setup(a_tree_out_of_order_is_reported, setup),
        cmocka_unit_test_setup(a_wrong_maximum_in_the_tree_is_reported, setup),
        cmocka_unit_test_setup(a_tree_with_wrong_members_is_reported, setup),
        cmocka_unit_test_setup(wrong_sums_of_extents_are_reported, setup),
        cmocka_unit_test_setup(memory_that_is_nowhere_is_reported, setup),
        cmocka_unit_test_setup(wrong_sums_of_blocks_are_reported, setup),
        cmocka_unit_test_setup(a_slab_of_no_known_shape_is_reported, setup_slab),
        cmocka_unit_test_setup(a_wrong_live_count_is_reported, setup_slab),
        cmocka_unit_test_setup(a_slack_beyond_the_block_is_reported, setup_slab),
        cmocka_unit_test_setup(a_broken_free_list_is_reported, setup_slab),
        cmocka_unit_test_setup(a_slab_missing_from_its_class_is_reported, setup_slab),
        cmocka_unit_test_setup(an_unknown_empty_slab_is_reported, setup_slab),
        cmocka_unit_test_setup(wrong_sums_of_slabs_are_reported, setup_slab),
        cmocka_unit_test_setup(the_report_is_name_sentence_and_place, setup),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
