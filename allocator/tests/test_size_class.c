/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "size_class.h"

static void every_size_has_the_smallest_class_that_holds_it(void **state)
{
    (void)state;
    for (size_t size = 0; size <= SIZE_CLASS_BYTES_MAX; size++) {
        unsigned class_index = size_class_of(size);
        assert_in_range(class_index, 0, SIZE_CLASS_COUNT - 1);
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

static void at_most_an_eighth_of_a_large_enough_block_is_waste(void **state)
{
    (void)state;
    for (size_t size = 129; size <= SIZE_CLASS_BYTES_MAX; size++)
        assert_true((size_classes[size_class_of(size)].bytes - size) * 8 <= size);
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
                ((uint32_t)product < class->reciprocal) != (offset % class->bytes == 0))
                fail_msg("class %u, offset %zu", class_index, (size_t)offset);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_the_smallest_class_that_holds_it),
        cmocka_unit_test(an_aligned_class_is_a_multiple_of_its_alignment),
        cmocka_unit_test(at_most_an_eighth_of_a_large_enough_block_is_waste),
        cmocka_unit_test(the_reciprocal_divides_exactly),
    };
    return cmocka_run_group_tests_name("size_class", tests, NULL, NULL);
}
