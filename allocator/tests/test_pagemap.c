/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "extent.h"
#include "pagemap.h"

#include <errno.h>

static struct pages pages;
static struct extent extent;
static struct slab *const slab = (struct slab *)&extent; /* any address */
static char *const place = (char *)0x50003ffff000;       /* the last page of a leaf */

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
    assert_int_equal(pagemap_get(&local), 0);
    assert_int_equal(pagemap_get(NULL), 0);
    assert_int_equal(pagemap_owner((void *)0x123456789000), 0);
}

static void an_address_beyond_the_user_space_leads_nowhere(void **state)
{
    (void)state;
    assert_int_equal(pagemap_get((void *)0x4141414141414140), 0);
    assert_int_equal(pagemap_get((void *)UINTPTR_MAX), 0);
    assert_int_equal(pagemap_reserve(&pages, (char *)0x1000000000000, PAGE_BYTES), ENOMEM);
}

static void an_entry_covers_its_whole_page_and_no_other(void **state)
{
    (void)state;
    pagemap_word word = pagemap_word_of_extent(&extent, 7);
    pagemap_set(place, word);
    assert_int_equal(pagemap_get(place), word);
    assert_int_equal(pagemap_get(place + PAGE_BYTES - 1), word);
    assert_int_equal(pagemap_get(place + PAGE_BYTES), 0);
    assert_int_equal(pagemap_get(place - 1), 0);
    pagemap_set(place, 0);
    assert_int_equal(pagemap_get(place), 0);
}

static void entries_of_other_owners_and_kinds_are_not_followed(void **state)
{
    (void)state;
    static const unsigned owners[] = {PAGEMAP_OWNER_DEFAULT, 7, PAGEMAP_OWNER_MAX};
    for (unsigned i = 0; i < 3; i++) {
        pagemap_word of_extent = pagemap_word_of_extent(&extent, owners[i]);
        pagemap_word of_slab = pagemap_word_of_slab(slab, owners[i]);
        assert_ptr_equal(pagemap_extent_of(of_extent, owners[i]), &extent);
        assert_ptr_equal(pagemap_slab_of(of_slab, owners[i]), slab);
        assert_null(pagemap_slab_of(of_extent, owners[i]));
        assert_null(pagemap_extent_of(of_slab, owners[i]));
        assert_null(pagemap_extent_of(of_extent, owners[i] ^ 8));
        assert_null(pagemap_slab_of(of_slab, owners[i] ^ 8));
        pagemap_set(place, of_slab);
        assert_int_equal(pagemap_owner(place), owners[i]);
        pagemap_set(place, of_extent);
        assert_int_equal(pagemap_owner(place), owners[i]);
    }
    pagemap_set(place, 0);
    assert_null(pagemap_extent_of(0, 7));
    assert_null(pagemap_slab_of(0, PAGEMAP_OWNER_DEFAULT));
}

static void only_slabs_of_the_default_heap_pass_the_test_of_the_sign(void **state)
{
    (void)state;
    const pagemap_word others[] = {0, pagemap_word_of_slab(slab, 7),
                                   pagemap_word_of_extent(&extent, PAGEMAP_OWNER_DEFAULT)};
    for (unsigned i = 0; i < 3; i++) {
        pagemap_set(place, others[i]);
        assert_true(pagemap_get(place) <= 0);
    }
    pagemap_set(place, pagemap_word_of_slab(slab, PAGEMAP_OWNER_DEFAULT));
    assert_ptr_equal((struct slab *)pagemap_get(place + 100), slab);
    assert_true(pagemap_get((void *)0x4141414141414140) <= 0);
    pagemap_set(place, 0);
}

static void a_run_agrees_across_the_border_of_a_leaf(void **state)
{
    (void)state;
    pagemap_word word = pagemap_word_of_extent(&extent, 7);
    pagemap_fill(place, 2, word);
    assert_true(pagemap_agrees(place, 2, word));
    assert_false(pagemap_agrees(place - PAGE_BYTES, 2, word));
    assert_false(pagemap_agrees(place, 3, word));
    assert_true(pagemap_agrees(place + 2 * PAGE_BYTES, 5, 0));
    pagemap_fill(place, 2, 0);
}

static void leaves_are_made_once_and_a_refusal_is_reported(void **state)
{
    (void)state;
    size_t calls = pages.calls;
    assert_int_equal(pagemap_reserve(&pages, place, 2 * PAGE_BYTES), 0);
    assert_int_equal(pages.calls, calls);
    pages.refuse_in = 1;
    assert_int_equal(pagemap_reserve(&pages, (char *)0x600000000000, PAGE_BYTES), ENOMEM);
    assert_int_equal(pagemap_reserve(&pages, (char *)0x600000000000, PAGE_BYTES), 0);
}

static void pages_without_a_leaf_have_no_word(void **state)
{
    (void)state;
    const char *far = (const char *)0x500000000000;
    assert_true(pagemap_agrees(far, 3, 0));
    assert_false(pagemap_agrees(far, 3, pagemap_word_of_extent(&extent, 7)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_that_nobody_recorded_leads_nowhere, setup),
        cmocka_unit_test_setup(an_address_beyond_the_user_space_leads_nowhere, setup),
        cmocka_unit_test_setup(an_entry_covers_its_whole_page_and_no_other, setup),
        cmocka_unit_test_setup(entries_of_other_owners_and_kinds_are_not_followed, setup),
        cmocka_unit_test_setup(only_slabs_of_the_default_heap_pass_the_test_of_the_sign, setup),
        cmocka_unit_test_setup(a_run_agrees_across_the_border_of_a_leaf, setup),
        cmocka_unit_test_setup(leaves_are_made_once_and_a_refusal_is_reported, setup),
        cmocka_unit_test_setup(pages_without_a_leaf_have_no_word, setup),
    };
    return cmocka_run_group_tests_name("pagemap", tests, NULL, NULL);
}
