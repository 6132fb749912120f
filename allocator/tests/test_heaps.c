/* SPDX-License-Identifier: MIT */
/* Several heaps side by side, what goes back to the system, and the numbers that people read. */
#include "support.h"

#include "heap_set.h"

#include <string.h>

static void heaps_do_not_share_memory(void **state)
{
    (void)state;
    anvil_heap *heaps[8];
    char *blocks[8];
    for (unsigned i = 0; i < 8; i++) {
        heaps[i] = support_heap(i % 2 == 0 ? ANVIL_SOURCE_MMAP : ANVIL_SOURCE_SBRK, i % 4);
        blocks[i] = anvil_heap_malloc(heaps[i], 50000);
        support_fill(blocks[i], 50000, i);
    }
    for (unsigned i = 0; i < 8; i++) {
        assert_true(support_is_filled(blocks[i], 50000, i));
        support_check(heaps[i]);
        anvil_heap_destroy(heaps[i]);
    }
}

static void numbers_of_heaps_are_used_again(void **state)
{
    (void)state;
    for (int i = 0; i < 10000; i++) {
        anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_FIRST);
        anvil_heap_destroy(heap);
    }
}

/* A heap whose page source runs an act of the test when the heap first gives memory back. */
static struct {
    anvil_heap *heap;
    struct pages_ops ops;
    const struct pages_ops *real_ops;
    void (*act)(void);
    unsigned same_number; /* heaps made by the act that have the number of the watched one */
    unsigned lock_state;  /* of the watched heap, as the act found it */
} watched;

static int act_then_release(struct pages *pages, char *start, size_t length, size_t dirty)
{
    void (*act)(void) = watched.act;
    watched.act = NULL;
    if (act != NULL)
        act();
    return watched.real_ops->release(pages, start, length, dirty);
}

static void watch(anvil_heap *heap, void (*act)(void))
{
    watched.heap = heap;
    watched.act = act;
    watched.same_number = 0;
    watched.real_ops = heap->pages.ops;
    watched.ops = *heap->pages.ops;
    watched.ops.release = act_then_release;
    heap->pages.ops = &watched.ops;
    assert_non_null(anvil_heap_malloc(heap, 50000));
}

static void use_every_number(void)
{
    static anvil_heap *heaps[PAGEMAP_OWNER_MAX];
    size_t count = 0;
    while (anvil_heap_create(&heaps[count], NULL) == 0)
        count++;
    for (size_t i = 0; i < count; i++) {
        watched.same_number += heaps[i]->id == watched.heap->id;
        anvil_heap_destroy(heaps[i]);
    }
}

static void look_at_the_lock(void)
{
    watched.lock_state = atomic_load(&watched.heap->lock.state);
}

/* Or the new heap would take the old one's entries in the pagemap for its own. */
static void the_number_of_a_heap_is_not_used_again_while_it_is_destroyed(void **state)
{
    (void)state;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_FIRST);
    watch(heap, use_every_number);
    anvil_heap_destroy(heap);
    assert_null(watched.act);
    assert_int_equal(watched.same_number, 0);
}

/* The child of a fork would inherit half a heap under a number that is in use. */
static void a_fork_waits_until_a_heap_is_destroyed(void **state)
{
    (void)state;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_FIRST);
    watch(heap, look_at_the_lock);
    anvil_heap_destroy(heap);
    assert_null(watched.act);
    assert_int_equal(watched.lock_state, SYNC_HELD);
}

static void a_fork_waits_until_the_default_heap_is_reset(void **state)
{
    (void)state;
    watch(heap_default(), look_at_the_lock);
    heap_default_reset();
    assert_null(watched.act);
    assert_int_equal(watched.lock_state, SYNC_HELD);
}

