/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "pages.h"

#include <errno.h>
#include <unistd.h>

enum { ARENA_PAGES = 16 };

static struct pages arena_pages(void)
{
    struct pages pages;
    pages_init_arena(&pages, support_arena(ARENA_PAGES * PAGE_BYTES), ARENA_PAGES * PAGE_BYTES,
                     false);
    return pages;
}

static void every_source_gives_zeroed_aligned_pages(void **state)
{
    (void)state;
    struct pages sources[3];
    pages_init_mmap(&sources[0]);
    pages_init_sbrk(&sources[1]);
    sources[2] = arena_pages();
    for (int i = 0; i < 3; i++) {
        char *start;
        assert_int_equal(pages_grow(&sources[i], 2 * PAGE_BYTES, &start), 0);
        assert_int_equal((uintptr_t)start % PAGE_BYTES, 0);
        assert_true(support_is_zero(start, 2 * PAGE_BYTES));
        assert_int_equal(pages_release(&sources[i], start, 2 * PAGE_BYTES, 0), 0);
    }
}

static void requests_and_what_is_held_are_counted(void **state)
{
    (void)state;
    struct pages pages;
    char *start;
    pages_init_mmap(&pages);
    assert_int_equal(pages_map(&pages, 3 * PAGE_BYTES, &start), 0);
    assert_int_equal(pages.held, 3 * PAGE_BYTES);
    assert_int_equal(pages_release(&pages, start + PAGE_BYTES, 2 * PAGE_BYTES, 0), 0);
    assert_int_equal(pages.held, PAGE_BYTES);
    assert_int_equal(pages.held_peak, 3 * PAGE_BYTES);
    assert_int_equal(pages_release(&pages, start, PAGE_BYTES, 0), 0);
    assert_int_equal(pages.calls, 3);
}

static void the_nth_next_request_is_refused_once(void **state)
{
    (void)state;
    struct pages pages;
    char *start, *other;
    pages_init_mmap(&pages);
    pages.refuse_in = 2;
    assert_int_equal(pages_map(&pages, PAGE_BYTES, &start), 0);
    assert_int_equal(pages_map(&pages, PAGE_BYTES, &other), ENOMEM);
    assert_int_equal(pages.held, PAGE_BYTES);
    assert_int_equal(pages_release(&pages, start, PAGE_BYTES, 0), 0);
    assert_int_equal(pages.calls, 3);
}

static void every_kind_of_request_can_be_refused(void **state)
{
    (void)state;
    struct pages pages;
    char *start;
    pages_init_mmap(&pages);
    assert_int_equal(pages_map(&pages, PAGE_BYTES, &start), 0);
    start[0] = 1;
    pages.refuse_in = 1;
    assert_int_equal(pages_purge(&pages, start, PAGE_BYTES), ENOMEM);
    pages.refuse_in = 1;
    assert_int_equal(pages_release(&pages, start, PAGE_BYTES, 0), ENOMEM);
    pages.refuse_in = 1;
    assert_int_equal(pages_resize(&pages, start, PAGE_BYTES, 2 * PAGE_BYTES), ENOMEM);
    pages.refuse_in = 1;
    assert_int_equal(pages_move(&pages, start, PAGE_BYTES, start, PAGE_BYTES), ENOMEM);
    pages.refuse_in = 1;
    assert_int_equal(pages_grow(&pages, PAGE_BYTES, &start), ENOMEM);
    assert_int_equal(start[0], 1);
    assert_int_equal(pages_release(&pages, start, PAGE_BYTES, 0), 0);
}

static void purged_pages_read_as_zero(void **state)
{
    (void)state;
    struct pages pages;
    char *start;
    pages_init_mmap(&pages);
    assert_int_equal(pages_grow(&pages, 2 * PAGE_BYTES, &start), 0);
    support_fill(start, 2 * PAGE_BYTES, 1);
    assert_int_equal(pages_purge(&pages, start, PAGE_BYTES), 0);
    assert_true(support_is_zero(start, PAGE_BYTES));
    assert_int_not_equal(start[PAGE_BYTES], 0);
    assert_int_equal(pages_release(&pages, start, 2 * PAGE_BYTES, 0), 0);
}

static void growths_of_mmap_lie_one_above_the_other(void **state)
{
    (void)state;
    struct pages pages;
    char *metadata, *first, *second, *third;
    pages_init_mmap(&pages);
    assert_int_equal(pages_map_guarded(&pages, PAGE_BYTES, &metadata), 0);
    assert_int_equal(pages_grow(&pages, 4 * PAGE_BYTES, &first), 0);
    assert_int_equal(pages_grow(&pages, 2 * PAGE_BYTES, &second), 0);
    assert_ptr_equal(second, first + 4 * PAGE_BYTES);
    assert_int_equal(pages_release(&pages, second, 2 * PAGE_BYTES, 0), 0);
    assert_int_equal(pages_grow(&pages, PAGE_BYTES, &third), 0);
    assert_ptr_equal(third, second);
    assert_int_equal(pages_release(&pages, first, 5 * PAGE_BYTES, 0), 0);
    assert_int_equal(pages_release_guarded(&pages, metadata, PAGE_BYTES, 0), 0);
}

