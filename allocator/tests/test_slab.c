/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "heap.h"

static anvil_heap *heap;

static int setup(void **state)
{
    (void)state;
    heap = support_arena_heap(1024 * PAGE_BYTES, ANVIL_FIT_FIRST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_check(heap);
    anvil_heap_destroy(heap);
    return 0;
}

static struct extent *slab_of_block(const void *block)
{
    return pagemap_get(block, heap->id);
}

static void every_size_has_the_smallest_class_that_holds_it(void **state)
{
    (void)state;
    for (size_t size = 0; size <= ANVIL_SMALL_MAX; size++) {
        unsigned class_index = slab_class_of(size, 16);
        assert_in_range(class_index, 0, SLAB_CLASSES - 1);
        assert_true(slab_sizes[class_index].bytes >= size);
        assert_true(class_index == 0 || slab_sizes[class_index - 1].bytes < size);
    }
}

static void an_aligned_class_is_a_multiple_of_its_alignment(void **state)
{
    (void)state;
    for (size_t alignment = 1; alignment <= ANVIL_SMALL_MAX; alignment *= 2)
        for (size_t size = 0; size <= ANVIL_SMALL_MAX; size++) {
            size_t class_size = slab_sizes[slab_class_of(size, alignment)].bytes;
            assert_true(class_size >= size);
            assert_int_equal(class_size % alignment, 0);
        }
}

static void blocks_are_carved_one_after_the_other(void **state)
{
    (void)state;
    char *first = anvil_heap_malloc(heap, 48), *second = anvil_heap_malloc(heap, 40);
    assert_ptr_equal(second, first + 48);
    assert_int_equal(slab_of(slab_of_block(first))->carved, 2);
    assert_int_equal(slab_of_block(first)->dirty, 96);
}

static void the_block_freed_last_is_taken_first(void **state)
{
    (void)state;
    char *first = anvil_heap_malloc(heap, 100), *second = anvil_heap_malloc(heap, 100);
    anvil_heap_free(heap, first);
    anvil_heap_free(heap, second);
    assert_ptr_equal(anvil_heap_malloc(heap, 100), second);
    assert_ptr_equal(anvil_heap_malloc(heap, 100), first);
}

static void freeing_does_not_touch_the_block(void **state)
{
    (void)state;
    char *keep = anvil_heap_malloc(heap, 64), *block = anvil_heap_malloc(heap, 64);
    support_fill(block, 64, 9);
    anvil_heap_free(heap, block);
    assert_true(support_is_filled(block, 64, 9));
    anvil_heap_free(heap, keep);
}

static void writing_to_a_freed_block_does_not_mislead_the_allocator(void **state)
{
    (void)state;
    char *blocks[8];
    for (int i = 0; i < 8; i++)
        blocks[i] = anvil_heap_malloc(heap, 64);
    for (int i = 0; i < 8; i++)
        anvil_heap_free(heap, blocks[i]);
    for (int i = 0; i < 8; i++)
        support_fill(blocks[i], 64, 0x41);
    support_check(heap);
    for (int i = 7; i >= 0; i--)
        assert_ptr_equal(anvil_heap_malloc(heap, 64), blocks[i]);
}

static void the_exact_size_and_alignment_are_remembered(void **state)
{
    (void)state;
    struct heap_block block;
    void *plain = anvil_heap_malloc(heap, 101), *aligned = anvil_heap_aligned_alloc(heap, 512, 3),
         *none = anvil_heap_malloc(heap, 0);
    sync_lock_acquire(&heap->lock);
    assert_true(heap_find(heap, plain, &block));
    assert_int_equal(block.size, 101);
    assert_int_equal(block.alignment_code, 0);
    assert_true(heap_find(heap, aligned, &block));
    assert_int_equal(block.size, 3);
    assert_int_equal(block.alignment_code, 10);
    assert_true(heap_find(heap, none, &block));
    assert_int_equal(block.size, 0);
    sync_lock_release(&heap->lock);
}

static void a_full_slab_gets_a_successor_and_comes_back_with_room(void **state)
{
    (void)state;
    char *first = anvil_heap_malloc(heap, 1024);
    struct extent *slab = slab_of_block(first);
    for (unsigned i = 1; i < slab_of(slab)->capacity; i++)
        assert_ptr_equal(slab_of_block(anvil_heap_malloc(heap, 1024)), slab);
    assert_ptr_not_equal(slab_of_block(anvil_heap_malloc(heap, 1024)), slab);
    anvil_heap_free(heap, first);
    assert_ptr_equal(anvil_heap_malloc(heap, 1024), first);
}

static void one_empty_slab_is_kept_and_release_takes_it(void **state)
{
    (void)state;
    char *blocks[64];
    for (int i = 0; i < 64; i++)
        blocks[i] = anvil_heap_malloc(heap, 1000);
    for (int i = 0; i < 64; i++)
        anvil_heap_free(heap, blocks[i]);
    unsigned class_index = slab_class_of(1000, 16);
    assert_int_equal(heap->slabs.classes[class_index].slabs, 1);
    assert_true(slabs_release(&heap->slabs));
    assert_int_equal(heap->slabs.classes[class_index].slabs, 0);
    assert_false(slabs_release(&heap->slabs));
}

static void only_a_fresh_block_counts_as_zero(void **state)
{
    (void)state;
    struct slab_block block;
    assert_int_equal(slab_alloc(&heap->slabs, 3, 64, 0, &block), 0);
    assert_true(block.is_zero);
    slab_free(&heap->slabs, slab_of_block(block.start), 0);
    assert_int_equal(slab_alloc(&heap->slabs, 3, 64, 0, &block), 0);
    assert_false(block.is_zero);
    slab_free(&heap->slabs, slab_of_block(block.start), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_the_smallest_class_that_holds_it),
        cmocka_unit_test(an_aligned_class_is_a_multiple_of_its_alignment),
        cmocka_unit_test_setup_teardown(blocks_are_carved_one_after_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(the_block_freed_last_is_taken_first, setup, teardown),
        cmocka_unit_test_setup_teardown(freeing_does_not_touch_the_block, setup, teardown),
        cmocka_unit_test_setup_teardown(writing_to_a_freed_block_does_not_mislead_the_allocator,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_exact_size_and_alignment_are_remembered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_full_slab_gets_a_successor_and_comes_back_with_room,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(one_empty_slab_is_kept_and_release_takes_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(only_a_fresh_block_counts_as_zero, setup, teardown),
    };
    return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
