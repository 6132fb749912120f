/* SPDX-License-Identifier: MIT */
/* Makes a violation of each invariant: the checker must report it by its name. */
#include "support.h"

#include "cache.h"
#include "check.h"
#include "heap_set.h"
#include "tree.h"

#include <string.h>

enum { BLOCK = 64 };

static anvil_heap *heap;
static struct extent *low, *high, *live; /* free, free, and a large block between them */
static struct extent *slab_extent, *mapping;
static struct slab *slab;
static struct slab_class *class;

static struct extent *extent_of(const void *block)
{
    const struct slab *of_block = pagemap_slab_of(pagemap_get(block), heap->id);
    return of_block != NULL ? of_block->extent
                            : pagemap_extent_of(pagemap_get_start(block), heap->id);
}

/* | low, free | live | high, free … |, a slab below, and a mapping of its own elsewhere. */
static int setup(void **state)
{
    (void)state;
    heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_FIRST);
    slab_extent = extent_of(anvil_heap_malloc(heap, 64)); /* three pages */
    char *first = anvil_heap_malloc(heap, 40000);
    live = extent_of(anvil_heap_malloc(heap, 36000));
    mapping = extent_of(anvil_heap_malloc(heap, 2 << 20));
    anvil_heap_free(heap, first);
    low = extent_left(&heap->extents.list, live);
    high = extent_right(&heap->extents.list, live);
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
    slab_extent = extent_of(blocks[0]);
    slab = slab_extent->as.slab;
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
    EXPECT_WHEN(live->state.bits, EXTENT_KEPT + 1, CHECK_EXTENT_SHAPE);
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
    EXPECT_WHEN(heap->extents.list.last, live, CHECK_EXTENT_ORDER);
    EXPECT_WHEN(low->next, high, CHECK_EXTENT_ORDER);
    EXPECT_WHEN(heap->extents.list.first->previous, live, CHECK_EXTENT_ORDER);
}

static pagemap_word word_of(const struct extent *extent)
{
    return pagemap_word_of_extent(extent, heap->id);
}

static void overlapping_extents_are_reported(void **state)
{
    (void)state;
    char *last_page = extent_end(live) - PAGE_BYTES;
    pagemap_set(last_page, 0); /* so that only the overlap is wrong */
    pagemap_set(high->start, word_of(live));
    live->pages++;
    expect(CHECK_EXTENT_OVERLAP);
    live->pages--;
    pagemap_set(high->start, word_of(high));
    pagemap_set(last_page, word_of(live));
    support_check(heap);
}

static void free_neighbours_are_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(live->state.bits, EXTENT_FREE, CHECK_EXTENT_COALESCED);
}

static void a_block_larger_than_its_extent_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(live->as.block.size.bits, extent_length(live) + 1, CHECK_EXTENT_SIZE);
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
    pagemap_set(extent_end(live) - 1, 0);
    expect(CHECK_PAGEMAP_ENDS);
    pagemap_set(extent_end(live) - 1, word_of(live));
    pagemap_set_cell(mapping->start, 0);
    expect(CHECK_PAGEMAP_ENDS);
    pagemap_set_cell(mapping->start, word_of(mapping));
    pagemap_set(extent_end(mapping) - 1, word_of(mapping));
    expect(CHECK_PAGEMAP_ENDS);
    pagemap_set(extent_end(mapping) - 1, 0);
    pagemap_set(live->start + PAGE_BYTES, word_of(live));
    expect(CHECK_PAGEMAP_INNER);
    pagemap_set(live->start + PAGE_BYTES, 0);
    pagemap_set(slab_extent->start + PAGE_BYTES, 0);
    expect(CHECK_PAGEMAP_INNER);
    pagemap_set(slab_extent->start + PAGE_BYTES,
                pagemap_word_of_slab(slab_extent->as.slab, heap->id));
    support_check(heap);
}

static void a_tree_out_of_order_is_reported(void **state)
{
    (void)state;
    struct extent *root = heap->extents.free.root;
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
    EXPECT_WHEN(heap->extents.free.root->as.node.pages_max,
                heap->extents.free.root->as.node.pages_max - 1, CHECK_TREE_MAX);
}

