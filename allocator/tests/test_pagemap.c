/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "extent.h"
#include "pagemap.h"

#include <errno.h>

static struct pages pages;
static struct extent extent;
static char *const place = (char *)0x500000fff000; /* the last page of a leaf */

static int setup(void **state)
{
    (void)state;
    pages_init_mmap(&pages);
    return pagemap_reserve(&pages, place, 2 * PAGE_BYTES);
}

static void an_address_that_nobody_recorded_leads_nowhere(void **state)
{
    (void)state;
    int local;
    assert_null(pagemap_get(&local, 7));
    assert_null(pagemap_get(NULL, 7));
    assert_int_equal(pagemap_owner((void *)0x123456789000), 0);
}

static void an_address_beyond_the_user_space_leads_nowhere(void **state)
{
    (void)state;
    assert_null(pagemap_get((void *)0x4141414141414140, 7));
    assert_null(pagemap_get((void *)UINTPTR_MAX, 7));
    assert_int_equal(pagemap_reserve(&pages, (char *)0x1000000000000, PAGE_BYTES), ENOMEM);
}

static void an_entry_covers_its_whole_page_and_no_other(void **state)
{
    (void)state;
    pagemap_set(place, &extent, 7);
    assert_ptr_equal(pagemap_get(place, 7), &extent);
    assert_ptr_equal(pagemap_get(place + PAGE_BYTES - 1, 7), &extent);
    assert_null(pagemap_get(place + PAGE_BYTES, 7));
    assert_null(pagemap_get(place - 1, 7));
    pagemap_clear(place);
    assert_null(pagemap_get(place, 7));
}

static void entries_of_other_owners_are_not_followed(void **state)
{
    (void)state;
    pagemap_set(place, &extent, 7);
    assert_null(pagemap_get(place, 8));
    assert_int_equal(pagemap_owner(place), 7);
    pagemap_set(place, &extent, PAGEMAP_OWNER_MAX);
    assert_ptr_equal(pagemap_get(place, PAGEMAP_OWNER_MAX), &extent);
    pagemap_clear(place);
}

static void a_run_agrees_across_the_border_of_a_leaf(void **state)
{
    (void)state;
    pagemap_set(place, &extent, 7);
    pagemap_set(place + PAGE_BYTES, &extent, 7);
    assert_true(pagemap_agrees(place, 2, &extent, 7));
    assert_false(pagemap_agrees(place - PAGE_BYTES, 2, &extent, 7));
    assert_false(pagemap_agrees(place, 3, &extent, 7));
    assert_true(pagemap_agrees(place + 2 * PAGE_BYTES, 5, NULL, 7));
    pagemap_clear(place);
    pagemap_clear(place + PAGE_BYTES);
}

static void nodes_are_made_once_and_a_refusal_is_reported(void **state)
{
    (void)state;
    size_t calls = pages.calls;
    assert_int_equal(pagemap_reserve(&pages, place, 2 * PAGE_BYTES), 0);
    assert_int_equal(pages.calls, calls);
    pages.refuse_in = 1;
    assert_int_equal(pagemap_reserve(&pages, (char *)0x600000000000, PAGE_BYTES), ENOMEM);
    assert_int_equal(pagemap_reserve(&pages, (char *)0x600000000000, PAGE_BYTES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_that_nobody_recorded_leads_nowhere, setup),
        cmocka_unit_test_setup(an_address_beyond_the_user_space_leads_nowhere, setup),
        cmocka_unit_test_setup(an_entry_covers_its_whole_page_and_no_other, setup),
        cmocka_unit_test_setup(entries_of_other_owners_are_not_followed, setup),
        cmocka_unit_test_setup(a_run_agrees_across_the_border_of_a_leaf, setup),
        cmocka_unit_test_setup(nodes_are_made_once_and_a_refusal_is_reported, setup),
    };
    return cmocka_run_group_tests_name("pagemap", tests, NULL, NULL);
}
