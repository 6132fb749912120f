/* SPDX-License-Identifier: MIT */
/* Larger blocks in the place of freed small ones: slab.h calls them spans. */
#include "support.h"

#include "heap_set.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { SMALL = 512, SMALLS = 16384, SHARE = 8, LARGE = 1000, LARGES = 3000, THREADS = 2 };
enum { TINY = 16, TINIES = 400000, TINY_SHARE = 500 };

/* Blocks of one size, most of which are free (NULL). */
static void *smalls[TINIES];
static size_t small_size;
static unsigned small_count;

static void make_smalls(size_t size, unsigned count)
{
    heap_default_reset();
    small_size = size;
    small_count = count;
    for (unsigned i = 0; i < count; i++) {
        smalls[i] = anvil_malloc(size);
        support_fill(smalls[i], size, i);
    }
}

static void free_small_at(unsigned i)
{
    anvil_free(smalls[i]);
    smalls[i] = NULL;
}

/* 7 MiB of free blocks; every eighth is live, so no slab is empty. */
static int setup(void **state)
{
    (void)state;
    make_smalls(SMALL, SMALLS);
    for (unsigned i = 0; i < SMALLS; i++)
        if (i % SHARE != 0)
            free_small_at(i);
    support_check(NULL);
    return 0;
}

static int setup_tiny(void **state)
{
    (void)state;
    make_smalls(TINY, TINIES);
    for (unsigned i = 0; i < TINIES; i++)
        if (i % TINY_SHARE != 0)
            free_small_at(i);
    support_check(NULL);
    return 0;
}

/* Free blocks come in pairs, so that the spans of two use up whole slabs. */
static int setup_pairs(void **state)
{
    (void)state;
    make_smalls(SMALL, SMALLS);
    for (unsigned i = 0; i < SMALLS; i++)
        if ((uintptr_t)smalls[i] / SMALL % 3 != 0)
            free_small_at(i);
    return 0;
}

/* The slabs of the last blocks are empty, and gone but for one. */
static int setup_empty(void **state)
{
    static const unsigned count = SMALLS + SMALLS / 8;
    (void)state;
    make_smalls(SMALL, count);
    for (unsigned i = 0; i < count; i++)
        if (i >= SMALLS || i % SHARE != 0)
            free_small_at(i);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_check(NULL);
    for (unsigned i = 0; i < small_count; i++) {
        assert_true(smalls[i] == NULL || support_is_filled(smalls[i], small_size, i));
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
static char *find_span_of(size_t size)
{
    for (unsigned i = 0; i < LARGES; i++) {
        char *block = anvil_malloc(size);
        if (is_span(block))
            return block;
    }
    fail_msg("no span among %d blocks", LARGES);
    return NULL;
}

static char *find_span(void)
{
    return find_span_of(LARGE);
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

static void take_larges_and_free_them(size_t size)
{
    static void *blocks[LARGES];
    for (unsigned i = 0; i < LARGES; i++) {
        blocks[i] = anvil_malloc(size);
        support_fill(blocks[i], size, i);
    }
    support_check(NULL);
    for (unsigned i = 0; i < LARGES; i++) {
        assert_true(support_is_filled(blocks[i], size, i));
        anvil_free(blocks[i]);
    }
}

static struct slab_class *class_of(size_t size)
{
    return &heap_default()->slabs.classes[size_class_of(size)];
}

static bool is_partial(const struct slab *slab)
{
    const struct slab *at = class_of(SMALL)->partial;
    while (at != NULL && at != slab)
        at = at->next;
    return at != NULL;
}

/* The slab leaves the list of those with room, and comes back. */
static void spans_may_use_up_a_slab(void **state)
{
    (void)state;
    static char *blocks[LARGES];
    struct heap_block found = {0};
    unsigned count = 0;
    do {
        blocks[count] = find_span();
        assert_true(heap_find(heap_default(), blocks[count++], &found));
    } while (is_partial(found.slab) && count < LARGES);
    assert_false(is_partial(found.slab));
    support_check(NULL);
    anvil_free(blocks[--count]);
    assert_true(is_partial(found.slab));
    while (count > 0)
        anvil_free(blocks[--count]);
    heap_default_reset();
    setup_pairs(state);
}

static void the_empty_slab_is_left_alone(void **state)
{
    (void)state;
    const struct slab *empty = class_of(SMALL)->empty;
    assert_non_null(empty);
    assert_true(slabs_want_spans(&heap_default()->slabs));
    take_larges_and_free_them((size_t)7 * SMALL);
    assert_ptr_equal(class_of(SMALL)->empty, empty);
}

static void a_block_of_no_bytes_is_no_span(void **state)
{
    (void)state;
    assert_true(slabs_want_spans(&heap_default()->slabs));
    char *block = anvil_malloc(0);
    assert_int_equal(anvil_malloc_usable_size(block), 0);
    assert_false(is_span(block));
    anvil_free(block);
}

static void more_spans_than_one_batch_come_from_one_slab(void **state)
{
    (void)state;
    assert_true((size_t)size_classes[size_class_of(TINY)].pages * PAGE_BYTES / TINY >
                (size_t)2 * SLAB_SPANS_MAX);
    char *block = find_span_of((size_t)2 * TINY);
    assert_int_equal(heap_default()->slabs.spans.count, SLAB_SPANS_MAX - 1);
    anvil_free(block);
    take_larges_and_free_them((size_t)2 * TINY);
}

/* No slab has so many blocks. */
static void a_span_of_more_blocks_than_a_tag_can_count_is_not_looked_for(void **state)
{
    (void)state;
    char *longest = find_span_of((size_t)200 * TINY);
    support_fill(longest, (size_t)200 * TINY, 5);
    for (unsigned i = 0; i < 100; i++) {
        char *block = anvil_malloc(SIZE_CLASS_BYTES_MAX);
        assert_false(is_span(block));
        support_fill(block, SIZE_CLASS_BYTES_MAX, i);
        anvil_free(block);
    }
    assert_true(support_is_filled(longest, (size_t)200 * TINY, 5));
    anvil_free(longest);
}

/* The free blocks are used up before a span is asked for. */
static void without_free_blocks_there_is_no_span(void **state)
{
    (void)state;
    assert_true(slabs_want_spans(&heap_default()->slabs));
    while (class_of(SMALL)->partial != NULL)
        (void)anvil_malloc(SMALL);
    char *block = anvil_malloc(LARGE);
    assert_false(is_span(block));
    assert_false(slabs_want_spans(&heap_default()->slabs));
    support_check(NULL);
    heap_default_reset();
    setup(state);
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
        cmocka_unit_test_setup_teardown(spans_may_use_up_a_slab, setup_pairs, teardown),
        cmocka_unit_test_setup_teardown(the_empty_slab_is_left_alone, setup_empty, teardown),
        cmocka_unit_test_setup_teardown(more_spans_than_one_batch_come_from_one_slab, setup_tiny,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_span_of_more_blocks_than_a_tag_can_count_is_not_looked_for, setup_tiny, teardown),
        cmocka_unit_test_setup_teardown(without_free_blocks_there_is_no_span, setup, teardown),
        cmocka_unit_test_setup_teardown(a_block_of_no_bytes_is_no_span, setup, teardown),
        cmocka_unit_test_setup_teardown(calloc_clears_a_span, setup, teardown),
        cmocka_unit_test_setup_teardown(a_span_is_resized_where_it_is_and_then_moves, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(misuse_of_a_span_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_share_the_spans, setup, teardown),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
