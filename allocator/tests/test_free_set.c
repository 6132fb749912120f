/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "free_set.h"

/* In address order, none beside another: one page, two pages, and so on; all dirty. */
enum { COUNT = 12, PURGED = FREE_SET_PURGE_PAGES_MIN };

static struct extent extents[COUNT];
static struct free_set set;

static void fill(enum anvil_fit fit)
{
    char *start = (char *)0x10000000;
    free_set_init(&set, fit);
    for (size_t i = 0; i < COUNT; i++) {
        extents[i] = (struct extent){.start = start, .pages = i + 1};
        extents[i].dirty = extent_length(&extents[i]);
        start += 2 * extent_length(&extents[i]);
        extent_set_state(&extents[i], EXTENT_LARGE);
        free_set_insert(&set, &extents[i]);
    }
}

static size_t purge_list_length(void)
{
    size_t length = 0;
    for (const struct extent *extent = set.purge_first; extent != NULL;
         extent = extent->as.node.purge_next) {
        assert_true(free_set_is_worth_purging(extent));
        length++;
    }
    return length;
}

static void require_sums(size_t count, size_t pages, size_t dirty_pages)
{
    assert_int_equal(set.count, count);
    assert_int_equal(set.pages, pages);
    assert_int_equal(set.dirty_bytes, dirty_pages << PAGE_SHIFT);
}

static void the_sums_follow_the_members(void **state)
{
    (void)state;
    fill(ANVIL_FIT_BEST);
    require_sums(COUNT, 78, 78);
    assert_int_equal(extent_state(&extents[3]), EXTENT_FREE);
    assert_int_equal(purge_list_length(), COUNT - PURGED + 1);
    for (size_t i = 0; i < COUNT; i += 2)
        free_set_remove(&set, &extents[i]);
    require_sums(COUNT / 2, 42, 42);
    assert_int_equal(purge_list_length(), 3); /* 8, 10, 12 */
    for (size_t i = 1; i < COUNT; i += 2)
        free_set_remove(&set, &extents[i]);
    require_sums(0, 0, 0);
    assert_null(set.root);
    assert_null(set.purge_first);
}

static void a_purged_member_stays_and_is_clean(void **state)
{
    (void)state;
    fill(ANVIL_FIT_BEST);
    free_set_purged(&set, &extents[9]);
    require_sums(COUNT, 78, 68);
    assert_int_equal(extents[9].dirty, 0);
    assert_int_equal(purge_list_length(), COUNT - PURGED);
    assert_ptr_equal(free_set_find(&set, 10, NULL), &extents[9]);
}

/* The front of a member goes to others, and the rest to another descriptor. */
static void a_changed_member_is_found_by_its_new_length(void **state)
{
    (void)state;
    for (unsigned fit = ANVIL_FIT_FIRST; fit <= ANVIL_FIT_WORST; fit++) {
        fill(fit);
        struct extent *old = &extents[COUNT - 1];
        struct extent fresh = {.start = old->start + 9 * PAGE_BYTES, .pages = COUNT - 9};
        fresh.dirty = PAGE_BYTES;
        extent_set_state(&fresh, EXTENT_LARGE);
        free_set_change(&set, old);
        free_set_changed(&set, old, &fresh);
        require_sums(COUNT, 69, 67);
        assert_int_equal(extent_state(&fresh), EXTENT_FREE);
        assert_int_equal(purge_list_length(), COUNT - PURGED);
        assert_null(free_set_find(&set, COUNT, NULL));
        free_set_remove(&set, &fresh);
        require_sums(COUNT - 1, 66, 66);
    }
}

static void each_policy_finds_its_own(void **state)
{
    (void)state;
    fill(ANVIL_FIT_FIRST);
    const char *cursor = extents[6].start;
    assert_ptr_equal(free_set_find(&set, 3, cursor), &extents[2]);
    fill(ANVIL_FIT_BEST);
    assert_ptr_equal(free_set_find(&set, 3, cursor), &extents[2]);
    fill(ANVIL_FIT_WORST);
    assert_ptr_equal(free_set_find(&set, 3, cursor), &extents[COUNT - 1]);
    fill(ANVIL_FIT_NEXT);
    assert_ptr_equal(free_set_find(&set, 3, cursor), &extents[6]);
    assert_ptr_equal(free_set_find(&set, 3, extents[COUNT - 1].start + 1), &extents[2]);
    assert_ptr_equal(free_set_find(&set, 3, NULL), &extents[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sums_follow_the_members),
        cmocka_unit_test(a_purged_member_stays_and_is_clean),
        cmocka_unit_test(a_changed_member_is_found_by_its_new_length),
        cmocka_unit_test(each_policy_finds_its_own),
    };
    return cmocka_run_group_tests_name("free_set", tests, NULL, NULL);
}
