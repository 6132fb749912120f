/* SPDX-License-Identifier: MIT */
/* The shadow's interval map, against a model that compares every pair. */
#include "harness/run/shadow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SPACE = 4096, SLOTS = 64, ROUNDS = 20000, MANY = 3000, STEP = 64 };

static struct shadow shadow;
static uint8_t space[SPACE];

static int set_up(void **state)
{
    (void)state;
    shadow_clear(&shadow);
    return 0;
}

static void insert(uint32_t slot, size_t offset, size_t capacity)
{
    shadow.blocks[slot] = (struct block){
        .start = space + offset, .size = capacity, .capacity = capacity, .fill_max = SPACE};
    shadow_insert(&shadow, slot);
}

static uint32_t find_overlap(size_t offset, size_t length)
{
    return shadow_find_overlap(&shadow, space + offset, length);
}

static void range_that_shares_one_byte_with_a_block_overlaps_it(void **state)
{
    (void)state;
    insert(7, 100, 50);
    assert_int_equal(find_overlap(51, 50), 7);
    assert_int_equal(find_overlap(149, 50), 7);
    assert_int_equal(find_overlap(120, 1), 7);
    assert_int_equal(find_overlap(0, SPACE), 7);
}

static void ranges_that_touch_do_not_overlap(void **state)
{
    (void)state;
    insert(7, 100, 50);
    assert_int_equal(find_overlap(50, 50), TRACE_SLOTS);
    assert_int_equal(find_overlap(150, 50), TRACE_SLOTS);
}

static void block_of_capacity_zero_covers_one_byte(void **state)
{
    (void)state;
    insert(3, 100, 0);
    assert_int_equal(find_overlap(100, 0), 3);
    assert_int_equal(find_overlap(101, 0), TRACE_SLOTS);
    assert_int_equal(find_overlap(99, 0), TRACE_SLOTS);
    assert_int_equal(find_overlap(99, 2), 3);
}

static void removed_block_leaves_its_neighbours_and_nothing_of_itself(void **state)
{
    (void)state;
    insert(1, 0, 100);
    insert(2, 100, 100);
    insert(3, 200, 100);
    shadow_remove(&shadow, 2);
    assert_int_equal(find_overlap(100, 100), TRACE_SLOTS);
    assert_int_equal(find_overlap(0, 300), 1);
    assert_int_equal(find_overlap(150, 300), 3);
    assert_null(shadow.blocks[2].start);
    assert_int_equal(shadow.live.count, 2);
    assert_int_equal(shadow.live_size, 200);
}

static void sums_count_what_is_live_and_what_is_filled(void **state)
{
    (void)state;
    insert(1, 0, 100);
    shadow.blocks[2] =
        (struct block){.start = space + 100, .size = 50, .capacity = 80, .fill_max = 64};
    shadow_insert(&shadow, 2);
    assert_int_equal(shadow.live_size, 150);
    assert_int_equal(shadow.filled, 100);
    shadow_remove(&shadow, 1);
    shadow_remove(&shadow, 2);
    assert_int_equal(shadow.live_size, 0);
    assert_int_equal(shadow.filled, 0);
}

static void cleared_shadow_holds_nothing(void **state)
{
    (void)state;
    insert(TRACE_SLOTS - 1, 0, 100);
    shadow_clear(&shadow);
    assert_int_equal(shadow.live.count, 0);
    assert_null(shadow.blocks[TRACE_SLOTS - 1].start);
    assert_int_equal(find_overlap(0, SPACE), TRACE_SLOTS);
}

static bool model_overlaps(uint32_t slot, const uint8_t *start, size_t length)
{
    const struct block *block = &shadow.blocks[slot];
    return block->start != NULL && block->start < start + length &&
           start < block->start + block->capacity;
}

static bool model_has_overlap(const uint8_t *start, size_t length)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (model_overlaps(slot, start, length))
            return true;
    return false;
}

static void random_inserts_and_removes_agree_with_a_model(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int round = 0; round < ROUNDS; round++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        uint32_t slot = (uint32_t)(random >> 33) % SLOTS;
        size_t length = 1 + (random >> 40) % 64, offset = (random >> 48) % (SPACE - 64);
        uint32_t found = find_overlap(offset, length);
        assert_int_equal(found != TRACE_SLOTS, model_has_overlap(space + offset, length));
        assert_true(found == TRACE_SLOTS || model_overlaps(found, space + offset, length));
        if (shadow.blocks[slot].start != NULL)
            shadow_remove(&shadow, slot);
        else if (found == TRACE_SLOTS)
            insert(slot, offset, length);
    }
}

/* ---- many blocks: as many buckets ---- */

static uint8_t wide[MANY * STEP];

