/* SPDX-License-Identifier: MIT */
/* What the run of an exported program says of a finding. The argument is the folder of the
 * mutants. */
#include "harness/program/confirm.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *folder;
static char work[PATH_MAX];

static enum confirmation run_often(const char *subject, enum check check, const char *body,
                                   unsigned runs)
{
    char source[PATH_MAX];
    snprintf(source, sizeof source, "%.2000s/program.c", work);
    FILE *file = fopen(source, "w");
    assert_non_null(file);
    fprintf(file, "#include <stdio.h>\n#include <stdlib.h>\nint main(void)\n{\n    %s\n}\n", body);
    assert_int_equal(fclose(file), 0);
    const struct confirm_request request = {.subject = subject,
                                            .source = source,
                                            .is_hang = check == CHECK_PROGRESS,
                                            .runs = runs,
                                            .cpu_limit_s = 1};
    return confirm_by_program(&request);
}

static enum confirmation run(const char *subject, enum check check, const char *body)
{
    return run_often(subject, check, body, 0);
}

/* Over an allocator without bugs: only the program's own end counts. */
static enum confirmation run_preloaded(enum check check, const char *body)
{
    char subject[PATH_MAX];
    snprintf(subject, sizeof subject, "%s/libheap_none.so", folder);
    return run(subject, check, body);
}

static void the_status_says_whether_it_shows(void **state)
{
    (void)state;
    assert_int_equal(run("glibc", CHECK_CONTENT, "return 0;"), CONFIRM_NO);
    assert_int_equal(run("glibc", CHECK_CONTENT, "return 1;"), CONFIRM_YES);
    assert_int_equal(run("glibc", CHECK_CONTENT, "return 2;"), CONFIRM_UNKNOWN);
    assert_int_equal(run("glibc", CHECK_CONTENT, "return;;)"), CONFIRM_UNKNOWN);
}

/* The program leaves a file behind, and shows it when it finds one. */
static void a_race_is_looked_for_in_several_runs(void **state)
{
    char body[2 * PATH_MAX];
    (void)state;
    snprintf(body, sizeof body,
             "FILE *file = fopen(\"%.2000s/seen\", \"r\"); if (file != NULL) return 1;"
             "fopen(\"%.2000s/seen\", \"w\"); return 0;",
             work, work);
    assert_int_equal(run_often("glibc", CHECK_CONTENT, body, 2), CONFIRM_YES);
    assert_int_equal(run_often("glibc", CHECK_CONTENT, "return 0;", 3), CONFIRM_NO);
}

static void what_cannot_be_run_tells_nothing(void **state)
{
    (void)state;
    const struct confirm_request missing = {.subject = "glibc", .source = "/nonexistent.c"};
    assert_int_equal(confirm_by_program(&missing), CONFIRM_UNKNOWN);
    assert_int_equal(run("/nonexistent.so", CHECK_CONTENT, "return 1;"), CONFIRM_UNKNOWN);
}

static void a_death_shows_it_unless_the_program_dies_on_the_libc_too(void **state)
{
    (void)state;
    assert_int_equal(
        run_preloaded(CHECK_CONTENT, "if (getenv(\"LD_PRELOAD\") != NULL) abort(); return 0;"),
        CONFIRM_YES);
    assert_int_equal(run_preloaded(CHECK_CONTENT, "abort();"), CONFIRM_UNKNOWN);
    assert_int_equal(run_preloaded(CHECK_CRASH, "abort();"), CONFIRM_UNKNOWN);
    assert_int_equal(run("glibc", CHECK_CRASH, "abort();"), CONFIRM_YES);
}

static void a_program_without_end_shows_a_hang_only_if_it_ends_on_the_libc(void **state)
{
    (void)state;
    assert_int_equal(
        run_preloaded(CHECK_PROGRESS, "while (getenv(\"LD_PRELOAD\") != NULL) ; return 0;"),
        CONFIRM_YES);
    assert_int_equal(run_preloaded(CHECK_PROGRESS, "for (;;) ;"), CONFIRM_UNKNOWN);
    assert_int_equal(run_preloaded(CHECK_RECOVERY, "for (;;) ;"), CONFIRM_UNKNOWN);
}

int main(int argc, char **argv)
{
    const char *base = getenv("TMPDIR");
    folder = argc > 1 ? argv[1] : NULL;
    snprintf(work, sizeof work, "%.2000s/mallet-program-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(work) == NULL)
        return 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_says_whether_it_shows),
        cmocka_unit_test(a_death_shows_it_unless_the_program_dies_on_the_libc_too),
        cmocka_unit_test(a_race_is_looked_for_in_several_runs),
        cmocka_unit_test(what_cannot_be_run_tells_nothing),
        cmocka_unit_test(a_program_without_end_shows_a_hang_only_if_it_ends_on_the_libc),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[2 * PATH_MAX];
    snprintf(command, sizeof command, "rm -r '%s'", work);
    return system(command) != 0 ? 2 : failed;
}
