/* SPDX-License-Identifier: MIT */
/* What targets know of the classes found so far. */
#include "fuzz/findings.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_LENGTH_MAX = 512, HASHES = 4096 };

static char folder[64];

static struct trace_op ops[] = {{.kind = OP_MALLOC, .slot = 0, .size = 40},
                                {.kind = OP_VALLOC, .slot = 1, .size = 5000}};
static const struct trace trace = {.ops = ops, .count = 2, .capacity = 2};
static const struct verdict overlap = {
    .check = CHECK_OVERLAP, .op = 1, .site = "valloc", .sentence = "two in one place"};
static const struct verdict crash = {
    .check = CHECK_CRASH, .op = 1, .site = "valloc", .sentence = "it died"};

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "findings_test.XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    char path[PATH_LENGTH_MAX];
    DIR *open_folder = opendir(folder);
    for (struct dirent *entry = readdir(open_folder); entry != NULL; entry = readdir(open_folder)) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    closedir(open_folder);
    return rmdir(folder);
}

static void read_saved(const char *name, char *ret_text, size_t capacity)
{
    char path[PATH_LENGTH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    ret_text[fread(ret_text, 1, capacity - 1, file)] = '\0';
    fclose(file);
}

static void a_saved_class_is_known_and_has_a_file(void **state)
{
    (void)state;
    char text[1024];
    findings_open(folder);
    assert_false(findings_is_known(&overlap));
    findings_save(&overlap, &trace, "a note");
    assert_true(findings_is_known(&overlap));
    read_saved("overlap-valloc.trace", text, sizeof(text));
    assert_string_equal(text, "# found-by: mallet fuzz\n# check: overlap\n# site: valloc\n# "
                              "sentence: two in one place\n# note: a note\n"
                              "#0 = malloc 40\n#1 = valloc 5000\n");
}

static void another_process_knows_what_is_in_the_folder(void **state)
{
    (void)state;
    findings_open(folder);
    findings_save(&overlap, &trace, NULL);
    findings_open(folder);
    assert_true(findings_is_known(&overlap));
    assert_false(findings_is_known(&crash));
}

static void the_first_file_of_a_class_stays(void **state)
{
    (void)state;
    char text[1024];
    const struct trace shorter = {.ops = ops, .count = 1, .capacity = 1};
    findings_open(folder);
    findings_save(&overlap, &trace, NULL);
    findings_save(&overlap, &shorter, NULL);
    read_saved("overlap-valloc.trace", text, sizeof(text));
    assert_non_null(strstr(text, "valloc 5000"));
}

static void most_inputs_run_muted_and_some_do_not(void **state)
{
    (void)state;
    unsigned muted = 0;
    findings_open(NULL);
    findings_save(&overlap, &trace, NULL);
    for (uint32_t i = 0; i < HASHES; i++) {
        uint32_t mask = findings_muted(findings_hash((const uint8_t *)&i, sizeof(i)));
        assert_int_equal(mask & ~(UINT32_C(1) << CHECK_OVERLAP), 0);
        muted += mask != 0;
    }
    assert_in_range(muted, HASHES / 2, HASHES * 3 / 4);
}

static void a_known_class_that_leaves_the_heap_intact_is_muted_at_its_site(void **state)
{
    (void)state;
    const struct verdict error = {.check = CHECK_ERRNO, .site = "free@fail-os"};
    struct run_options options = {0};
    findings_open(NULL);
    findings_save(&overlap, &trace, NULL);
    findings_save(&error, &trace, NULL);
    findings_mute_classes(&options);
    assert_int_equal(options.muted_class_count, 1);
    assert_int_equal(options.muted_classes[0].check, CHECK_ERRNO);
    assert_string_equal(options.muted_classes[0].site, "free@fail-os");
    assert_int_equal(options.muted, 0);
}

/* A file has no more than the name of its class. */
static void a_class_of_the_folder_is_muted_once_it_was_hit(void **state)
{
    (void)state;
    const struct verdict error = {.check = CHECK_ERRNO, .site = "free@fail-os"};
    struct run_options options;
    findings_open(folder);
    findings_save(&error, &trace, NULL);
    findings_open(folder);
    findings_mute_classes(&options);
    assert_int_equal(options.muted_class_count, 0);
    findings_hit(&error, &trace);
    findings_mute_classes(&options);
    assert_int_equal(options.muted_class_count, 1);
}

static void an_op_that_keeps_crashing_is_left_out_of_most_inputs(void **state)
{
    (void)state;
    unsigned left_out = 0;
    findings_open(NULL);
    findings_save(&crash, &trace, NULL);
    for (int hit = 0; hit < 100; hit++)
        findings_hit(&crash, &trace);
    for (uint32_t i = 0; i < HASHES; i++) {
        struct trace_op copy[2] = {ops[0], ops[1]};
        struct trace given = {.ops = copy, .count = 2, .capacity = 2};
        findings_avoid(&given, findings_hash((const uint8_t *)&i, sizeof(i)));
        assert_int_equal(given.ops[0].kind, OP_MALLOC);
        left_out += given.count == 1;
    }
    assert_in_range(left_out, HASHES / 2, HASHES * 7 / 8);
}

static void a_class_name_is_a_plain_file_name(void **state)
{
    (void)state;
    const struct verdict verdict = {.check = CHECK_ERRNO, .site = "free@fail-os"},
                         worst = {.check = CHECK_COUNT, .site = "../a b"};
    char name[VERDICT_CLASS_MAX];
    verdict_class_name(&verdict, name);
    assert_string_equal(name, "errno-free_fail-os");
    verdict_class_name(&worst, name);
    assert_string_equal(name, "unknown-___a_b");
}

static void statistics_are_lines_of_key_and_value(void **state)
{
    (void)state;
    char text[1024], name[64];
    uint8_t features[RUN_FEATURES] = {[3] = 1, [700] = 9};
    findings_open(folder);
    findings_count(features);
    findings_count(features);
    findings_flush();
    snprintf(name, sizeof(name), "stats-%d", (int)getpid());
    read_saved(name, text, sizeof(text));
    assert_non_null(strstr(text, "executions=2\nfeatures=2\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_saved_class_is_known_and_has_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_process_knows_what_is_in_the_folder, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_first_file_of_a_class_stays, set_up, tear_down),
        cmocka_unit_test(a_class_name_is_a_plain_file_name),
        cmocka_unit_test(most_inputs_run_muted_and_some_do_not),
        cmocka_unit_test(a_known_class_that_leaves_the_heap_intact_is_muted_at_its_site),
        cmocka_unit_test_setup_teardown(a_class_of_the_folder_is_muted_once_it_was_hit, set_up,
                                        tear_down),
        cmocka_unit_test(an_op_that_keeps_crashing_is_left_out_of_most_inputs),
        cmocka_unit_test_setup_teardown(statistics_are_lines_of_key_and_value, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