/* The naive answers: the slot that stands at place i, if it is live, is i. */
static uint32_t naive_neighbour(uint32_t from, int direction)
{
    for (int64_t slot = (int64_t)from + direction; slot >= 0 && slot < MANY; slot += direction)
        if (shadow.blocks[slot].start != NULL)
            return (uint32_t)slot;
    return TRACE_SLOTS;
}

static size_t naive_gap(uint32_t low, uint32_t high)
{
    return low == TRACE_SLOTS || high == TRACE_SLOTS
               ? SIZE_MAX
               : (size_t)(shadow.blocks[high].start - shadow.blocks[low].start) -
                     shadow.blocks[low].capacity;
}

static void toggle(uint32_t slot)
{
    if (shadow.blocks[slot].start != NULL) {
        shadow_remove(&shadow, slot);
        return;
    }
    size_t capacity = 1 + slot * 7 % STEP;
    shadow.blocks[slot] =
        (struct block){.start = wide + (size_t)slot * STEP, .size = capacity, .capacity = capacity};
    shadow_insert(&shadow, slot);
}

static void assert_gaps_of(uint32_t slot)
{
    const struct block *block = &shadow.blocks[slot];
    size_t below, above;
    shadow_find_gaps(&shadow, block->start, block->capacity, &below, &above);
    assert_true(below == naive_gap(naive_neighbour(slot, -1), slot));
    assert_true(above == naive_gap(slot, naive_neighbour(slot, 1)));
}

static void assert_row_is_in_order(void)
{
    uint64_t last = 0;
    size_t count = 0;
    for (uint32_t i = 0; i < shadow.buckets; i++) {
        const struct bucket *bucket = &shadow.pool[shadow.row[i]];
        assert_true(bucket->count > 0 && bucket->count <= BUCKET_MAX &&
                    (i == 0 || shadow.firsts[i] <= bucket->keys[0]));
        for (uint32_t j = 0; j < bucket->count; last = bucket->keys[j++])
            assert_true(last < bucket->keys[j]);
        for (uint32_t j = bucket->count; j < BUCKET_MAX; j++)
            assert_true(bucket->keys[j] == UINT64_MAX);
        count += bucket->count;
    }
    assert_int_equal(count, shadow.live.count);
}

static void thousands_of_blocks_agree_with_a_model_while_they_come_and_go(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int round = 0; round < 20 * MANY; round++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        uint32_t slot = (uint32_t)(random >> 33) % MANY;
        if (round / (4 * MANY) % 2 == 1 && shadow.blocks[slot].start == NULL)
            continue; /* every other phase only removes */
        toggle(slot);
        if (shadow.blocks[slot].start != NULL)
            assert_gaps_of(slot);
        bool is_live = shadow.blocks[slot].start != NULL;
        assert_int_equal(shadow_find_overlap(&shadow, wide + (size_t)slot * STEP, 1),
                         is_live ? slot : TRACE_SLOTS);
        if (round % 500 == 0)
            assert_row_is_in_order();
    }
}

static void all_slots_fit_however_they_were_thinned_out(void **state)
{
    (void)state;
    static uint8_t *const base = (uint8_t *)(uintptr_t)(1 << 20); /* never touched */
    for (uint32_t slot = 0; slot < TRACE_SLOTS; slot++) {
        shadow.blocks[slot] =
            (struct block){.start = base + (size_t)slot * 16, .size = 16, .capacity = 16};
        shadow_insert(&shadow, slot);
    }
    for (uint32_t slot = 0; slot < TRACE_SLOTS; slot++)
        if (slot % 17 != 0)
            shadow_remove(&shadow, slot);
    assert_row_is_in_order();
    for (uint32_t slot = TRACE_SLOTS; slot-- > 0;) {
        if (slot % 17 == 0)
            continue;
        shadow.blocks[slot] = (struct block){
            .start = base + ((size_t)TRACE_SLOTS + slot) * 16, .size = 16, .capacity = 16};
        shadow_insert(&shadow, slot);
    }
    assert_int_equal(shadow.live.count, TRACE_SLOTS);
    assert_true(shadow.pool_used <= BUCKETS_MAX);
    assert_row_is_in_order();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(range_that_shares_one_byte_with_a_block_overlaps_it, set_up),
        cmocka_unit_test_setup(ranges_that_touch_do_not_overlap, set_up),
        cmocka_unit_test_setup(block_of_capacity_zero_covers_one_byte, set_up),
        cmocka_unit_test_setup(removed_block_leaves_its_neighbours_and_nothing_of_itself, set_up),
        cmocka_unit_test_setup(sums_count_what_is_live_and_what_is_filled, set_up),
        cmocka_unit_test_setup(cleared_shadow_holds_nothing, set_up),
        cmocka_unit_test_setup(random_inserts_and_removes_agree_with_a_model, set_up),
        cmocka_unit_test_setup(thousands_of_blocks_agree_with_a_model_while_they_come_and_go,
                               set_up),
        cmocka_unit_test_setup(all_slots_fit_however_they_were_thinned_out, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
