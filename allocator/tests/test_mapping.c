/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "heap.h"
#include "mapping.h"

#include <errno.h>

static anvil_heap *heap;

static int setup(void **state)
{
    (void)state;
    heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_BEST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_check(heap);
    anvil_heap_destroy(heap);
    return 0;
}

static struct extent *starting_at(const char *address)
{
    return pagemap_extent_of(pagemap_get_start(address), heap->id);
}

static void a_mapping_is_zero_and_aligned(void **state)
{
    (void)state;
    struct extent *extent;
    assert_int_equal(mapping_alloc(&heap->extents, 300, 64 * PAGE_BYTES, &extent), 0);
    assert_int_equal((uintptr_t)extent->start % (64 * PAGE_BYTES), 0);
    assert_true(support_is_zero(extent->start, 300 * PAGE_BYTES));
    mapping_free(&heap->extents, extent);
    assert_int_equal(heap->extents.mapping_count, 0);
}

static void a_short_mapping_is_found_by_its_ends_and_a_long_one_by_its_start(void **state)
{
    (void)state;
    for (size_t pages = PAGEMAP_CELL_PAGES - 1; pages <= PAGEMAP_CELL_PAGES; pages++) {
        bool is_long = pages == PAGEMAP_CELL_PAGES;
        struct extent *extent;
        assert_int_equal(mapping_alloc(&heap->extents, pages, PAGE_BYTES, &extent), 0);
        char *start = extent->start, *end = extent_end(extent);
        assert_ptr_equal(starting_at(start), extent);
        assert_ptr_equal(extent_at(&heap->extents.list, start), is_long ? NULL : extent);
        assert_ptr_equal(extent_at(&heap->extents.list, end - 1), is_long ? NULL : extent);
        assert_ptr_equal(starting_at(start + PAGE_BYTES), is_long ? extent : NULL);
        mapping_free(&heap->extents, extent);
        (void)mappings_release(&heap->extents);
        assert_null(starting_at(start));
    }
}

static void a_mapping_that_shrinks_or_grows_stays_found(void **state)
{
    (void)state;
    struct extent *extent;
    assert_int_equal(mapping_alloc(&heap->extents, 300, PAGE_BYTES, &extent), 0);
    static const size_t pages[] = {100, 400, 255, 256};
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        assert_int_equal(mapping_resize(&heap->extents, extent, pages[i]), 0);
        assert_ptr_equal(starting_at(extent->start), extent);
        support_check(heap);
    }
    mapping_free(&heap->extents, extent);
}

static void a_small_block_of_a_far_alignment_costs_few_calls(void **state)
{
    (void)state;
    const size_t far = (size_t)1 << 32;
    for (unsigned round = 0; round < 20; round++) {
        size_t calls = heap->pages.calls;
        char *block = anvil_heap_aligned_alloc(heap, far, 64);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % far, 0);
        assert_int_equal(heap->extents.mapping_count, 1);
        anvil_heap_free(heap, block);
        assert_in_range(heap->pages.calls - calls, 0, 8);
    }
}

static void a_mapping_that_the_system_will_not_take_is_kept_and_offered_again(void **state)
{
    (void)state;
    void *block = anvil_heap_malloc(heap, 64 << 20);
    anvil_heap_fail_os_call(heap, 1);
    errno = 77;
    anvil_heap_free(heap, block); /* the retry succeeds: an injected refusal comes once */
    anvil_heap_free(heap, anvil_heap_malloc(heap, 2 << 20));
    assert_int_equal(errno, 77);
    assert_int_equal(heap->extents.kept_count, 1);
    support_check(heap);
    anvil_heap_fail_os_call(heap, 1);
    assert_false(heap_trim(heap, 0) && heap->extents.kept_count == 0);
    assert_true(heap_trim(heap, 0));
    assert_int_equal(heap->extents.kept_count, 0);
}

static void a_freed_mapping_serves_the_next_request_of_its_size(void **state)
{
    (void)state;
    char *block = anvil_heap_malloc(heap, 2 << 20);
    support_fill(block, 2 << 20, 3);
    anvil_heap_free(heap, block);
    size_t calls = heap->pages.calls;
    for (int i = 0; i < 100; i++) {
        char *zeroed = anvil_heap_calloc(heap, 1, (2 << 20) - (size_t)i * 100);
        assert_true(support_is_zero(zeroed, (2 << 20) - (size_t)i * 100));
        zeroed[0] = zeroed[(1 << 20) + i] = 1;
        anvil_heap_free(heap, zeroed);
    }
    assert_int_equal(heap->pages.calls, calls);
    assert_ptr_not_equal(anvil_heap_malloc(heap, 1 << 20), block); /* too small for it */
    support_check(heap);
}

static void few_freed_mappings_are_kept(void **state)
{
    (void)state;
    void *blocks[40];
    for (int i = 0; i < 40; i++)
        blocks[i] = anvil_heap_malloc(heap, 1 << 20);
    for (int i = 0; i < 40; i++)
        anvil_heap_free(heap, blocks[i]);
    assert_in_range(heap->extents.kept_count, 1, 8);
    assert_in_range(heap->extents.kept_pages << PAGE_SHIFT, 1 << 20, 4 << 20);
    support_check(heap);
}

static int refuse_release(struct pages *pages, char *start, size_t length, size_t dirty)
{
    (void)pages, (void)start, (void)length, (void)dirty;
    return ENOMEM;
}

enum { MANY = 40, LENGTH = 300 };

