/* SPDX-License-Identifier: MIT */
/* What is typed as a subject, and what it becomes. In a folder of the test's own, so that names of
 * files can be typed too. */
#include "harness/subject/subject_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const files[] = {"anvil-broken.so", "anvilish", "plain.so", "libhoard.so.1",
                                    "mallet-conform-other"};
enum { FILES = sizeof files / sizeof files[0] };

static char folder[] = "/tmp/mallet-subject-XXXXXX";

static struct subject_plan resolve(const char *typed, enum subject_binding wanted,
                                   enum subject_scope scope)
{
    struct subject_plan plan;
    char error[SUBJECT_ERROR_MAX];
    if (subject_resolve(&plan, typed, wanted, scope, error) != 0)
        fail_msg("%s", error);
    return plan;
}

static void assert_refused(const char *typed, enum subject_binding wanted, int result,
                           const char *sentence)
{
    struct subject_plan plan;
    char error[SUBJECT_ERROR_MAX] = "";
    assert_int_equal(subject_resolve(&plan, typed, wanted, SUBJECT_IN_PROCESS, error), result);
    if (strstr(error, sentence) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error, sentence);
}

static void anvil_is_static_whatever_is_asked_for(void **state)
{
    (void)state;
    struct subject_plan plan = resolve("anvil:fit:best", BIND_PRELOAD, SUBJECT_WHOLE_PROCESS);
    assert_int_equal(plan.binding, BIND_STATIC);
    assert_string_equal(plan.name, "anvil:fit:best");
    assert_string_equal(plan.what, "fit:best");
    assert_string_equal(plan.environment, "ANVIL_OPTIONS=fit:best");
    assert_string_equal(plan.suffix, "-anvil");
    assert_null(subject_plan_preload(&plan));
}

static void file_whose_name_begins_with_anvil_is_not_anvil(void **state)
{
    (void)state;
    static const char *const typed[] = {"anvil-broken.so", "./anvil-broken.so", "anvilish"};
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        struct subject_plan plan = resolve(typed[i], BIND_AUTO, SUBJECT_IN_PROCESS);
        assert_null(subject_anvil_options(typed[i]));
        assert_int_equal(plan.binding, BIND_DLOPEN);
        assert_string_equal(plan.suffix, "");
        assert_string_equal(plan.environment, "");
    }
}

static void name_in_this_folder_is_a_path(void **state)
{
    (void)state;
    struct subject_plan plan = resolve("plain.so", BIND_AUTO, SUBJECT_IN_PROCESS);
    assert_string_equal(plan.spec, "./plain.so");
    assert_string_equal(plan.what, "./plain.so");
    assert_string_equal(plan.name, "plain.so");
}

static void whole_process_preloads_a_file(void **state)
{
    (void)state;
    struct subject_plan plan = resolve("./plain.so", BIND_AUTO, SUBJECT_WHOLE_PROCESS), whole;
    assert_int_equal(plan.binding, BIND_PRELOAD);
    assert_string_equal(subject_plan_preload(&plan), "./plain.so");
    plan = resolve("./plain.so", BIND_DLOPEN, SUBJECT_WHOLE_PROCESS);
    assert_int_equal(plan.binding, BIND_DLOPEN);
    assert_null(subject_plan_preload(&plan));
    assert_true(subject_plan_whole_process(&plan, &whole));
    assert_string_equal(subject_plan_preload(&whole), "./plain.so");
}

static void whole_process_keeps_the_options_of_anvil(void **state)
{
    (void)state;
    struct subject_plan plan = resolve("anvil:fit:best", BIND_AUTO, SUBJECT_IN_PROCESS), whole;
    subject_plan_whole_process(&plan, &whole);
    assert_int_equal(whole.binding, BIND_PRELOAD);
    assert_string_equal(whole.name, "anvil:fit:best");
    assert_string_equal(whole.environment, "ANVIL_OPTIONS=fit:best");
    assert_string_equal(whole.suffix, "");
    assert_non_null(strstr(subject_plan_preload(&whole), "/libanvil.so"));
}

