/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "meta.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct pages pages;
static struct meta meta;

static int setup(void **state)
{
    (void)state;
    pages_init_arena(&pages, support_arena(64 * PAGE_BYTES), 64 * PAGE_BYTES, false);
    meta_init(&meta, &pages);
    return 0;
}

static void objects_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    char *objects[100];
    for (unsigned i = 0; i < 100; i++) {
        objects[i] = meta_alloc(&meta, 100);
        assert_non_null(objects[i]);
        assert_int_equal((uintptr_t)objects[i] % 64, 0);
        memset(objects[i], (int)i, 128);
    }
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(objects[i][127], (char)i);
}

static void an_object_given_back_is_taken_next(void **state)
{
    (void)state;
    void *object = meta_alloc(&meta, 200);
    meta_free(&meta, object, 200);
    assert_ptr_equal(meta_alloc(&meta, 256), object);
}

static void what_is_reserved_can_be_taken_from_a_dead_source(void **state)
{
    (void)state;
    assert_int_equal(meta_reserve(&meta, 128, 20), 0);
    pages.refuse_in = 1;
    for (int i = 0; i < 20; i++)
        assert_non_null(meta_alloc(&meta, 128));
    assert_int_equal(pages.refuse_in, 1);
}

static void a_source_without_memory_is_reported(void **state)
{
    (void)state;
    char *rest;
    assert_int_equal(pages_grow(&pages, 63 * PAGE_BYTES, &rest), 0);
    assert_int_equal(meta_reserve(&meta, 8192, 1), ENOMEM);
    assert_null(meta_alloc(&meta, 8192));
    assert_non_null(meta_alloc(&meta, 32)); /* one page is left */
}

static void done_gives_everything_back_and_clears_it(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++)
        memset(meta_alloc(&meta, 128), 0xff, 128);
    meta_destroy(&meta, true);
    assert_int_equal(pages.held, 0);
    assert_true(support_is_zero(pages.low, (size_t)(pages.end - pages.low)));
}

static int setup_system(void **state)
{
    (void)state;
    pages_init_mmap(&pages);
    meta_init(&meta, &pages);
    return 0;
}

/* The kernel reads for us: EFAULT instead of a signal. */
static bool is_readable(const char *address)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    bool is_written = write(ends[1], address, 1) == 1;
    assert_true(is_written || errno == EFAULT);
    close(ends[0]);
    close(ends[1]);
    return is_written;
}

static void an_inaccessible_page_lies_on_either_side(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++)
        assert_non_null(meta_alloc(&meta, 128));
    const char *first = (const char *)meta.chunks;
    const char *end = meta.end;
    assert_true(is_readable(first));
    assert_true(is_readable(end - 1));
    assert_false(is_readable(first - 1));
    assert_false(is_readable(end));
    meta_destroy(&meta, false);
    assert_int_equal(pages.held, 0);
}

static void mappings_without_an_object_in_use_go_back(void **state)
{
    (void)state;
    static void *objects[4000];
    for (int i = 0; i < 4000; i++)
        objects[i] = meta_alloc(&meta, i % 2 == 0 ? 128 : 1000);
    size_t all = pages.held;
    for (int i = 0; i < 3999; i++)
        meta_free(&meta, objects[i], i % 2 == 0 ? 128 : 1000);
    memset(objects[3999], 0x55, 1000);
    assert_true(meta_release(&meta) > 0);
    assert_in_range(pages.held, 1, all / 2);
    for (int i = 0; i < 3999; i++)
        memset(objects[i] = meta_alloc(&meta, 500), 0, 500);
    for (int i = 0; i < 3999; i++)
        meta_free(&meta, objects[i], 500);
    assert_int_equal(((char *)objects[3999])[999], 0x55);
    meta_free(&meta, objects[3999], 1000);
    assert_true(meta_release(&meta) > 0);
    assert_int_equal(pages.held, 0);
    assert_int_equal(meta.length, 0);
    assert_non_null(meta_alloc(&meta, 64));
    meta_destroy(&meta, false);
}

static void a_mapping_that_the_source_will_not_take_stays(void **state)
{
    (void)state;
    void *object = meta_alloc(&meta, 128);
    meta_free(&meta, object, 128);
    pages.refuse_in = 1;
    assert_int_equal(meta_release(&meta), 0);
    assert_true(meta.length == pages.held && pages.held > 0);
    memset(meta_alloc(&meta, 128), 1, 128);
    meta_destroy(&meta, false);
    assert_int_equal(pages.held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(objects_are_aligned_and_do_not_overlap, setup),
        cmocka_unit_test_setup(an_object_given_back_is_taken_next, setup),
        cmocka_unit_test_setup(what_is_reserved_can_be_taken_from_a_dead_source, setup),
        cmocka_unit_test_setup(a_source_without_memory_is_reported, setup),
        cmocka_unit_test_setup(an_inaccessible_page_lies_on_either_side, setup_system),
        cmocka_unit_test_setup(mappings_without_an_object_in_use_go_back, setup_system),
        cmocka_unit_test_setup(a_mapping_that_the_source_will_not_take_stays, setup_system),
        cmocka_unit_test_setup(done_gives_everything_back_and_clears_it, setup),
    };
    return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}