static void a_growth_whose_place_is_taken_lies_elsewhere(void **state)
{
    (void)state;
    struct pages pages;
    char *metadata, *first, *second;
    pages_init_mmap(&pages);
    assert_int_equal(pages_map_guarded(&pages, PAGE_BYTES, &metadata), 0);
    assert_int_equal(pages_grow(&pages, 2 * PAGE_BYTES, &first), 0);
    assert_int_equal(pages_release(&pages, first + PAGE_BYTES, PAGE_BYTES, 0), 0);
    char *foreign = first + PAGE_BYTES;
    assert_int_equal(os_map_near(foreign, PAGE_BYTES, &foreign), 0);
    assert_ptr_equal(foreign, first + PAGE_BYTES);
    assert_int_equal(pages_grow(&pages, PAGE_BYTES, &second), 0);
    assert_ptr_not_equal(second, foreign);
    assert_int_equal(os_unmap(foreign, PAGE_BYTES), 0);
    assert_int_equal(pages_release(&pages, first, PAGE_BYTES, 0), 0);
    assert_int_equal(pages_release(&pages, second, PAGE_BYTES, 0), 0);
    assert_int_equal(pages_release_guarded(&pages, metadata, PAGE_BYTES, 0), 0);
}

static void a_page_without_memory_is_not_resident(void **state)
{
    (void)state;
    struct pages pages;
    char *start;
    pages_init_mmap(&pages);
    assert_int_equal(pages_grow(&pages, 5 * PAGE_BYTES, &start), 0);
    assert_int_equal(os_count_resident(start, 5), 0);
    start[PAGE_BYTES] = start[4 * PAGE_BYTES] = 1;
    assert_int_equal(os_count_resident(start, 5), 2);
    assert_int_equal(pages_purge(&pages, start, 5 * PAGE_BYTES), 0);
    assert_int_equal(os_count_resident(start, 5), 0);
    assert_int_equal(pages_release(&pages, start, 5 * PAGE_BYTES, 0), 0);
    assert_int_equal(os_count_resident(start, 5), 5); /* nothing is mapped there */
}

static void a_moved_mapping_keeps_its_content(void **state)
{
    (void)state;
    struct pages pages;
    char *start, *target;
    pages_init_mmap(&pages);
    assert_int_equal(pages_map(&pages, PAGE_BYTES, &start), 0);
    assert_int_equal(pages_map(&pages, 4 * PAGE_BYTES, &target), 0);
    support_fill(start, PAGE_BYTES, 2);
    assert_int_equal(pages_move(&pages, start, PAGE_BYTES, target, 4 * PAGE_BYTES), 0);
    assert_true(support_is_filled(target, PAGE_BYTES, 2));
    assert_int_equal(pages.held, 4 * PAGE_BYTES);
    assert_int_equal(pages_release(&pages, target, 4 * PAGE_BYTES, 0), 0);
}

static void sbrk_survives_a_foreign_break(void **state)
{
    (void)state;
    struct pages pages;
    char *first, *second;
    pages_init_sbrk(&pages);
    assert_int_equal(pages_grow(&pages, PAGE_BYTES, &first), 0);
    char *foreign = sbrk(100);
    assert_int_equal(pages_grow(&pages, PAGE_BYTES, &second), 0);
    assert_int_equal((uintptr_t)second % PAGE_BYTES, 0);
    assert_true(second >= foreign + 100 || second + PAGE_BYTES <= foreign);
    assert_int_equal(pages_release(&pages, first, PAGE_BYTES, 0), EBUSY);
    assert_int_equal(pages_release(&pages, second, PAGE_BYTES, 0), 0);
}

static void sbrk_gives_back_only_while_the_break_is_ours(void **state)
{
    (void)state;
    struct pages pages;
    char *start;
    pages_init_sbrk(&pages);
    assert_int_equal(pages_grow(&pages, 2 * PAGE_BYTES, &start), 0);
    char *foreign = sbrk((intptr_t)PAGE_BYTES);
    assert_int_equal(pages_release(&pages, start, 2 * PAGE_BYTES, 0), EBUSY);
    *foreign = 1; /* still there */
    assert_ptr_not_equal(sbrk(-(intptr_t)PAGE_BYTES), (void *)-1);
    assert_int_equal(pages_release(&pages, start + PAGE_BYTES, PAGE_BYTES, 0), 0);
    assert_ptr_equal(sbrk(0), start + PAGE_BYTES);
    assert_int_equal(pages_release(&pages, start, PAGE_BYTES, 0), 0);
}