static void a_tree_with_wrong_members_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(heap->extents.free.root, NULL, CHECK_TREE_MEMBERS);
    struct extent **leaf = heap->extents.free.root->as.node.left != NULL
                               ? &heap->extents.free.root->as.node.left
                               : &heap->extents.free.root->as.node.right;
    EXPECT_WHEN(*leaf, mapping, CHECK_TREE_MEMBERS);
}

static void a_wrong_list_of_extents_to_purge_is_reported(void **state)
{
    (void)state;
    assert_ptr_equal(heap->extents.free.purge_first, low); /* the one that was written to */
    EXPECT_WHEN(heap->extents.free.purge_first, NULL, CHECK_PURGE_LIST);
    EXPECT_WHEN(heap->extents.free.purge_first, live, CHECK_PURGE_LIST);
    EXPECT_WHEN(low->as.node.purge_next, low, CHECK_PURGE_LIST);
    EXPECT_WHEN(low->as.node.purge_next, high, CHECK_PURGE_LIST);
    EXPECT_WHEN(low->as.node.purge_previous, high, CHECK_PURGE_LIST);
}

static void wrong_sums_of_extents_are_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(heap->extents.held_pages, heap->extents.held_pages + 1, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.free.pages, 0, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.free.count, 1, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.free.dirty_bytes, 1, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.mapping_count, 0, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.mapping_pages, 0, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.kept_count, 1, CHECK_EXTENT_SUMS);
    EXPECT_WHEN(heap->extents.kept_pages, 1, CHECK_EXTENT_SUMS);
}

static void memory_that_is_nowhere_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(heap->pages.held, heap->pages.held + PAGE_BYTES, CHECK_SOURCE_HELD);
    EXPECT_WHEN(heap->meta.length, 0, CHECK_SOURCE_HELD);
}

static void a_slab_of_no_known_shape_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->class_index, SIZE_CLASS_COUNT, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->block_size, 80, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->capacity, 10, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->carved, (uint16_t)(slab->capacity + 1), CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->free_count, 11, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->reciprocal, 1, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->bias, slab->bias + 1, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->magazine, 1, CHECK_SLAB_SHAPE);
    EXPECT_WHEN(slab->start, slab->start + PAGE_BYTES, CHECK_SLAB_SHAPE);
}

#define EXPECT_TAG(index, value, id)                             \
    do {                                                         \
        uint32_t before_tag = sync_tag_read(&slab->tags[index]); \
        sync_tag_write(&slab->tags[index], (value));             \
        expect(id);                                              \
        sync_tag_write(&slab->tags[index], before_tag);          \
        support_check(heap);                                     \
    } while (0)

static void a_tag_of_no_known_state_is_reported(void **state)
{
    (void)state;
    EXPECT_TAG(0, SLAB_TAG_NONE, CHECK_SLAB_TAGS);
    EXPECT_TAG(10, SLAB_TAG_TAKEN, CHECK_SLAB_TAGS);                  /* not carved */
    EXPECT_TAG(slab->capacity, slab_tag_live(1, 0), CHECK_SLAB_TAGS); /* behind the last */
}

static void a_wrong_free_count_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->free_count, 4, CHECK_SLAB_FREE);
    EXPECT_TAG(0, SLAB_TAG_FREE | SLAB_NO_BLOCK, CHECK_SLAB_FREE);
    EXPECT_TAG(5, slab_tag_live(BLOCK, 0), CHECK_SLAB_FREE);
    EXPECT_TAG(5, SLAB_TAG_TAKEN, CHECK_SLAB_FREE);
}

static void a_size_beyond_the_block_is_reported(void **state)
{
    (void)state;
    EXPECT_TAG(0, slab_tag_live(BLOCK + 1, 0), CHECK_SLAB_SIZE);
}