static void take_and_free_many(void)
{
    struct extent *many[MANY];
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(mapping_alloc(&heap->extents, LENGTH, PAGE_BYTES, &many[i]), 0);
    for (unsigned i = 0; i < MANY; i++)
        mapping_free(&heap->extents, many[i]);
}

static void mappings_that_are_needed_over_and_over_are_kept(void **state)
{
    (void)state;
    size_t fewest = SIZE_MAX, limit = 8 * (size_t)LENGTH;
    take_and_free_many();
    assert_in_range(heap->extents.kept_pages, 0, limit);
    for (unsigned round = 0; round < 8; round++) { /* a second may end in between */
        size_t before = heap->pages.calls;
        take_and_free_many();
        fewest = size_min(fewest, heap->pages.calls - before);
    }
    assert_int_equal(fewest, 0);
    assert_true(mappings_release(&heap->extents) > 0);
    take_and_free_many();
    assert_in_range(heap->extents.kept_pages, 0, limit);
}

static void kept_mappings_make_room_for_those_that_they_do_not_serve(void **state)
{
    (void)state;
    struct extent *other;
    take_and_free_many();
    take_and_free_many();
    size_t held = heap->pages.held;
    assert_int_equal(mapping_alloc(&heap->extents, 10 * (size_t)LENGTH, PAGE_BYTES, &other), 0);
    assert_in_range(heap->pages.held, 0, held + 4 * PAGE_BYTES);
    mapping_free(&heap->extents, other);
}

/* As at the kernel's limit of mappings: no call may look at all that waits to be unmapped. */
static void refused_mappings_cost_two_requests_a_call(void **state)
{
    (void)state;
    static void *blocks[300];
    struct pages_ops ops = *heap->pages.ops;
    const struct pages_ops *kept_ops = heap->pages.ops;
    for (int i = 0; i < 300; i++)
        blocks[i] = anvil_heap_malloc(heap, 1 << 20);
    ops.release = refuse_release;
    heap->pages.ops = &ops;
    for (int i = 0; i < 300; i++) {
        size_t calls = heap->pages.calls;
        anvil_heap_free(heap, blocks[i]);
        assert_in_range(heap->pages.calls - calls, 0, 2);
    }
    for (int i = 0; i < 300; i++) {
        size_t calls = heap->pages.calls;
        blocks[i] = anvil_heap_malloc(heap, 1 << 20);
        assert_int_equal(heap->pages.calls, calls); /* a kept one serves */
    }
    heap->pages.ops = kept_ops;
}

static void growing_keeps_the_content_and_moves_the_record(void **state)
{
    (void)state;
    char *block = anvil_heap_malloc(heap, 2 << 20), *old = block;
    support_fill(block, 2 << 20, 5);
    block = anvil_heap_realloc(heap, block, 64 << 20);
    assert_true(support_is_filled(block, 2 << 20, 5));
    assert_int_equal(anvil_heap_malloc_usable_size(heap, block), 64 << 20);
    if (block != old)
        assert_int_equal(pagemap_get(old), 0);
    anvil_heap_free(heap, block);
}

static void a_refused_growth_keeps_the_mapping(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth < 8; nth++) {
        char *block = anvil_heap_malloc(heap, 2 << 20);
        support_fill(block, 2 << 20, nth);
        anvil_heap_fail_os_call(heap, nth);
        char *grown = anvil_heap_realloc(heap, block, 8 << 20);
        assert_true(support_is_filled(grown != NULL ? grown : block, 2 << 20, nth));
        support_check(heap);
        anvil_heap_fail_os_call(heap, 0);
        anvil_heap_free(heap, grown != NULL ? grown : block);
    }
}

static void shrinking_gives_the_tail_back(void **state)
{
    (void)state;
    struct anvil_stats before, after;
    char *block = anvil_heap_malloc(heap, 32 << 20);
    anvil_heap_stats(heap, &before);
    assert_ptr_equal(anvil_heap_realloc(heap, block, 4 << 20), block);
    anvil_heap_stats(heap, &after);
    assert_int_equal(before.mapped - after.mapped, 28 << 20);
    anvil_heap_free(heap, block);
}

static void appending_in_small_steps_moves_seldom(void **state)
{
    (void)state;
    size_t size = 2 << 20;
    char *block = anvil_heap_malloc(heap, size);
    struct anvil_stats before, after;
    anvil_heap_stats(heap, &before);
    for (int step = 0; step < 500; step++)
        assert_non_null(block = anvil_heap_realloc(heap, block, size += PAGE_BYTES));
    anvil_heap_stats(heap, &after);
    assert_in_range(after.os_calls - before.os_calls, 1, 60);
    anvil_heap_free(heap, block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_mapping_is_zero_and_aligned, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_short_mapping_is_found_by_its_ends_and_a_long_one_by_its_start, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mapping_that_shrinks_or_grows_stays_found, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_small_block_of_a_far_alignment_costs_few_calls, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_mapping_that_the_system_will_not_take_is_kept_and_offered_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_freed_mapping_serves_the_next_request_of_its_size, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(few_freed_mappings_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(mappings_that_are_needed_over_and_over_are_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(kept_mappings_make_room_for_those_that_they_do_not_serve,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(refused_mappings_cost_two_requests_a_call, setup, teardown),
        cmocka_unit_test_setup_teardown(growing_keeps_the_content_and_moves_the_record, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_refused_growth_keeps_the_mapping, setup, teardown),
        cmocka_unit_test_setup_teardown(shrinking_gives_the_tail_back, setup, teardown),
        cmocka_unit_test_setup_teardown(appending_in_small_steps_moves_seldom, setup, teardown),
    };
    return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
