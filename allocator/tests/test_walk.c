/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static anvil_heap *heap;

struct seen {
    size_t live, free_extents, mappings, bytes, size;
    const char *last_end;
    int stop_after;
};

static int see(const struct anvil_region *region, void *context)
{
    struct seen *seen = context;
    seen->live += region->is_live;
    seen->free_extents += !region->is_live && !region->is_small;
    seen->mappings += region->is_mapping;
    seen->bytes += region->length;
    seen->size += region->size;
    assert_true(region->is_live || region->size == 0);
    assert_true(region->is_mapping || seen->last_end == NULL ||
                (char *)region->start == seen->last_end);
    seen->last_end = region->is_mapping ? seen->last_end : (char *)region->start + region->length;
    bool is_stop = seen->stop_after == 1;
    seen->stop_after -= seen->stop_after > 0;
    return is_stop ? 55 : 0;
}

static void regions_follow_each_other_and_cover_the_arena(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct anvil_stats stats;
    heap = support_arena_heap(1024 * PAGE_BYTES, ANVIL_FIT_FIRST);
    void *hole = anvil_heap_malloc(heap, 6000);
    for (size_t size = 1; size < 9000; size = size * 2 + 1)
        assert_non_null(anvil_heap_malloc(heap, size));
    anvil_heap_free(heap, hole);
    assert_int_equal(anvil_heap_walk(heap, see, &seen), 0);
    anvil_heap_stats(heap, &stats);
    assert_int_equal(seen.live, stats.live_blocks);
    assert_int_equal(seen.size, stats.live_size);
    assert_int_equal(seen.free_extents, stats.free_extents);
    assert_int_equal(seen.bytes, 64 * PAGE_BYTES);
    anvil_heap_destroy(heap);
}

static void a_visitor_may_stop_the_walk(void **state)
{
    (void)state;
    struct seen seen = {.stop_after = 2};
    heap = support_arena_heap(1024 * PAGE_BYTES, ANVIL_FIT_FIRST);
    for (int i = 0; i < 5; i++)
        assert_non_null(anvil_heap_malloc(heap, 100));
    assert_int_equal(anvil_heap_walk(heap, see, &seen), 55);
    assert_int_equal(seen.live, 2);
    anvil_heap_destroy(heap);
}

static void a_mapping_of_its_own_is_marked(void **state)
{
    (void)state;
    struct seen seen = {0};
    heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_BEST);
    assert_non_null(anvil_heap_malloc(heap, 3 << 20));
    assert_int_equal(anvil_heap_walk(heap, see, &seen), 0);
    assert_int_equal(seen.mappings, 1);
    assert_int_equal(seen.size, 3 << 20);
    anvil_heap_destroy(heap);
}

static void the_dump_has_a_line_per_region(void **state)
{
    (void)state;
    int ends[2];
    char text[300] = "", expected[300];
    assert_int_equal(pipe(ends), 0);
    heap = support_arena_heap(1024 * PAGE_BYTES, ANVIL_FIT_FIRST);
    char *block = anvil_heap_malloc(heap, 33000);
    anvil_heap_dump(heap, ends[1]);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    snprintf(expected, sizeof expected, "%p 36864 extent live, size 33000\n%p 225280 extent free\n",
             (void *)block, (void *)(block + 36864));
    assert_string_equal(text, expected);
    anvil_heap_destroy(heap);
}

/* Live, cached by the thread, and kept by the heap. */
static void the_dump_tells_small_blocks_extents_and_mappings_apart(void **state)
{
    (void)state;
    static char text[1 << 16];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    void *small = anvil_malloc(100), *first = anvil_malloc(3 << 20),
         *second = anvil_malloc(6 << 20);
    anvil_free(second);
    anvil_free(first);
    anvil_heap_dump(NULL, ends[1]);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, " small live, size 100\n"));
    assert_non_null(strstr(text, " mapping free\n"));
    anvil_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_follow_each_other_and_cover_the_arena),
        cmocka_unit_test(a_visitor_may_stop_the_walk),
        cmocka_unit_test(a_mapping_of_its_own_is_marked),
        cmocka_unit_test(the_dump_has_a_line_per_region),
        cmocka_unit_test(the_dump_tells_small_blocks_extents_and_mappings_apart),
    };
    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
