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

static struct slab *slab_of_block(const void *block)
{
    return pagemap_slab_of(pagemap_get(block), heap->id);
}

static void blocks_are_carved_one_after_the_other(void **state)
{
    (void)state;
    char *first = anvil_heap_malloc(heap, 48), *second = anvil_heap_malloc(heap, 40);
    assert_ptr_equal(second, first + 48);
    assert_int_equal(slab_of_block(first)->carved, 2);
    assert_int_equal(slab_of_block(first)->extent->dirty, 96);
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
    assert_true(heap_find(heap, plain, &block));
    assert_int_equal(block.size, 101);
    assert_int_equal(block.request_code, 0);
    assert_true(heap_find(heap, aligned, &block));
    assert_int_equal(block.size, 3);
    assert_int_equal(block.request_code, 10);
    assert_true(heap_find(heap, none, &block));
    assert_int_equal(block.size, 0);
}

static void a_full_slab_gets_a_successor_and_comes_back_with_room(void **state)
{
    (void)state;
    char *first = anvil_heap_malloc(heap, 1024);
    struct slab *slab = slab_of_block(first);
    for (unsigned i = 1; i < slab->capacity; i++)
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
    unsigned class_index = size_class_of(1000);
    assert_int_equal(heap->slabs.classes[class_index].slabs, 1);
    assert_true(slabs_release(&heap->slabs));
    assert_int_equal(heap->slabs.classes[class_index].slabs, 0);
    assert_false(slabs_release(&heap->slabs));
}

static struct slab_entry take_one(unsigned class_index)
{
    struct slab_entry entry;
    unsigned count;
    assert_int_equal(slabs_take(&heap->slabs, class_index, &entry, 1, &count), 0);
    assert_int_equal(count, 1);
    return entry;
}

static void only_a_block_that_was_never_live_counts_as_zero(void **state)
{
    (void)state;
    struct slab_entry entry = take_one(3);
    assert_int_equal(sync_tag_read(entry.tag), SLAB_TAG_TAKEN | SLAB_TAG_ZERO);
    assert_int_equal(slabs_put(&heap->slabs, 3, &entry, 1), 1);
    entry = take_one(3);
    assert_int_equal(sync_tag_read(entry.tag), SLAB_TAG_TAKEN | SLAB_TAG_ZERO);
    sync_tag_write(entry.tag, slab_tag_live(64, 0));
    sync_tag_write(entry.tag, SLAB_TAG_TAKEN);
    assert_int_equal(slabs_put(&heap->slabs, 3, &entry, 1), 1);
    entry = take_one(3);
    assert_int_equal(sync_tag_read(entry.tag), SLAB_TAG_TAKEN);
    assert_int_equal(slabs_put(&heap->slabs, 3, &entry, 1), 1);
}

static void a_batch_crosses_slabs_and_goes_back(void **state)
{
    (void)state;
    static struct slab_entry entries[100];
    unsigned class_index = size_class_of(4096), taken = 0, count = 0;
    for (; taken < 20; taken += count)
        assert_int_equal(slabs_take(&heap->slabs, class_index, &entries[taken], 20 - taken, &count),
                         0);
    for (unsigned i = 0; i < taken; i++)
        support_fill(entries[i].block, 4096, i);
    for (unsigned i = 0; i < taken; i++)
        assert_true(support_is_filled(entries[i].block, 4096, i));
    support_check(heap);
    assert_int_equal(slabs_put(&heap->slabs, class_index, entries, taken), taken);
    assert_int_equal(heap->slabs.classes[class_index].slabs, 1);
}

static void a_block_that_is_not_taken_is_not_put_back(void **state)
{
    (void)state;
    struct slab_entry entries[2] = {take_one(5), take_one(5)};
    assert_int_equal(slabs_put(&heap->slabs, 5, entries, 2), 2);
    assert_int_equal(slabs_put(&heap->slabs, 5, entries, 2), 0);
}

static void a_block_of_each_class_has_its_tag_at_its_start_only(void **state)
{
    (void)state;
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        struct slab_entry entry = take_one(class_index);
        struct slab *slab = slab_of_block(entry.block);
        size_t length = extent_length(slab->extent), size = slab->block_size;
        for (size_t offset = 0; offset < length; offset += 8) {
            struct sync_tag *tag = slab_tag_at(slab, slab->start + offset);
            assert_ptr_equal(tag, offset % size == 0 ? &slab->tags[offset / size] : NULL);
        }
        assert_int_equal(slabs_put(&heap->slabs, class_index, &entry, 1), 1);
    }
}

static void a_block_that_was_never_live_is_not_called_freed(void **state)
{
    (void)state;
    struct slab_entry entry = take_one(3);
    assert_int_equal(heap_diagnose(heap, entry.block).kind, FAULT_NOT_ALLOCATED);
    sync_tag_write(entry.tag, slab_tag_live(64, 0));
    sync_tag_write(entry.tag, SLAB_TAG_TAKEN);
    assert_int_equal(heap_diagnose(heap, entry.block).kind, FAULT_DOUBLE_FREE);
    assert_int_equal(slabs_put(&heap->slabs, 3, &entry, 1), 1);
}

/* Bytes for each page of a slab: what no block fits into, and the descriptor. */
static size_t waste_of_page(size_t block, size_t pages)
{
    size_t length = pages << PAGE_SHIFT, count = length / block;
    size_t descriptor = sizeof(struct slab) + (count + 1) * sizeof(struct sync_tag), object = 1;
    while (object < descriptor)
        object *= 2;
    return object > (size_t)1 << META_SHIFT_MAX ? SIZE_LIMIT
                                                : (length - count * block + object) / pages;
}

static void no_other_length_of_a_slab_wastes_much_less(void **state)
{
    (void)state;
    for (unsigned class_index = 0; class_index < SIZE_CLASS_NOTHING; class_index++) {
        const struct size_class *class = &size_classes[class_index];
        size_t mine = waste_of_page(class->bytes, class->pages);
        size_t pages_max = class->bytes <= 16384 ? 16 : 32;
        for (size_t pages = (class->bytes - 1u) / PAGE_BYTES + 1; pages <= pages_max; pages++)
            assert_true(waste_of_page(class->bytes, pages) + PAGE_BYTES / 256 >= mine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test_setup_teardown(only_a_block_that_was_never_live_counts_as_zero, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_batch_crosses_slabs_and_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_block_that_is_not_taken_is_not_put_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_block_of_each_class_has_its_tag_at_its_start_only, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_block_that_was_never_live_is_not_called_freed, setup,
                                        teardown),
        cmocka_unit_test(no_other_length_of_a_slab_wastes_much_less),
    };
    return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