static void a_broken_free_list_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(slab->first_free, 5, CHECK_SLAB_FREE_LIST);             /* too short */
    EXPECT_WHEN(slab->first_free, SLAB_NO_BLOCK, CHECK_SLAB_FREE_LIST); /* empty */
    EXPECT_WHEN(slab->first_free, 20, CHECK_SLAB_FREE_LIST);            /* not carved */
    EXPECT_TAG(3, SLAB_TAG_FREE | 7, CHECK_SLAB_FREE_LIST);             /* a ring */
    EXPECT_TAG(5, SLAB_TAG_FREE | 0, CHECK_SLAB_FREE_LIST);             /* leads to a live block */
}

static void a_slab_missing_from_its_class_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(class->partial, NULL, CHECK_CLASS_PARTIAL);
    EXPECT_WHEN(slab->previous, slab, CHECK_CLASS_PARTIAL);
    EXPECT_WHEN(slab->next, slab, CHECK_CLASS_PARTIAL);
}

static void an_unknown_empty_slab_is_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(class->empty, slab, CHECK_CLASS_EMPTY);
    struct slab *other = extent_of(anvil_heap_malloc(heap, 500))->as.slab;
    struct slab_class *other_class = &heap->slabs.classes[other->class_index];
    anvil_heap_free(heap, other->start);
    EXPECT_WHEN(other_class->empty, NULL, CHECK_CLASS_EMPTY);
}

static void wrong_counts_of_slabs_are_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(class->slabs, 2, CHECK_SLAB_SUMS);
}

/* The default heap, with some blocks in the calling thread's cache. */
static int setup_cache(void **state)
{
    (void)state;
    void *blocks[10];
    heap_default_reset();
    heap = heap_default();
    for (int i = 0; i < 10; i++)
        blocks[i] = anvil_malloc(BLOCK);
    for (int i = 0; i < 5; i++)
        anvil_free(blocks[i]);
    slab = extent_of(blocks[9])->as.slab;
    support_check(heap);
    return 0;
}

static void a_wrong_entry_in_a_magazine_is_reported(void **state)
{
    (void)state;
    struct slab_entry *entry = cache_magazine(cache_current, slab->magazine)->top - 1;
    unsigned index = (unsigned)(entry->tag - slab->tags);
    EXPECT_TAG(index, slab_tag_live(BLOCK, 0), CHECK_CACHE_ENTRIES);
    EXPECT_WHEN(entry->block, entry->block + 16, CHECK_CACHE_ENTRIES);
    EXPECT_WHEN(entry->tag, entry->tag + 1, CHECK_CACHE_ENTRIES);
    EXPECT_WHEN(entry->block, (char *)&heap, CHECK_CACHE_ENTRIES);
}

static void a_broken_span_is_reported(void **state)
{
    (void)state;
    struct slab_spans *spans = &heap->slabs.spans;
    EXPECT_TAG(1, SLAB_TAG_SPAN, CHECK_SLAB_TAGS); /* the rest of nothing */
    EXPECT_TAG(0, slab_tag_span(2, BLOCK), CHECK_SLAB_TAGS);
    EXPECT_TAG(9, slab_tag_span(1, BLOCK + 1), CHECK_SLAB_SIZE);
    EXPECT_WHEN(spans->count, SLAB_SPANS_MAX + 1, CHECK_SPANS);
    EXPECT_WHEN(spans->count, 1, CHECK_SPANS); /* a place that holds none */
    EXPECT_WHEN(class->free_blocks, class->free_blocks + 1, CHECK_SLAB_SUMS);
}

/* The default heap, with two large blocks in the calling thread's cache. */
static int setup_cached_runs(void **state)
{
    (void)state;
    void *blocks[20];
    heap_default_reset();
    heap = heap_default();
    for (int i = 0; i < 20; i++) /* a thread that hardly frees has no cache yet */
        blocks[i] = anvil_malloc(36000);
    for (int i = 0; i < 18; i++)
        anvil_free(blocks[i]);
    live = extent_of(blocks[17]);
    assert_int_equal(extent_state(live), EXTENT_CACHED);
    support_check(heap);
    return 0;
}