static void a_large_free_run_goes_back_at_once(void **state)
{
    (void)state;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_FIRST);
    struct anvil_stats stats;
    void *blocks[100];
    for (int i = 0; i < 100; i++)
        blocks[i] = anvil_heap_malloc(heap, 500000);
    for (int i = 0; i < 100; i++)
        anvil_heap_free(heap, blocks[i]);
    support_check(heap);
    anvil_heap_stats(heap, &stats);
    /* the share of the heap that may stay free */
    assert_in_range(stats.mapped, 0, stats.mapped_peak / 4);
    anvil_heap_destroy(heap);
}

static void dirty_holes_are_purged_beyond_the_budget(void **state)
{
    (void)state;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_FIRST);
    char *blocks[400];
    for (int i = 0; i < 400; i++)
        memset(blocks[i] = anvil_heap_malloc(heap, 60000), 1, 60000);
    for (int i = 0; i < 400; i += 2)
        anvil_heap_free(heap, blocks[i]);
    assert_in_range(heap->extents.free.dirty_bytes, 0, 7 << 20);
    support_check(heap);
    for (int i = 0; i < 400; i += 2)
        assert_true(support_is_zero(blocks[i] = anvil_heap_calloc(heap, 60000, 1), 60000));
    anvil_heap_destroy(heap);
}

enum { SPARSE_BLOCKS = 600, SPARSE_SIZE = 200000 };

/* A heap of 120 MB in which every second block was freed. None was written. */
static anvil_heap *heap_with_sparse_holes(char *blocks[SPARSE_BLOCKS])
{
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_FIRST);
    for (int i = 0; i < SPARSE_BLOCKS; i++)
        blocks[i] = anvil_heap_malloc(heap, SPARSE_SIZE);
    size_t before = heap->pages.calls;
    for (int i = 0; i < SPARSE_BLOCKS; i += 2)
        anvil_heap_free(heap, blocks[i]);
    assert_int_equal(heap->pages.calls, before);
    return heap;
}

static void holes_that_were_never_written_are_not_purged(void **state)
{
    (void)state;
    char *blocks[SPARSE_BLOCKS];
    anvil_heap *heap = heap_with_sparse_holes(blocks);
    support_check(heap);
    anvil_heap_destroy(heap);
}

static void holes_that_were_written_later_are_purged(void **state)
{
    (void)state;
    char *blocks[SPARSE_BLOCKS];
    anvil_heap *heap = heap_with_sparse_holes(blocks);
    for (int i = 0; i < SPARSE_BLOCKS; i += 2)
        memset(blocks[i] = anvil_heap_malloc(heap, SPARSE_SIZE), 1, SPARSE_SIZE);
    for (int i = 0; i < SPARSE_BLOCKS; i += 2)
        anvil_heap_free(heap, blocks[i]);
    assert_in_range(heap->extents.free.dirty_bytes, 0, 20 << 20);
    support_check(heap);
    anvil_heap_destroy(heap);
}

/* Each finds the one below it purged already: what is zero must not count as dirty again. */
static void freeing_upwards_purges_now_and_then(void **state)
{
    (void)state;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_FIRST);
    static char *blocks[2000];
    for (int i = 0; i < 2000; i++)
        memset(blocks[i] = anvil_heap_malloc(heap, 60000), 1, 60000);
    size_t before = heap->pages.calls;
    for (int i = 0; i < 1999; i++)
        anvil_heap_free(heap, blocks[i]);
    assert_in_range(heap->pages.calls - before, 1, 30);
    support_check(heap);
    anvil_heap_destroy(heap);
}

static void trim_gives_back_and_keeps_live_content(void **state)
{
    (void)state;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_SBRK, ANVIL_FIT_BEST);
    char *keep = anvil_heap_malloc(heap, 30000), *top = anvil_heap_malloc(heap, 300000);
    support_fill(keep, 30000, 8);
    memset(top, 1, 300000);
    anvil_heap_free(heap, top);
    assert_int_equal(anvil_heap_malloc_trim(heap, 0), 1);
    assert_int_equal(anvil_heap_malloc_trim(heap, 0), 0);
    assert_true(support_is_filled(keep, 30000, 8));
    support_check(heap);
    anvil_heap_destroy(heap);
}

