/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "extent.h"

#include <errno.h>

/* One growth step of 64 pages is laid out as  | a 10 | - | b 20 | - | c 5 | ------- 27 |
 * with - live, so that only a, b and c can be free. */
enum { STEP = 64, A = 10, B = 20, C = 5 };

static struct pages pages;
static struct meta meta;
static struct extents extents;
static struct extent *a, *b, *c, *wall_1, *wall_2, *wall_3;

static struct extent *allocate(size_t count)
{
    struct extent *extent;
    assert_int_equal(extent_alloc(&extents, count, PAGE_BYTES, &extent), 0);
    return extent;
}

static void start(enum anvil_fit fit)
{
    struct anvil_options options = {.fit = fit, .trim_threshold = SIZE_LIMIT};
    char *arena = support_arena(256 * PAGE_BYTES);
    pages_init_arena(&pages, arena, 256 * PAGE_BYTES, false);
    assert_int_equal(pagemap_reserve(&pages, arena, 256 * PAGE_BYTES), 0);
    meta_init(&meta, &pages);
    extents_init(&extents, &pages, &meta, 99, &options);
    a = allocate(A), wall_1 = allocate(1), b = allocate(B), wall_2 = allocate(1), c = allocate(C),
    wall_3 = allocate(STEP - A - B - C - 2);
    assert_int_equal(extents.free.count, 0);
}