static void wrong_cached_runs_are_reported(void **state)
{
    (void)state;
    EXPECT_WHEN(live->run_class, 1, CHECK_EXTENT_SHAPE);
    EXPECT_WHEN(live->state.bits, EXTENT_LARGE, CHECK_CACHE_RUNS);
    EXPECT_WHEN(live->as.block.next, live, CHECK_CACHE_RUNS);
    EXPECT_WHEN(live->as.block.next, (struct extent *)&heap, CHECK_CACHE_RUNS);
    EXPECT_WHEN(cache_current->run_pages, cache_current->run_pages - 1, CHECK_CACHE_RUNS);
    EXPECT_WHEN(cache_current->run_pages_max, 9, CHECK_CACHE_RUNS);
    EXPECT_WHEN(cache_current->mapping, live, CHECK_CACHE_RUNS);
    EXPECT_WHEN(cache_current->mapping, (struct extent *)&heap, CHECK_CACHE_RUNS);
}

/* Whatever overwrites the metadata, the checker returns, and mostly with a report. */
static void the_checker_survives_any_content_of_the_metadata(void **state)
{
    (void)state;
    char error[200];
    unsigned reported = 0;
    uintptr_t *words = (uintptr_t *)((uintptr_t)live & ~(uintptr_t)(PAGE_BYTES - 1));
    const uintptr_t values[] = {0,
                                1,
                                UINTPTR_MAX,
                                0x4141414141414141,
                                (uintptr_t)words,
                                (uintptr_t)live + 8,
                                (uintptr_t)low,
                                (uintptr_t)live->start};
    size_t skipped = (uintptr_t)words == (uintptr_t)heap->meta.chunks ? 8 : 0; /* its header */
    for (size_t i = skipped; i < PAGE_BYTES / sizeof *words; i++)
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            uintptr_t kept = words[i];
            words[i] = values[v];
            reported += anvil_heap_check(heap, error, sizeof error) != 0;
            words[i] = kept;
        }
    assert_in_range(reported, 100, UINT32_MAX);
    support_check(heap);
}

static void the_report_is_name_sentence_and_place(void **state)
{
    (void)state;
    char error[200], small[11];
    heap->extents.mapping_count++;
    assert_int_not_equal(anvil_heap_check(heap, error, sizeof error), 0);
    assert_non_null(strstr(error, "extent-sums: the sums of pages, free pages, dirty bytes and "
                                  "mappings agree with the extents (at 0x"));
    assert_int_not_equal(anvil_heap_check(heap, small, sizeof small), 0);
    assert_string_equal(small, "extent-sum");
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
        cmocka_unit_test_setup(a_wrong_list_of_extents_to_purge_is_reported, setup),
        cmocka_unit_test_setup(wrong_sums_of_extents_are_reported, setup),
        cmocka_unit_test_setup(memory_that_is_nowhere_is_reported, setup),
        cmocka_unit_test_setup(a_slab_of_no_known_shape_is_reported, setup_slab),
        cmocka_unit_test_setup(a_tag_of_no_known_state_is_reported, setup_slab),
        cmocka_unit_test_setup(a_wrong_free_count_is_reported, setup_slab),
        cmocka_unit_test_setup(a_size_beyond_the_block_is_reported, setup_slab),
        cmocka_unit_test_setup(a_broken_free_list_is_reported, setup_slab),
        cmocka_unit_test_setup(a_slab_missing_from_its_class_is_reported, setup_slab),
        cmocka_unit_test_setup(an_unknown_empty_slab_is_reported, setup_slab),
        cmocka_unit_test_setup(wrong_counts_of_slabs_are_reported, setup_slab),
        cmocka_unit_test_setup(a_broken_span_is_reported, setup_slab),
        cmocka_unit_test_setup(a_wrong_entry_in_a_magazine_is_reported, setup_cache),
        cmocka_unit_test_setup(wrong_cached_runs_are_reported, setup_cached_runs),
        cmocka_unit_test_setup(the_checker_survives_any_content_of_the_metadata, setup),
        cmocka_unit_test_setup(the_report_is_name_sentence_and_place, setup),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
