/* SPDX-License-Identifier: MIT */
/* Larger blocks in the place of freed small ones: slab.h calls them spans. */
#include "support.h"

#include "heap_set.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { SMALL = 512, SMALLS = 16384, SHARE = 8, LARGE = 1000, LARGES = 3000, THREADS = 2 };

static void *smalls[SMALLS];

/* 7 MiB of free blocks; every eighth is live, so no slab is empty. */
static int setup(void **state)
{
    (void)state;
    heap_default_reset();
    for (unsigned i = 0; i < SMALLS; i++) {
        smalls[i] = anvil_malloc(SMALL);
        support_fill(smalls[i], SMALL, i);
    }
    for (unsigned i = 0; i < SMALLS; i++)
        if (i % SHARE != 0)
            anvil_free(smalls[i]);
    support_check(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_check(NULL);
    for (unsigned i = 0; i < SMALLS; i += SHARE) {
        assert_true(support_is_filled(smalls[i], SMALL, i));
        anvil_free(smalls[i]);
    }
    (void)anvil_malloc_trim(0);
    support_check(NULL);
    struct anvil_stats stats;
    anvil_heap_stats(NULL, &stats);
    assert_int_equal(stats.live_blocks, 0);
    return stats.mapped < (size_t)1 << 20 ? 0 : -1;
}

static size_t mapped(void)
{
    struct anvil_stats stats;
    anvil_heap_stats(NULL, &stats);
    return stats.mapped;
}

static bool is_span(void *block)
{
    struct heap_block found;
    assert_true(heap_find(heap_default(), block, &found));
    return found.span_blocks != 0;
}

/* The first block that is one; those before it stay live. */
static char *find_span(void)
{
    for (unsigned i = 0; i < LARGES; i++) {
        char *block = anvil_malloc(LARGE);
        if (is_span(block))
            return block;
    }
    fail_msg("no span among %d blocks", LARGES);
    return NULL;
}

static void scattered_free_blocks_serve_larger_requests(void **state)
{
    (void)state;
    static void *blocks[LARGES];
    size_t before = mapped();
    for (unsigned i = 0; i < LARGES; i++) {
        blocks[i] = anvil_malloc(LARGE);
        support_fill(blocks[i], LARGE, i + 7);
    }
    assert_in_range(mapped(), before, before + (LARGES * LARGE) / 8);
    support_check(NULL);
    for (unsigned i = 0; i < LARGES; i++) {
        assert_true(support_is_filled(blocks[i], LARGE, i + 7));
        anvil_free(blocks[i]);
    }
}

static void calloc_clears_a_span(void **state)
{
    (void)state;
    anvil_free(find_span());
    for (unsigned i = 0; i < 100; i++) {
        char *block = anvil_calloc(1, LARGE);
        assert_true(support_is_zero(block, LARGE));
        support_fill(block, LARGE, i);
    }
    heap_default_reset();
    setup(state);
}

static void a_span_is_resized_where_it_is_and_then_moves(void **state)
{
    (void)state;
    char *block = find_span();
    assert_int_equal(anvil_malloc_usable_size(block), 2 * SMALL);
    support_fill(block, LARGE, 3);
    assert_ptr_equal(anvil_realloc(block, 2 * (size_t)SMALL), block);
    assert_ptr_equal(anvil_realloc(block, 700), block);
    char *moved = anvil_realloc(block, 5000);
    assert_ptr_not_equal(moved, block);
    assert_true(support_is_filled(moved, 700, 3));
    heap_default_reset();
    setup(state);
}

static void a_size_is_checked(void *block)
{
    anvil_free_sized(block, LARGE + 1);
}

static void free_twice(void *block)
{
    anvil_free(block);
    anvil_free(block);
}

static void free_inside(void *block)
{
    anvil_free((char *)block + SMALL);
}

static void misuse_of_a_span_is_named(void **state)
{
    (void)state;
    char *block = find_span();
    support_expect_panic(free_twice, block, "free", "double free of a block of 512 bytes");
    support_expect_panic(free_inside, block, "free",
                         "pointer into the middle of a block of 1024 bytes");
    support_expect_panic(a_size_is_checked, block, "free_sized",
                         "block of 1000 bytes freed with size 1001");
    heap_default_reset();
    setup(state);
}

static void *take_and_free(void *context)
{
    static __thread void *blocks[LARGES];
    (void)context;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < LARGES / 2; i++) {
            blocks[i] = anvil_malloc(LARGE + round * 500);
            support_fill(blocks[i], LARGE, i);
        }
        for (unsigned i = 0; i < LARGES / 2; i++) {
            assert_true(support_is_filled(blocks[i], LARGE, i));
            anvil_free(blocks[i]);
        }
    }
    return NULL;
}

static void threads_share_the_spans(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_free, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scattered_free_blocks_serve_larger_requests, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(calloc_clears_a_span, setup, teardown),
        cmocka_unit_test_setup_teardown(a_span_is_resized_where_it_is_and_then_moves, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(misuse_of_a_span_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_share_the_spans, setup, teardown),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
