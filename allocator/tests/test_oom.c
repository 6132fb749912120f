/* SPDX-License-Identifier: MIT */
/*
 * Every failure path of the page source, one by one: a scenario runs with its n-th request refused,
 * for n = 1, 2, … until none is refused any more. Each time the content must hold, the checker must
 * be content, errno must be right, and the heap must be empty at the end.
 */
#include "support.h"

#include "heap.h"

#include <errno.h>
#include <string.h>

enum { BLOCKS = 24, REQUESTS_MAX = 400 };

static anvil_heap *heap;

static size_t scenario_size(unsigned i)
{
    static const size_t sizes[] = {24, 700, 5000, 36000, 70000, 140000, 210000, 300000};
    return sizes[i % 8] + i;
}

static void *scenario_take(unsigned i, size_t size)
{
    errno = 7777;
    void *block = i % 3 == 0   ? anvil_heap_calloc(heap, 1, size)
                  : i % 3 == 1 ? anvil_heap_malloc(heap, size)
                               : anvil_heap_aligned_alloc(heap, (size_t)1 << (i % 18), size);
    if (block == NULL)
        assert_int_equal(errno, ENOMEM);
    else if (i % 3 == 0)
        assert_true(support_is_zero(block, size));
    return block;
}

static void *scenario_resize(void *block, size_t old_size, size_t *size, unsigned key)
{
    errno = 7777;
    void *moved = anvil_heap_realloc(heap, block, *size);
    assert_true(moved != NULL || errno == ENOMEM);
    if (moved == NULL)
        *size = old_size;
    else
        block = moved;
    assert_true(support_is_filled(block, old_size < *size ? old_size : *size, key));
    support_fill(block, *size, key);
    return block;
}

static void scenario(void)
{
    char *blocks[BLOCKS];
    size_t sizes[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++) {
        sizes[i] = scenario_size(i);
        blocks[i] = scenario_take(i, sizes[i]);
        if (blocks[i] != NULL)
            support_fill(blocks[i], sizes[i], i);
    }
    for (unsigned i = 0; i < BLOCKS; i += 2) {
        size_t old_size = sizes[i];
        sizes[i] = scenario_size(i + 5) * 2;
        if (blocks[i] != NULL)
            blocks[i] = scenario_resize(blocks[i], old_size, &sizes[i], i);
    }
    (void)anvil_heap_malloc_trim(heap, 0);
    support_check(heap);
    for (unsigned i = 0; i < BLOCKS; i++) {
        assert_true(blocks[i] == NULL || support_is_filled(blocks[i], sizes[i], i));
        errno = 7777;
        anvil_heap_free(heap, blocks[i]);
        assert_int_equal(errno, 7777);
    }
}

/* Returns whether the n-th request was reached. */
static bool run_refused(enum anvil_source source, unsigned nth)
{
    struct anvil_stats stats;
    struct anvil_options options = {
        .source = source, .mmap_threshold = 100000, .trim_threshold = 100000};
    if (source == ANVIL_SOURCE_ARENA)
        heap = support_arena_heap((size_t)64 << 20, ANVIL_FIT_BEST);
    else
        assert_int_equal(anvil_heap_create(&heap, &options), 0);
    anvil_heap_fail_os_call(heap, nth);
    scenario();
    bool was_reached = heap->pages.refuse_in == 0;
    anvil_heap_fail_os_call(heap, 0);
    support_check(heap);
    (void)anvil_heap_malloc_trim(heap, 0);
    support_check(heap);
    anvil_heap_stats(heap, &stats);
    assert_int_equal(stats.live_blocks, 0);
    assert_in_range(stats.mapped, 0, 256 << 10); /* descriptors; nothing else is left */
    anvil_heap_destroy(heap);
    return was_reached;
}

static void run_all(enum anvil_source source, unsigned at_least)
{
    unsigned nth = 1;
    while (nth < REQUESTS_MAX && run_refused(source, nth))
        nth++;
    assert_in_range(nth, at_least, REQUESTS_MAX - 1);
}

static void an_mmap_heap_survives_each_refused_request(void **state)
{
    (void)state;
    run_all(ANVIL_SOURCE_MMAP, 30);
}

static void an_sbrk_heap_survives_each_refused_request(void **state)
{
    (void)state;
    run_all(ANVIL_SOURCE_SBRK, 30);
}

static void an_arena_heap_survives_each_refused_request(void **state)
{
    (void)state;
    run_all(ANVIL_SOURCE_ARENA, 5);
}

static void a_tiny_arena_is_refused_or_works(void **state)
{
    (void)state;
    for (size_t count = 1; count < 40; count++) {
        struct anvil_options options = {.source = ANVIL_SOURCE_ARENA,
                                        .arena = support_arena(count * PAGE_BYTES),
                                        .arena_size = count * PAGE_BYTES};
        if (anvil_heap_create(&heap, &options) != 0)
            continue;
        void *block = anvil_heap_malloc(heap, 100);
        support_check(heap);
        anvil_heap_free(heap, block);
        anvil_heap_destroy(heap);
        assert_true(support_is_zero(options.arena, options.arena_size));
    }
}

/* Blocks of a page until nothing is left; then all but the topmost are freed, so that nothing can
 * go back to the arena. */
static void let_blocks_take_all(void)
{
    char *blocks[256], *top = NULL;
    unsigned count = 0;
    while (count < 256 && (blocks[count] = anvil_heap_malloc(heap, PAGE_BYTES)) != NULL) {
        memset(blocks[count], 0xee, PAGE_BYTES);
        top = blocks[count] > top ? blocks[count] : top;
        count++;
    }
    assert_in_range(count, 100, 255);
    for (unsigned i = 0; i < count; i++)
        if (blocks[i] != top)
            anvil_heap_free(heap, blocks[i]);
}

static void descriptors_find_room_where_blocks_were(void **state)
{
    (void)state;
    struct anvil_options options = {
        .source = ANVIL_SOURCE_ARENA, .arena = support_arena(1 << 20), .arena_size = 1 << 20};
    assert_int_equal(anvil_heap_create(&heap, &options), 0);
    for (int round = 0; round < 3; round++) {
        let_blocks_take_all();
        /* of the smallest size: they need the most descriptors */
        for (unsigned i = 0; i < 30000; i++) {
            char *block = anvil_heap_calloc(heap, 1, 16);
            assert_non_null(block);
            assert_true(support_is_zero(block, 16));
        }
        support_check(heap);
        anvil_heap_reset(heap);
    }
    anvil_heap_destroy(heap);
    assert_true(support_is_zero(options.arena, options.arena_size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_mmap_heap_survives_each_refused_request),
        cmocka_unit_test(an_sbrk_heap_survives_each_refused_request),
        cmocka_unit_test(an_arena_heap_survives_each_refused_request),
        cmocka_unit_test(a_tiny_arena_is_refused_or_works),
        cmocka_unit_test(descriptors_find_room_where_blocks_were),
    };
    return cmocka_run_group_tests_name("oom", tests, NULL, NULL);
}