static void an_arena_grows_up_and_maps_down_until_it_is_full(void **state)
{
    (void)state;
    struct pages pages = arena_pages();
    char *low, *high, *none = NULL;
    assert_int_equal(pages_grow(&pages, 10 * PAGE_BYTES, &low), 0);
    assert_int_equal(pages_map(&pages, 6 * PAGE_BYTES, &high), 0);
    assert_ptr_equal(high, low + 10 * PAGE_BYTES);
    assert_int_equal(pages_grow(&pages, PAGE_BYTES, &none), ENOMEM);
    assert_int_equal(pages_map(&pages, PAGE_BYTES, &none), ENOMEM);
    assert_null(none);
}

static void an_arena_takes_back_its_top_and_makes_it_zero(void **state)
{
    (void)state;
    struct pages pages = arena_pages();
    char *start;
    assert_int_equal(pages_grow(&pages, 4 * PAGE_BYTES, &start), 0);
    support_fill(start, 4 * PAGE_BYTES, 3);
    assert_int_equal(pages_release(&pages, start, PAGE_BYTES, PAGE_BYTES), EBUSY);
    assert_int_equal(pages_release(&pages, start + PAGE_BYTES, 3 * PAGE_BYTES, 3 * PAGE_BYTES), 0);
    assert_true(support_is_zero(start + PAGE_BYTES, 3 * PAGE_BYTES));
    assert_true(support_is_filled(start, PAGE_BYTES, 3));
}

static void an_arena_has_no_mappings_to_resize_or_move(void **state)
{
    (void)state;
    struct pages pages = arena_pages();
    char *start;
    assert_int_equal(pages_map(&pages, PAGE_BYTES, &start), 0);
    assert_int_equal(pages_resize(&pages, start, PAGE_BYTES, 2 * PAGE_BYTES), ENOTSUP);
    assert_int_equal(pages_move(&pages, start, PAGE_BYTES, start, PAGE_BYTES), ENOTSUP);
}

static void mappings_beside_the_break_move_too(void **state)
{
    (void)state;
    struct pages pages;
    char *start, *target;
    pages_init_sbrk(&pages);
    assert_int_equal(pages_map(&pages, PAGE_BYTES, &start), 0);
    assert_int_equal(pages_map(&pages, 2 * PAGE_BYTES, &target), 0);
    support_fill(start, PAGE_BYTES, 5);
    assert_int_equal(pages_move(&pages, start, PAGE_BYTES, target, 2 * PAGE_BYTES), 0);
    assert_true(support_is_filled(target, PAGE_BYTES, 5));
    assert_int_equal(pages_release(&pages, target, 2 * PAGE_BYTES, 0), 0);
}

static void a_length_that_no_break_can_rise_by_is_refused(void **state)
{
    (void)state;
    struct pages pages;
    char *start = NULL;
    pages_init_sbrk(&pages);
    assert_int_equal(pages_grow(&pages, SIZE_LIMIT + 1 - PAGE_BYTES, &start), ENOMEM);
    assert_null(start);
}

static void an_arena_that_may_be_discarded_is_purged(void **state)
{
    (void)state;
    struct pages pages;
    char *start, *arena = support_arena(16 * PAGE_BYTES);
    pages_init_arena(&pages, arena, 16 * PAGE_BYTES, true);
    assert_int_equal(pages_grow(&pages, 4 * PAGE_BYTES, &start), 0);
    support_fill(start, 4 * PAGE_BYTES, 3);
    assert_int_equal(pages_purge(&pages, start, 3 * PAGE_BYTES), 0);
    assert_true(support_is_zero(start, 3 * PAGE_BYTES));
    assert_int_not_equal(start[3 * PAGE_BYTES], 0);
    pages_init_arena(&pages, arena, 16 * PAGE_BYTES, false);
    assert_int_equal(pages_purge(&pages, start, PAGE_BYTES), ENOTSUP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_source_gives_zeroed_aligned_pages),
        cmocka_unit_test(requests_and_what_is_held_are_counted),
        cmocka_unit_test(the_nth_next_request_is_refused_once),
        cmocka_unit_test(every_kind_of_request_can_be_refused),
        cmocka_unit_test(purged_pages_read_as_zero),
        cmocka_unit_test(growths_of_mmap_lie_one_above_the_other),
        cmocka_unit_test(a_growth_whose_place_is_taken_lies_elsewhere),
        cmocka_unit_test(a_page_without_memory_is_not_resident),
        cmocka_unit_test(a_moved_mapping_keeps_its_content),
        cmocka_unit_test(sbrk_survives_a_foreign_break),
        cmocka_unit_test(sbrk_gives_back_only_while_the_break_is_ours),
        cmocka_unit_test(an_arena_grows_up_and_maps_down_until_it_is_full),
        cmocka_unit_test(an_arena_takes_back_its_top_and_makes_it_zero),
        cmocka_unit_test(an_arena_has_no_mappings_to_resize_or_move),
        cmocka_unit_test(mappings_beside_the_break_move_too),
        cmocka_unit_test(a_length_that_no_break_can_rise_by_is_refused),
        cmocka_unit_test(an_arena_that_may_be_discarded_is_purged),
    };
    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
