/* SPDX-License-Identifier: MIT */
/* Which two calls are said to have overlapped: two workers whose calls are made up. */
#include "adversity/torture/testlib.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct torture_options torture_options = {.workers = 3};

static struct worker workers[3] = {{.id = 0}, {.id = 1}, {.id = 2}};
static char names[2][OVERLAP_NAME_MAX];
static unsigned char memory[256];

static void begin(unsigned worker, enum torture_call call)
{
    usleep(1); /* time passes */
    overlap_begin(&workers[worker], call);
}

static void end(unsigned worker, size_t at, size_t size)
{
    call_gives(&workers[worker], &(struct block){.address = memory + at, .size = size});
    usleep(1);
    overlap_end(&workers[worker]);
}

static void calls_at_the_same_time_on_the_same_memory_are_named(void **state)
{
    (void)state;
    begin(0, IN_malloc);
    begin(1, IN_calloc);
    end(0, 0, 16);
    end(1, 8, 24);
    assert_false(overlap_find(memory, 4, names)); /* the second is not there */
    assert_true(overlap_find(memory, 16, names));
    assert_string_equal(names[0], "malloc of 16 bytes in thread 0");
    assert_string_equal(names[1], "calloc of 24 bytes in thread 1");
}

static void calls_one_after_the_other_are_not(void **state)
{
    (void)state;
    begin(0, IN_malloc);
    end(0, 64, 16);
    begin(1, IN_malloc);
    end(1, 64, 16);
    assert_false(overlap_find(memory + 64, 16, names));
}

static void the_latest_pair_counts_and_a_call_that_runs_counts_too(void **state)
{
    (void)state;
    struct block given, block = {.address = memory + 128, .size = 32};
    begin(0, IN_malloc);
    begin(1, IN_malloc);
    end(0, 128, 16);
    end(1, 128, 16);
    begin(2, IN_free);
    call_takes(&workers[2], &block);
    begin(0, IN_realloc);
    end(0, 144, 8);
    assert_true(overlap_find(memory + 128, 32, names));
    assert_string_equal(names[0], "free of 32 bytes in thread 2");
    assert_string_equal(names[1], "realloc of 8 bytes in thread 0");
    assert_true(overlap_given(&workers[2], &given));
    assert_ptr_equal(given.address, block.address);
    overlap_end(&workers[2]);
    assert_false(overlap_given(&workers[0], &given));
}

static void calls_of_one_thread_or_on_other_memory_do_not_count(void **state)
{
    (void)state;
    begin(0, IN_malloc);
    begin(1, IN_malloc);
    end(0, 200, 8);
    end(1, 208, 8);
    assert_false(overlap_find(memory + 200, 8, names));
    assert_false(overlap_find(memory + 208, 8, names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_at_the_same_time_on_the_same_memory_are_named),
        cmocka_unit_test(calls_one_after_the_other_are_not),
        cmocka_unit_test(the_latest_pair_counts_and_a_call_that_runs_counts_too),
        cmocka_unit_test(calls_of_one_thread_or_on_other_memory_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
