/* SPDX-License-Identifier: MIT */
/* Logs as the recorder writes them, and the traces that they become. */
#include "mallet/record_convert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS_MAX = 64, TEXT_MAX = 4096 };

struct fixture {
    struct record_log *log;
    struct trace_op ops[RECORDS_MAX];
    struct record_summary summary;
    char text[TEXT_MAX];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->log = calloc(1, sizeof *fixture->log + RECORDS_MAX * sizeof(struct record));
    fixture->log->magic = RECORD_MAGIC;
    fixture->log->capacity = RECORDS_MAX;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    free(fixture->log);
    free(fixture);
    return 0;
}

static void add(struct fixture *fixture, struct record record)
{
    fixture->log->records[fixture->log->taken++] = record;
}

static void add_malloc(struct fixture *fixture, uint32_t thread, uint64_t block, uint64_t size)
{
    add(fixture, (struct record){.kind = RECORD_ALLOCATE,
                                 .thread = thread,
                                 .op = OP_MALLOC,
                                 .block = block,
                                 .size = size});
}

static void add_free(struct fixture *fixture, uint32_t thread, uint64_t block)
{
    add(fixture, (struct record){.kind = RECORD_FREE, .thread = thread, .block = block});
}

static void add_move(struct fixture *fixture, enum record_kind kind, uint32_t thread, uint64_t old,
                     uint64_t block, uint64_t size)
{
    add(fixture, (struct record){.kind = kind,
                                 .thread = thread,
                                 .op = OP_REALLOC,
                                 .old = old,
                                 .block = block,
                                 .size = size});
}

static void assert_converts(struct fixture *fixture, const char *expected)
{
    struct trace trace = {.ops = fixture->ops, .capacity = RECORDS_MAX};
    assert_int_equal(record_convert(fixture->log, &trace, &fixture->summary), 0);
    trace_format(&trace, fixture->text, sizeof fixture->text);
    assert_string_equal(fixture->text, expected);
}

static void a_block_gets_the_lowest_free_slot(void **state)
{
    struct fixture *fixture = *state;
    add_malloc(fixture, 7, 0x1000, 48);
    add_malloc(fixture, 7, 0x2000, 16);
    add_free(fixture, 7, 0x1000);
    add_malloc(fixture, 7, 0x3000, 8);
    assert_converts(fixture, "#0 = malloc 48\n#1 = malloc 16\nfree #0\n#0 = malloc 8\n");
    assert_int_equal(fixture->summary.peak_size, 64);
    assert_int_equal(fixture->summary.peak_blocks, 2);
}

static void threads_are_numbered_by_appearance(void **state)
{
    struct fixture *fixture = *state;
    add_malloc(fixture, 700, 0x1000, 1);
    add_malloc(fixture, 300, 0x2000, 2);
    add_free(fixture, 700, 0x2000);
    assert_converts(fixture, "#0 = malloc 1\nthread 1\n#1 = malloc 2\nthread 0\nfree #1\n");
    assert_int_equal(fixture->summary.threads, 2);
}

static void a_moving_block_gives_up_its_address_at_once(void **state)
{
    struct fixture *fixture = *state;
    add_malloc(fixture, 1, 0x1000, 10);
    add_move(fixture, RECORD_MOVE_BEGIN, 1, 0x1000, 0, 20);
    add_malloc(fixture, 2, 0x1000, 30);
    add_move(fixture, RECORD_MOVE_END, 1, 0x1000, 0x2000, 20);
    add_free(fixture, 1, 0x2000);
    assert_converts(
        fixture,
        "#0 = malloc 10\nthread 1\n#1 = malloc 30\nthread 0\n#0 = realloc #0 20\nfree #0\n");
}

static void a_failed_realloc_keeps_its_block(void **state)
{
    struct fixture *fixture = *state;
    add_malloc(fixture, 1, 0x1000, 10);
    add_move(fixture, RECORD_MOVE_BEGIN, 1, 0x1000, 0, 9999);
    add_move(fixture, RECORD_MOVE_END, 1, 0x1000, 0, 9999);
    add_free(fixture, 1, 0x1000);
    assert_converts(fixture, "#0 = malloc 10\n#0 = realloc #0 9999\nfree #0\n");
}

static void blocks_from_before_are_left_out_and_counted(void **state)
{
    struct fixture *fixture = *state;
    add_free(fixture, 1, 0x5000);
    add_move(fixture, RECORD_MOVE_BEGIN, 1, 0x6000, 0, 20);
    add_move(fixture, RECORD_MOVE_END, 1, 0x6000, 0x7000, 20);
    add_malloc(fixture, 1, 0x1000, 1);
    assert_converts(fixture, "#0 = malloc 1\n");
    assert_int_equal(fixture->summary.unknown, 2);
}

static void an_address_given_out_twice_ends_its_first_block(void **state)
{
    struct fixture *fixture = *state;
    add_malloc(fixture, 1, 0x1000, 1);
    add_malloc(fixture, 1, 0x1000, 2);
    assert_converts(fixture, "#0 = malloc 1\nfree #0\n#1 = malloc 2\n");
}

static void exec_forgets_every_block(void **state)
{
    struct fixture *fixture = *state;
    add_malloc(fixture, 1, 0x1000, 1);
    add(fixture, (struct record){.kind = RECORD_NEW_PROGRAM, .thread = 1});
    add_malloc(fixture, 1, 0x1000, 2);
    add_free(fixture, 1, 0x1000);
    assert_converts(fixture, "#0 = malloc 1\n#1 = malloc 2\nfree #1\n");
}

static void unfinished_and_lost_records_are_counted(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, (struct record){.kind = RECORD_UNFINISHED});
    add_malloc(fixture, 1, 0, 99);
    fixture->log->taken += RECORDS_MAX;
    assert_converts(fixture, "#0 = malloc 99\nfree #0\n");
    assert_true(fixture->summary.missed > RECORDS_MAX / 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_block_gets_the_lowest_free_slot),
        TEST(threads_are_numbered_by_appearance),
        TEST(a_moving_block_gives_up_its_address_at_once),
        TEST(a_failed_realloc_keeps_its_block),
        TEST(blocks_from_before_are_left_out_and_counted),
        TEST(an_address_given_out_twice_ends_its_first_block),
        TEST(exec_forgets_every_block),
        TEST(unfinished_and_lost_records_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