static void a_small_process_stays_small(void **state)
{
    (void)state;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_BEST);
    struct anvil_stats stats;
    assert_non_null(anvil_heap_malloc(heap, 100));
    anvil_heap_stats(heap, &stats);
    assert_in_range(stats.mapped, 1, 300 << 10);
    anvil_heap_destroy(heap);
}

static void thousands_of_holes_cost_no_more_requests(void **state)
{
    (void)state;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_BEST);
    static void *blocks[20000];
    struct anvil_stats before, after;
    for (int i = 0; i < 20000; i++)
        blocks[i] = anvil_heap_malloc(heap, 33000);
    for (int i = 0; i < 20000; i += 2)
        anvil_heap_free(heap, blocks[i]);
    anvil_heap_stats(heap, &before);
    for (int i = 0; i < 100000; i++)
        anvil_heap_free(heap, anvil_heap_malloc(heap, 33000));
    anvil_heap_stats(heap, &after);
    assert_int_equal(after.os_calls, before.os_calls);
    assert_in_range(before.free_extents, 9000, 11000);
    anvil_heap_destroy(heap);
}

/* 2^46 bytes: within what addresses allow, and far beyond what any heap could make room for. */
static void a_request_without_hope_costs_the_heap_nothing(void **state)
{
    (void)state;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_BEST);
    static void *blocks[500];
    struct anvil_stats before, after;
    for (int i = 0; i < 500; i++)
        blocks[i] = anvil_heap_malloc(heap, 40000);
    for (int i = 0; i < 500; i += 2) {
        memset(blocks[i], 1, 40000);
        anvil_heap_free(heap, blocks[i]);
    }
    anvil_heap_stats(heap, &before);
    assert_null(anvil_heap_malloc(heap, (size_t)1 << 46));
    anvil_heap_stats(heap, &after);
    assert_in_range(after.os_calls - before.os_calls, 1, 3);
    anvil_heap_destroy(heap);
}

/* Its memory goes back the first times only; then what comes and goes is retained. */
static void a_heap_that_fills_and_empties_over_and_over_settles(void **state)
{
    (void)state;
    static void *blocks[2000];
    struct anvil_stats before, after;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_BEST);
    for (int round = 0; round < 12; round++) {
        if (round == 8)
            anvil_heap_stats(heap, &before);
        for (int i = 0; i < 2000; i++)
            memset(blocks[i] = anvil_heap_malloc(heap, 4096), 1, 4096);
        for (int i = 0; i < 2000; i++)
            anvil_heap_free(heap, blocks[i * 7919 % 2000]);
    }
    anvil_heap_stats(heap, &after);
    assert_in_range(after.os_calls - before.os_calls, 0, 100);
    assert_true(anvil_heap_malloc_trim(heap, 0) != 0);
    anvil_heap_stats(heap, &after);
    assert_in_range(after.mapped, 0, 300 << 10);
    anvil_heap_destroy(heap);
}

/* Else the pages of the old places stay resident beside those of the new ones. */
static void blocks_come_back_to_the_places_of_freed_ones(void **state)
{
    enum { BLOCKS = 800, SIZE = 256 << 10, STRIDE = 337 /* prime to BLOCKS */ };
    (void)state;
    static char *blocks[2][BLOCKS];
    unsigned others = 0;
    anvil_heap *heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_BEST);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < BLOCKS; i++)
            blocks[round][i] = anvil_heap_malloc(heap, SIZE);
        for (int i = 0; round == 0 && i < BLOCKS; i++)
            anvil_heap_free(heap, blocks[0][i * STRIDE % BLOCKS]);
    }
    for (int i = 0; i < BLOCKS; i++)
        for (int k = 0; k < BLOCKS; k++)
            others += blocks[0][i] < blocks[1][k] && blocks[1][k] < blocks[0][i] + SIZE;
    assert_in_range(others, 0, BLOCKS / 10);
    anvil_heap_destroy(heap);
}

