/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "size_class.h"

static void every_size_has_the_smallest_class_that_holds_it(void **state)
{
    (void)state;
    assert_int_equal(size_class_of(0), SIZE_CLASS_NOTHING);
    for (size_t size = 1; size <= SIZE_CLASS_BYTES_MAX; size++) {
        unsigned class_index = size_class_of(size);
        assert_in_range(class_index, 0, SIZE_CLASS_NOTHING - 1);
        assert_true(size_classes[class_index].bytes >= size);
        assert_true(class_index == 0 || size_classes[class_index - 1].bytes < size);
    }
}

static void an_aligned_class_is_a_multiple_of_its_alignment(void **state)
{
    (void)state;
    for (size_t alignment = 1; alignment <= PAGE_BYTES; alignment *= 2)
        for (size_t size = 0; size <= SIZE_CLASS_BYTES_MAX; size++) {
            size_t bytes = size_classes[size_class_of_aligned(size, alignment)].bytes;
            assert_true(bytes >= size);
            assert_int_equal(bytes % alignment, 0);
        }
}

static void at_most_a_ninth_of_a_large_enough_block_is_waste(void **state)
{
    (void)state;
    for (size_t size = 257; size <= SIZE_CLASS_BYTES_MAX; size++)
        assert_true((size_classes[size_class_of(size)].bytes - size) * 9 <= size);
}

/* For every offset into the longest slab of every class. */
static void the_reciprocal_divides_exactly(void **state)
{
    (void)state;
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        const struct size_class *class = &size_classes[class_index];
        for (uint64_t offset = 0; offset < (uint64_t)class->pages * PAGE_BYTES; offset++) {
            uint64_t product = offset * class->reciprocal;
            if (product >> 32 != offset / class->bytes ||
                ((uint32_t)product < SIZE_CLASS_REMAINDER) != (offset % class->bytes == 0))
                fail_msg("class %u, offset %zu", class_index, (size_t)offset);
        }
    }
}

static void every_length_has_the_smallest_run_class_that_holds_it(void **state)
{
    (void)state;
    size_t class_pages = 0;
    unsigned run_class = UINT32_MAX;
    for (size_t pages = RUN_PAGES_BELOW + 1; pages <= RUN_PAGES_MAX; pages++) {
        if (pages > class_pages) {
            class_pages = run_class_round_up(pages);
            run_class++;
        }
        assert_int_equal(run_class_round_up(pages), class_pages);
        assert_int_equal(run_class_of(pages), run_class);
        assert_true((class_pages - pages) * 8 <= pages);
    }
    assert_int_equal(run_class, RUN_CLASS_COUNT - 1);
    assert_int_equal(class_pages, RUN_PAGES_MAX);
    assert_false(run_class_serves(0));
    assert_false(run_class_serves(RUN_PAGES_BELOW));
    assert_false(run_class_serves(RUN_PAGES_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_the_smallest_class_that_holds_it),
        cmocka_unit_test(an_aligned_class_is_a_multiple_of_its_alignment),
        cmocka_unit_test(at_most_a_ninth_of_a_large_enough_block_is_waste),
        cmocka_unit_test(the_reciprocal_divides_exactly),
        cmocka_unit_test(every_length_has_the_smallest_run_class_that_holds_it),
    };
    return cmocka_run_group_tests_name("size_class", tests, NULL, NULL);
}
