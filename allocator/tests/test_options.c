/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_whole_line_is_applied(void **state)
{
    (void)state;
    struct anvil_options options = {0};
    char error[200];
    assert_int_equal(
        anvil_options_parse("source:sbrk,fit:worst,mmap_threshold:64k,trim_threshold:3m", &options,
                            error, sizeof error),
        0);
    assert_int_equal(options.source, ANVIL_SOURCE_SBRK);
    assert_int_equal(options.fit, ANVIL_FIT_WORST);
    assert_int_equal(options.mmap_threshold, 65536);
    assert_int_equal(options.trim_threshold, 3 << 20);
}

static void nothing_is_fine_too(void **state)
{
    (void)state;
    struct anvil_options options = {0};
    char error[200];
    assert_int_equal(anvil_options_parse("", &options, error, sizeof error), 0);
}

static void a_bad_item_is_named_and_changes_nothing(void **state)
{
    (void)state;
    const char *const items[] = {"fit",
                                 "fit:",
                                 "fit:bes",
                                 "fit:bestest",
                                 "sauce:mmap",
                                 "source:arena",
                                 "mmap_threshold:0",
                                 "mmap_threshold:",
                                 "mmap_threshold:1x",
                                 "mmap_threshold:12kk",
                                 "trim_threshold:99999999999999999999",
                                 "trim_threshold:9000000000g",
                                 "trim_threshold:18446744073709551616",
                                 "mmap_threshold:-1",
                                 "cache:maybe",
                                 ":"};
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        struct anvil_options options = {0}, untouched = {0};
        char error[200] = "";
        assert_int_equal(anvil_options_parse(items[i], &options, error, sizeof error), EINVAL);
        assert_memory_equal(&options, &untouched, sizeof options);
        assert_int_equal(error[0], '\'');
        assert_int_equal(strncmp(error + 1, items[i], strlen(items[i])), 0);
    }
}

static void items_before_a_bad_one_hold(void **state)
{
    (void)state;
    struct anvil_options options = {0};
    char error[200];
    assert_int_equal(
        anvil_options_parse("fit:next,bogus:1,fit:best", &options, error, sizeof error), EINVAL);
    assert_int_equal(options.fit, ANVIL_FIT_NEXT);
}

static void options_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    char *arena = support_arena(64 * PAGE_BYTES);
    const struct anvil_options wrong[] = {
        {.source = ANVIL_SOURCE_ARENA},
        {.source = ANVIL_SOURCE_ARENA, .arena = arena},
        {.source = ANVIL_SOURCE_ARENA, .arena = arena + 16, .arena_size = 16 * PAGE_BYTES},
        {.source = ANVIL_SOURCE_ARENA, .arena = arena, .arena_size = 16 * PAGE_BYTES + 1},
        {.source = ANVIL_SOURCE_MMAP, .arena = arena, .arena_size = 16 * PAGE_BYTES},
        {.source = ANVIL_SOURCE_MMAP, .arena_size = 16 * PAGE_BYTES},
        {.source = (enum anvil_source)3},
        {.fit = (enum anvil_fit)4},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        anvil_heap *heap = NULL;
        assert_int_equal(anvil_heap_create(&heap, &wrong[i]), EINVAL);
        assert_null(heap);
    }
}

static void secure_is_all_levels_of_hardening(void **state)
{
    (void)state;
    char error[400];
    struct anvil_options options = {0}, some = {0};
    assert_int_equal(anvil_options_parse("secure,fit:best", &options, error, sizeof error), 0);
    assert_true(options.canary && options.zero && options.random && options.form && options.guard);
    assert_int_equal(options.quarantine, 1 << 20);
    assert_int_equal(options.fit, ANVIL_FIT_BEST);
    assert_int_equal(
        anvil_options_parse("secure,zero:off,quarantine:1m,canary:on", &some, error, sizeof error),
        0);
    assert_true(some.canary && !some.zero && some.random);
    assert_int_equal(some.quarantine, 1 << 20);
    assert_int_equal(anvil_options_parse("canary:yes", &some, error, sizeof error), EINVAL);
    assert_int_equal(anvil_options_parse("secure:on", &some, error, sizeof error), EINVAL);
}

/* The default heap reads the environment at its first use: in a child that has not used it yet. */
static void child_with_environment(int end)
{
    dup2(end, STDERR_FILENO);
    setenv("ANVIL_OPTIONS", "fit:worst,bogus:7,mmap_threshold:8k", 1);
    anvil_free(anvil_malloc(10000));
    void *block = anvil_malloc(10000);
    _exit(anvil_mallinfo2().hblks == 1 && block != NULL ? 0 : 1);
}

static void the_environment_is_applied_and_bad_items_are_told(void **state)
{
    (void)state;
    int ends[2], status;
    char text[400] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        child_with_environment(ends[1]);
    close(ends[1]);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    close(ends[0]);
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_string_equal(
        text,
        "anvil: ANVIL_OPTIONS: 'bogus:7' is not one of source:mmap|sbrk, "
        "fit:first|next|best|worst, "
        "mmap_threshold:SIZE, trim_threshold:SIZE, cache:on|off, secure, "
        "canary:on|off, zero:on|off, random:on|off, quarantine:SIZE, form:on|off, guard:on|off; "
        "ignored\n");
}

static void a_long_item_is_shown_whole_or_marked_as_cut(void **state)
{
    (void)state;
    struct anvil_options options = {0};
    char item[301], error[400];
    memset(item, 'x', 300);
    item[300] = 0;
    assert_int_equal(anvil_options_parse(item, &options, error, sizeof error), EINVAL);
    assert_non_null(strstr(error, "xxx...' is not one of"));
    item[63] = 0;
    assert_int_equal(anvil_options_parse(item, &options, error, sizeof error), EINVAL);
    item[62] = 'x';
    assert_memory_equal(error + 1, item, 63);
    assert_memory_equal(error + 64, "' is", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_line_is_applied),
        cmocka_unit_test(nothing_is_fine_too),
        cmocka_unit_test(a_bad_item_is_named_and_changes_nothing),
        cmocka_unit_test(a_long_item_is_shown_whole_or_marked_as_cut),
        cmocka_unit_test(items_before_a_bad_one_hold),
        cmocka_unit_test(secure_is_all_levels_of_hardening),
        cmocka_unit_test(options_that_contradict_each_other_are_refused),
        cmocka_unit_test(the_environment_is_applied_and_bad_items_are_told),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
