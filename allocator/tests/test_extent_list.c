/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "extent_list.h"

enum { PAGES = 8 };

static struct pages pages;
static struct meta meta;
static struct extent_list list;
static char *arena, *slots;

static int setup(void **state)
{
    (void)state;
    arena = support_arena(256 * PAGE_BYTES);
    pages_init_arena(&pages, arena, 256 * PAGE_BYTES, false);
    assert_int_equal(pagemap_reserve(&pages, arena, 256 * PAGE_BYTES), 0);
    meta_init(&meta, &pages);
    assert_int_equal(meta_reserve(&meta, sizeof(struct extent), 3), 0);
    list = (struct extent_list){.meta = &meta, .owner = 99};
    slots = arena + 128 * PAGE_BYTES; /* meta takes the front */
    return 0;
}

static struct extent *add(size_t slot)
{
    struct extent *extent =
        extent_new(&list, slots + slot * PAGES * PAGE_BYTES, PAGES, EXTENT_LARGE);
    extent_record(&list, extent);
    extent_link(&list, extent);
    return extent;
}

static void drop(struct extent *extent)
{
    extent_unlink(&list, extent);
    extent_unrecord(extent);
    extent_delete(&list, extent);
}

static void extents_are_linked_by_address_whatever_the_order_they_come_in(void **state)
{
    (void)state;
    static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct extent *extents[3];
        for (size_t k = 0; k < 3; k++)
            extents[orders[i][k]] = add(orders[i][k]);
        for (size_t k = 0; k < 3; k++) {
            struct extent *left = k == 0 ? NULL : extents[k - 1];
            struct extent *right = k == 2 ? NULL : extents[k + 1];
            assert_ptr_equal(extents[k]->previous, left);
            assert_ptr_equal(extents[k]->next, right);
            assert_ptr_equal(extent_left(&list, extents[k]), left);
            assert_ptr_equal(extent_right(&list, extents[k]), right);
        }
        assert_ptr_equal(list.first, extents[0]);
        assert_ptr_equal(list.last, extents[2]);
        for (size_t k = 0; k < 3; k++)
            drop(extents[k]);
        assert_null(list.first);
        assert_null(list.last);
    }
}

static void an_extent_is_found_by_its_ends_and_a_slab_by_each_page(void **state)
{
    (void)state;
    struct extent *extent = add(0);
    struct extent_slab slab = {extent};
    assert_ptr_equal(extent_at(&list, extent->start), extent);
    assert_ptr_equal(extent_at(&list, extent_end(extent) - 1), extent);
    assert_null(extent_at(&list, extent->start + PAGE_BYTES));
    extent_make_slab(&list, extent, (struct slab *)&slab);
    for (size_t page = 0; page < PAGES; page++)
        assert_ptr_equal(extent_at(&list, extent->start + page * PAGE_BYTES), extent);
    extent_unrecord_inner(extent);
    assert_null(extent_at(&list, extent->start + PAGE_BYTES));
    assert_ptr_equal(extent_at(&list, extent->start), extent);
    drop(extent);
    assert_null(extent_at(&list, slots));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extents_are_linked_by_address_whatever_the_order_they_come_in),
        cmocka_unit_test(an_extent_is_found_by_its_ends_and_a_slab_by_each_page),
    };
    return cmocka_run_group_tests_name("extent_list", tests, setup, NULL);
}
