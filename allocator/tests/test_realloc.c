/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <errno.h>

static anvil_heap *heap;

static int setup(void **state)
{
    (void)state;
    heap = support_arena_heap(8192 * PAGE_BYTES, ANVIL_FIT_FIRST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_check(heap);
    anvil_heap_destroy(heap);
    return 0;
}

static void the_prefix_is_kept_for_every_pair_of_sizes(void **state)
{
    (void)state;
    const size_t sizes[] = {1,    15,   16,   17,    100,    1024,    1025,
                            4095, 4096, 4097, 65536, 131073, 1048576, 8388608};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    for (unsigned pair = 0; pair < COUNT * COUNT; pair++) {
        size_t from = sizes[pair / COUNT], to = sizes[pair % COUNT];
        char *block = anvil_heap_malloc(heap, from);
        support_fill(block, from, pair);
        block = anvil_heap_realloc(heap, block, to);
        assert_non_null(block);
        assert_true(support_is_filled(block, from < to ? from : to, pair));
        anvil_heap_free_sized(heap, block, to);
    }
}

static void null_acts_as_malloc_and_size_zero_as_free(void **state)
{
    (void)state;
    struct anvil_stats stats;
    void *block = anvil_heap_realloc(heap, NULL, 0);
    assert_non_null(block);
    errno = 7777;
    assert_null(anvil_heap_realloc(heap, block, 0));
    assert_int_equal(errno, EINVAL);
    anvil_heap_stats(heap, &stats);
    assert_int_equal(stats.live_blocks, 0);
}

static void the_same_size_keeps_the_address(void **state)
{
    (void)state;
    for (size_t size = 1; size < 3000000; size = size * 2 + 1) {
        void *block = anvil_heap_malloc(heap, size);
        assert_ptr_equal(anvil_heap_realloc(heap, block, size), block);
        anvil_heap_free_sized(heap, block, size);
    }
}

static void an_extent_grows_into_its_free_neighbour(void **state)
{
    (void)state;
    char *block = anvil_heap_malloc(heap, 40000), *next = anvil_heap_malloc(heap, 80000),
         *wall = anvil_heap_malloc(heap, 50000);
    support_fill(block, 40000, 1);
    anvil_heap_free(heap, next);
    assert_ptr_equal(anvil_heap_realloc(heap, block, 100000), block);
    assert_true(support_is_filled(block, 40000, 1));
    anvil_heap_free(heap, wall);
}

static void the_topmost_extent_grows_with_the_source(void **state)
{
    (void)state;
    char *block = anvil_heap_malloc(heap, 40000);
    assert_ptr_equal(anvil_heap_realloc(heap, block, 10000000), block);
    assert_ptr_equal(anvil_heap_realloc(heap, block, 20000000), block);
}

static void a_failed_growth_keeps_the_block(void **state)
{
    (void)state;
    const size_t sizes[] = {100, 5000, 50000, 1000000};
    for (unsigned i = 0; i < 4; i++) {
        char *block = anvil_heap_malloc(heap, sizes[i]);
        support_fill(block, sizes[i], i);
        errno = 0;
        assert_null(anvil_heap_realloc(heap, block, 100 << 20));
        assert_int_equal(errno, ENOMEM);
        assert_null(anvil_heap_realloc(heap, block, SIZE_MAX - 4096));
        assert_true(support_is_filled(block, sizes[i], i));
        anvil_heap_free_sized(heap, block, sizes[i]);
    }
}

static void shrinking_succeeds_in_a_full_arena(void **state)
{
    (void)state;
    char *block = anvil_heap_malloc(heap, 50000);
    support_fill(block, 50000, 3);
    while (anvil_heap_malloc(heap, 1000) != NULL)
        ;
    block = anvil_heap_realloc(heap, block, 300);
    assert_non_null(block);
    assert_true(support_is_filled(block, 300, 3));
    anvil_heap_free_sized(heap, block, 300);
}

static void realloc_of_an_aligned_block_is_a_plain_block(void **state)
{
    (void)state;
    for (size_t alignment = 32; alignment <= 65536; alignment *= 2) {
        char *block = anvil_heap_aligned_alloc(heap, alignment, 700);
        support_fill(block, 700, 4);
        block = anvil_heap_realloc(heap, block, 900);
        assert_true(support_is_filled(block, 700, 4));
        anvil_heap_free_sized(heap, block, 900);
    }
}

static void a_chain_of_resizes_keeps_its_bytes(void **state)
{
    (void)state;
    unsigned seed = 1;
    size_t size = 1;
    char *block = anvil_heap_malloc(heap, size);
    for (unsigned i = 0; i < 3000; i++) {
        size_t next = 1 + (seed = seed * 1664525u + 1013904223u) % (i % 7 == 0 ? 300000 : 3000);
        support_fill(block, size, i);
        block = anvil_heap_realloc(heap, block, next);
        assert_true(support_is_filled(block, size < next ? size : next, i));
        size = next;
    }
    anvil_heap_free_sized(heap, block, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_prefix_is_kept_for_every_pair_of_sizes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(null_acts_as_malloc_and_size_zero_as_free, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_size_keeps_the_address, setup, teardown),
        cmocka_unit_test_setup_teardown(an_extent_grows_into_its_free_neighbour, setup, teardown),
        cmocka_unit_test_setup_teardown(the_topmost_extent_grows_with_the_source, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_growth_keeps_the_block, setup, teardown),
        cmocka_unit_test_setup_teardown(shrinking_succeeds_in_a_full_arena, setup, teardown),
        cmocka_unit_test_setup_teardown(realloc_of_an_aligned_block_is_a_plain_block, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_chain_of_resizes_keeps_its_bytes, setup, teardown),
    };
    return cmocka_run_group_tests_name("realloc", tests, NULL, NULL);
}