static size_t resident_pages(const anvil_heap *heap)
{
    size_t count = 0;
    const struct extent *extent = heap->extents.list.first;
    for (; extent != NULL; extent = extent->next)
        for (size_t page = 0; page < extent->pages; page += OS_COUNTED_PAGES_MAX)
            count += os_count_resident(extent->start + (page << PAGE_SHIFT),
                                       size_min(extent->pages - page, OS_COUNTED_PAGES_MAX));
    return count;
}

/* Fresh memory lies above all that was used before, so first fit takes it last. */
static void slabs_come_back_to_pages_that_are_resident(void **state)
{
    enum { BLOCKS = 10000, SIZE = 1024, STRIDE = 7919 /* prime to BLOCKS */ };
    (void)state;
    static char *blocks[BLOCKS];
    size_t at_first = 0;
    heap_default_reset();
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < BLOCKS; i++)
            memset(blocks[i] = anvil_malloc(SIZE), 1, SIZE);
        at_first = round == 0 ? resident_pages(heap_default()) : at_first;
        for (int i = 0; i < BLOCKS; i++)
            anvil_free(blocks[i * STRIDE % BLOCKS]);
    }
    assert_in_range(resident_pages(heap_default()), 0, at_first * 101 / 100);
}

static void cycle_with_a_refusal(unsigned nth)
{
    void *kept = anvil_malloc(1000);
    anvil_heap_fail_os_call(NULL, nth);
    void *first = anvil_malloc(400000), *second = anvil_calloc(3, 200000);
    void *moved = anvil_realloc(kept, 300000);
    anvil_free(first);
    anvil_free(second);
    anvil_free(moved != NULL ? moved : kept);
    (void)anvil_malloc_trim(0);
    anvil_heap_fail_os_call(NULL, 0);
}

/* Metadata that could not be given back once is given back later. */
static void refused_releases_do_not_add_up(void **state)
{
    (void)state;
    struct anvil_stats stats;
    heap_default_reset();
    for (unsigned i = 0; i < 240; i++)
        cycle_with_a_refusal(i % 12 + 1);
    (void)anvil_malloc_trim(0);
    anvil_heap_stats(NULL, &stats);
    assert_in_range(stats.mapped, 0, 1 << 20);
    support_check(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heaps_do_not_share_memory),
        cmocka_unit_test(numbers_of_heaps_are_used_again),
        cmocka_unit_test(the_number_of_a_heap_is_not_used_again_while_it_is_destroyed),
        cmocka_unit_test(a_fork_waits_until_a_heap_is_destroyed),
        cmocka_unit_test(a_fork_waits_until_the_default_heap_is_reset),
        cmocka_unit_test(a_large_free_run_goes_back_at_once),
        cmocka_unit_test(dirty_holes_are_purged_beyond_the_budget),
        cmocka_unit_test(holes_that_were_never_written_are_not_purged),
        cmocka_unit_test(holes_that_were_written_later_are_purged),
        cmocka_unit_test(freeing_upwards_purges_now_and_then),
        cmocka_unit_test(trim_gives_back_and_keeps_live_content),
        cmocka_unit_test(a_small_process_stays_small),
        cmocka_unit_test(a_request_without_hope_costs_the_heap_nothing),
        cmocka_unit_test(a_heap_that_fills_and_empties_over_and_over_settles),
        cmocka_unit_test(thousands_of_holes_cost_no_more_requests),
        cmocka_unit_test(blocks_come_back_to_the_places_of_freed_ones),
        cmocka_unit_test(slabs_come_back_to_pages_that_are_resident),
        cmocka_unit_test(refused_releases_do_not_add_up),
    };
    return cmocka_run_group_tests_name("heaps", tests, NULL, NULL);
}
