/* SPDX-License-Identifier: MIT */
/* After a reset a heap must be like a fresh one: the same addresses, the same zeros, the same
 * counts. */
#include "support.h"

#include "heap_set.h"

#include <string.h>

enum { OPERATIONS = 300, SLOTS = 24 };

struct outcome {
    void *blocks[OPERATIONS];
    struct anvil_stats stats;
};

static anvil_heap *heap;
static const size_t arena_size = (size_t)64 << 20;

static void run_operation(struct outcome *outcome, unsigned i, unsigned random, void **slot)
{
    size_t size = random % 5 == 0 ? random % 300000 : random % 1500;
    if (*slot == NULL) {
        *slot = i % 2 == 0 ? anvil_heap_calloc(heap, 1, size) : anvil_heap_malloc(heap, size);
        assert_true(i % 2 != 0 || support_is_zero(*slot, size));
    } else if (random % 3 == 0) {
        *slot = anvil_heap_realloc(heap, *slot, size + 1);
    } else {
        anvil_heap_free(heap, *slot);
        *slot = NULL;
    }
    outcome->blocks[i] = *slot;
    if (*slot != NULL)
        memset(*slot, 0xee, anvil_heap_malloc_usable_size(heap, *slot));
}

static void run(struct outcome *outcome, unsigned seed)
{
    void *slots[SLOTS] = {NULL};
    for (unsigned i = 0; i < OPERATIONS; i++) {
        seed = seed * 1664525u + 1013904223u;
        run_operation(outcome, i, seed >> 8, &slots[(seed >> 4) % SLOTS]);
    }
    support_check(heap);
    anvil_heap_stats(heap, &outcome->stats);
}

static void an_arena_repeats_itself_exactly(void **state)
{
    (void)state;
    struct outcome first, again;
    heap = support_arena_heap(arena_size, ANVIL_FIT_BEST);
    memset(&first, 0, sizeof first);
    run(&first, 1);
    for (unsigned round = 0; round < 20; round++) {
        anvil_heap_reset(heap);
        run(&again, round + 2);
        anvil_heap_reset(heap);
        run(&again, 1);
        assert_memory_equal(&again, &first, sizeof first);
    }
    anvil_heap_destroy(heap);
}

static void an_arena_is_zero_after_reset_but_for_the_heap_itself(void **state)
{
    (void)state;
    struct outcome outcome;
    heap = support_arena_heap(arena_size, ANVIL_FIT_FIRST);
    char *arena = heap->options.arena;
    run(&outcome, 3);
    anvil_heap_reset(heap);
    assert_true(support_is_zero(arena, arena_size - heap->own_length));
    anvil_heap_destroy(heap);
    assert_true(support_is_zero(arena, arena_size));
}

static void a_discarding_arena_is_zero_after_reset_too(void **state)
{
    (void)state;
    char *arena = support_arena(arena_size);
    struct anvil_options options = {.source = ANVIL_SOURCE_ARENA,
                                    .arena = arena,
                                    .arena_size = arena_size,
                                    .arena_discard = true};
    assert_int_equal(anvil_heap_create(&heap, &options), 0);
    memset(anvil_heap_malloc(heap, 20 << 20), 0xee, 20 << 20);
    anvil_heap_reset(heap);
    assert_true(support_is_zero(arena, arena_size - heap->own_length));
    anvil_heap_destroy(heap);
}

static void old_blocks_are_unknown_after_reset(void **state)
{
    (void)state;
    heap = support_arena_heap(arena_size, ANVIL_FIT_FIRST);
    void *small = anvil_heap_malloc(heap, 10), *large = anvil_heap_malloc(heap, 100000);
    struct heap_block block;
    anvil_heap_reset(heap);
    sync_lock_acquire(&heap->lock);
    assert_false(heap_find(heap, small, &block));
    assert_false(heap_find(heap, large, &block));
    sync_lock_release(&heap->lock);
    anvil_heap_destroy(heap);
}

static void a_pending_refusal_ends_with_the_reset(void **state)
{
    (void)state;
    heap = support_arena_heap(arena_size, ANVIL_FIT_FIRST);
    assert_non_null(anvil_heap_malloc(heap, 10));
    anvil_heap_fail_os_call(heap, 1);
    anvil_heap_reset(heap);
    support_check(heap);
    assert_int_equal(heap->pages.refuse_in, 0);
    anvil_heap_destroy(heap);
}

static void heaps_of_the_system_give_their_memory_back(void **state)
{
    (void)state;
    for (unsigned source = ANVIL_SOURCE_MMAP; source <= ANVIL_SOURCE_SBRK; source++) {
        struct anvil_stats fresh, stats;
        struct outcome outcome;
        heap = support_heap(source, ANVIL_FIT_FIRST);
        anvil_heap_stats(heap, &fresh);
        run(&outcome, 5);
        assert_non_null(anvil_heap_malloc(heap, 5 << 20));
        anvil_heap_reset(heap);
        support_check(heap);
        anvil_heap_stats(heap, &stats);
        assert_memory_equal(&stats, &fresh, sizeof fresh);
        run(&outcome, 5);
        anvil_heap_destroy(heap);
    }
}

static void the_default_heap_can_be_torn_down_and_used_again(void **state)
{
    (void)state;
    struct anvil_stats stats;
    for (int i = 0; i < 10; i++) {
        assert_non_null(anvil_malloc(100));
        assert_non_null(anvil_malloc(100000));
        anvil_heap_stats(NULL, &stats);
        assert_int_equal(stats.live_blocks, 2);
        heap_default_reset();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_repeats_itself_exactly),
        cmocka_unit_test(an_arena_is_zero_after_reset_but_for_the_heap_itself),
        cmocka_unit_test(a_discarding_arena_is_zero_after_reset_too),
        cmocka_unit_test(old_blocks_are_unknown_after_reset),
        cmocka_unit_test(a_pending_refusal_ends_with_the_reset),
        cmocka_unit_test(heaps_of_the_system_give_their_memory_back),
        cmocka_unit_test(the_default_heap_can_be_torn_down_and_used_again),
    };
    return cmocka_run_group_tests_name("reset", tests, NULL, NULL);
}