static void file_of_a_known_allocator_is_bound_as_the_catalog_says(void **state)
{
    (void)state;
    assert_int_equal(resolve("./libhoard.so.1", BIND_AUTO, SUBJECT_IN_PROCESS).binding,
                     BIND_PRELOAD);
    assert_int_equal(resolve("./libhoard.so.1", BIND_DLMOPEN, SUBJECT_IN_PROCESS).binding,
                     BIND_DLMOPEN);
}

static void libc_is_the_host_in_every_scope(void **state)
{
    (void)state;
    struct subject_plan plan = resolve("glibc", BIND_AUTO, SUBJECT_WHOLE_PROCESS), whole;
    assert_int_equal(plan.binding, BIND_HOST);
    assert_true(subject_plan_whole_process(&plan, &whole));
    assert_int_equal(whole.binding, BIND_HOST);
    assert_null(subject_plan_preload(&whole));
}

static void program_for_another_libc_is_its_own_child(void **state)
{
    (void)state;
    char program[PATH_MAX];
    struct subject_plan plan = resolve("./mallet-conform-other", BIND_AUTO, SUBJECT_IN_PROCESS);
    assert_int_equal(plan.binding, BIND_HOST);
    assert_string_equal(plan.name, "mallet-conform-other");
    assert_true(subject_plan_program(&plan, program));
    assert_string_equal(program, "./mallet-conform-other");
}

static void what_cannot_be_bound_so_is_refused(void **state)
{
    (void)state;
    assert_refused("nobody", BIND_AUTO, ENOENT, "unknown subject `nobody`");
    assert_refused("./nobody.so", BIND_AUTO, ENOENT, "could not bind ./nobody.so: No such file");
    assert_refused("./plain.so", BIND_STATIC, EINVAL, "only anvil is linked in");
    assert_refused("./plain.so", BIND_HOST, EINVAL, "cannot be bound as host");
    assert_refused("glibc", BIND_DLOPEN, EINVAL, "always bound as host here, not as dlopen");
    assert_refused("anvil", BIND_DLOPEN, EINVAL, "not as dlopen; name libanvil.so for that");
    assert_refused("anvil", BIND_PRELOAD, EINVAL, "always bound as static here, not as preload");
}

static int make_files(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    for (size_t i = 0; i < FILES; i++)
        close(open(files[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++)
        unlink(files[i]);
    return rmdir(folder);
}

static void capabilities_are_there_unless_they_are_lacking(void **state)
{
    (void)state;
    struct subject subject = {0};
    const char *word;
    int length;
    unsigned all = subject_offers(&subject);
    assert_int_equal(subject_parse_lacks("threads, errno", &subject.lacks, &word, &length), 0);
    assert_int_equal(all & ~subject_offers(&subject),
                     1u << SUBJECT_threads | 1u << SUBJECT_failure_errno);
    assert_false(subject_plan_serves_process(~(1u << SUBJECT_threads)));
    assert_true(subject_plan_serves_process(~(1u << SUBJECT_failure_errno)));
}

static void word_that_is_no_capability_is_named(void **state)
{
    (void)state;
    unsigned lacks = 7;
    const char *word;
    int length;
    assert_int_equal(subject_parse_lacks("cost,thread", &lacks, &word, &length), EINVAL);
    assert_int_equal(length, 6);
    assert_memory_equal(word, "thread", 6);
    assert_int_equal(lacks, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anvil_is_static_whatever_is_asked_for),
        cmocka_unit_test(file_whose_name_begins_with_anvil_is_not_anvil),
        cmocka_unit_test(name_in_this_folder_is_a_path),
        cmocka_unit_test(whole_process_preloads_a_file),
        cmocka_unit_test(whole_process_keeps_the_options_of_anvil),
        cmocka_unit_test(file_of_a_known_allocator_is_bound_as_the_catalog_says),
        cmocka_unit_test(libc_is_the_host_in_every_scope),
        cmocka_unit_test(program_for_another_libc_is_its_own_child),
        cmocka_unit_test(what_cannot_be_bound_so_is_refused),
        cmocka_unit_test(capabilities_are_there_unless_they_are_lacking),
        cmocka_unit_test(word_that_is_no_capability_is_named),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