static int setup(void **state)
{
    (void)state;
    start(ANVIL_FIT_FIRST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    extents_destroy(&extents);
    return 0;
}

static char *place_of_five(enum anvil_fit fit)
{
    start(fit);
    char *place = a->start;
    extent_free(&extents, b);
    extent_free(&extents, c);
    extent_free(&extents, a);
    char *taken = allocate(5)->start;
    char *result = (char *)(taken - place);
    extents_destroy(&extents);
    return result;
}

static void first_fit_takes_the_lowest_address(void **state)
{
    (void)state;
    assert_ptr_equal(place_of_five(ANVIL_FIT_FIRST), 0);
}

static void best_fit_takes_the_smallest_that_suffices(void **state)
{
    (void)state;
    assert_ptr_equal(place_of_five(ANVIL_FIT_BEST), (A + 1 + B + 1) * PAGE_BYTES);
}

static void worst_fit_takes_the_largest(void **state)
{
    (void)state;
    assert_ptr_equal(place_of_five(ANVIL_FIT_WORST), (A + 1) * PAGE_BYTES);
}

static void next_fit_goes_on_where_it_stopped(void **state)
{
    (void)state;
    start(ANVIL_FIT_NEXT);
    extent_free(&extents, a);
    extent_free(&extents, b);
    struct extent *first = allocate(4), *second = allocate(4);
    assert_ptr_equal(second->start, extent_end(first));
    extent_free(&extents, first);
    assert_ptr_equal(extent_end(wall_1), allocate(4)->start); /* not the hole behind it */
    extents_destroy(&extents);
}

static void next_fit_wraps_around(void **state)
{
    (void)state;
    start(ANVIL_FIT_NEXT);
    char *place = a->start;
    extent_free(&extents, a);
    assert_ptr_equal(allocate(A)->start, place);
    extents_destroy(&extents);
}

static void a_larger_extent_is_split_and_the_rest_stays_free(void **state)
{
    (void)state;
    extent_free(&extents, b);
    struct extent *front = allocate(7);
    struct extent *rest = extent_right(&extents.list, front);
    assert_int_equal(extent_state(rest), EXTENT_FREE);
    assert_int_equal(rest->pages, B - 7);
    assert_ptr_equal(extent_end(rest), wall_2->start);
}

static void a_freed_extent_with_live_neighbours_stays_alone(void **state)
{
    (void)state;
    extent_free(&extents, b);
    assert_int_equal(extents.free.count, 1);
    assert_int_equal(b->pages, B);
}

static void a_freed_extent_joins_its_left_neighbour(void **state)
{
    (void)state;
    extent_free(&extents, a);
    extent_free(&extents, wall_1);
    assert_int_equal(extents.free.count, 1);
    assert_int_equal(extent_left(&extents.list, b)->pages, A + 1);
}

static void a_freed_extent_joins_its_right_neighbour(void **state)
{
    (void)state;
    extent_free(&extents, b);
    extent_free(&extents, wall_1);
    assert_int_equal(extents.free.count, 1);
    assert_int_equal(extent_right(&extents.list, a)->pages, B + 1);
}

static void a_freed_extent_joins_both_neighbours(void **state)
{
    (void)state;
    extent_free(&extents, a);
    extent_free(&extents, b);
    extent_free(&extents, wall_1);
    assert_int_equal(extents.free.count, 1);
    assert_int_equal(extent_left(&extents.list, wall_2)->pages, A + 1 + B);
}

static void growth_takes_what_it_needs_of_a_free_neighbour(void **state)
{
    (void)state;
    extent_free(&extents, b);
    assert_true(extent_grow(&extents, wall_1, 6));
    assert_int_equal(wall_1->pages, 6);
    assert_int_equal(extent_right(&extents.list, wall_1)->pages, B - 5);
    assert_true(extent_grow(&extents, wall_1, B + 1));
    assert_ptr_equal(extent_right(&extents.list, wall_1), wall_2);
    assert_int_equal(extents.free.count, 0);
}

static void growth_into_a_live_or_small_neighbour_changes_nothing(void **state)
{
    (void)state;
    assert_false(extent_grow(&extents, a, A + 1));
    extent_free(&extents, b);
    assert_false(extent_grow(&extents, wall_1, B + 2));
    assert_int_equal(wall_1->pages, 1);
    assert_int_equal(extents.free.pages, B);
}

static void shrinking_frees_the_tail(void **state)
{
    (void)state;
    assert_true(extent_shrink(&extents, b, 3));
    assert_int_equal(extents.free.pages, B - 3);
    assert_ptr_equal(extent_right(&extents.list, b)->start, b->start + 3 * PAGE_BYTES);
}

static void dirt_is_a_prefix_that_split_and_coalesce_keep(void **state)
{
    (void)state;
    b->dirty = 3 * PAGE_BYTES + 100;
    extent_free(&extents, b);
    struct extent *front = allocate(3);
    struct extent *rest = extent_right(&extents.list, front);
    assert_int_equal(front->dirty, 3 * PAGE_BYTES);
    assert_int_equal(rest->dirty, 100);
    front->dirty = 0;
    extent_free(&extents, front);
    assert_int_equal(extent_right(&extents.list, wall_1)->dirty, 3 * PAGE_BYTES + 100);
}

static void what_is_zero_in_front_stays_so_when_dirt_comes_to_it(void **state)
{
    (void)state;
    b->dirty = 0;
    extent_free(&extents, b);
    struct extent *front = allocate(3), *rest = allocate(3);
    assert_ptr_equal(extent_right(&extents.list, front), rest);
    size_t dirty_before = extents.free.dirty_bytes;
    front->dirty = 0;
    rest->dirty = PAGE_BYTES + 100;
    extent_free(&extents, front);
    extent_free(&extents, rest);
    assert_int_equal(extents.free.dirty_bytes, dirty_before + PAGE_BYTES + 100);
    const struct extent *whole = extent_right(&extents.list, wall_1);
    assert_int_equal(whole->clean, 3 * PAGE_BYTES);
    front = allocate(4);
    assert_int_equal(front->clean, 0);
    assert_int_equal(front->dirty, 4 * PAGE_BYTES);
    assert_int_equal(extents.free.dirty_bytes, dirty_before + 100);
}

static void an_alignment_cuts_off_the_front(void **state)
{
    (void)state;
    struct extent *extent;
    assert_int_equal(extent_alloc(&extents, 3, 32 * PAGE_BYTES, &extent), 0);
    assert_int_equal((uintptr_t)extent->start % (32 * PAGE_BYTES), 0);
    assert_int_equal(extent->pages, 3);
}

static void a_full_source_is_reported_and_nothing_changes(void **state)
{
    (void)state;
    struct extent *extent = NULL;
    size_t count = extents.held_pages;
    assert_int_equal(extent_alloc(&extents, 1000, PAGE_BYTES, &extent), ENOMEM);
    assert_null(extent);
    assert_int_equal(extents.held_pages, count);
    assert_int_equal(extent_alloc(&extents, 100, PAGE_BYTES, &extent), 0);
}

static void release_gives_back_the_top(void **state)
{
    (void)state;
    extent_free(&extents, c);
    extent_free(&extents, wall_3);
    assert_int_equal(extents_release(&extents, 0), (STEP - A - B - 2) * PAGE_BYTES);
    assert_ptr_equal(pages.top, extent_end(wall_2));
    assert_int_equal(extents.free.count, 0);
}

static void the_trim_threshold_bounds_a_free_top(void **state)
{
    (void)state;
    extents.trim_pages = 4;
    extent_free(&extents, wall_3); /* 27 pages: too little to be worth a request */
    assert_int_equal(extents.free.pages, STEP - A - B - C - 2);
    extent_free(&extents, c);
    extent_free(&extents, wall_2);
    assert_int_equal(extents.free.pages, STEP - A - B - 1); /* 33 */
    extent_free(&extents, b);
    assert_int_equal(extents.free.pages, 4);
    assert_ptr_equal(pages.top, extent_end(wall_1) + 4 * PAGE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_fit_takes_the_lowest_address),
        cmocka_unit_test(best_fit_takes_the_smallest_that_suffices),
        cmocka_unit_test(worst_fit_takes_the_largest),
        cmocka_unit_test(next_fit_goes_on_where_it_stopped),
        cmocka_unit_test(next_fit_wraps_around),
        cmocka_unit_test_setup_teardown(a_larger_extent_is_split_and_the_rest_stays_free, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_freed_extent_with_live_neighbours_stays_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_freed_extent_joins_its_left_neighbour, setup, teardown),
        cmocka_unit_test_setup_teardown(a_freed_extent_joins_its_right_neighbour, setup, teardown),
        cmocka_unit_test_setup_teardown(a_freed_extent_joins_both_neighbours, setup, teardown),
        cmocka_unit_test_setup_teardown(growth_takes_what_it_needs_of_a_free_neighbour, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(growth_into_a_live_or_small_neighbour_changes_nothing,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(shrinking_frees_the_tail, setup, teardown),
        cmocka_unit_test_setup_teardown(dirt_is_a_prefix_that_split_and_coalesce_keep, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_zero_in_front_stays_so_when_dirt_comes_to_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_alignment_cuts_off_the_front, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_source_is_reported_and_nothing_changes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(release_gives_back_the_top, setup, teardown),
        cmocka_unit_test_setup_teardown(the_trim_threshold_bounds_a_free_top, setup, teardown),
    };
    return cmocka_run_group_tests_name("extent", tests, NULL, NULL);
}
