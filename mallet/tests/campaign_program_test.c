/* SPDX-License-Identifier: MIT */
/* What the run of an exported program says of a finding. The argument is the folder of the mutants
 * bugs; without it nothing can be preloaded. */
#include "mallet/campaign_internal.h"

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

static enum confirmation run(const char *subject, enum check check, const char *body)
{
    struct campaign campaign = {0};
    struct finding finding = {0};
    char source[PATH_MAX];
    snprintf(finding.check, sizeof finding.check, "%s", check_name(check));
    snprintf(source, sizeof source, "%.2000s/program.c", work);
    snprintf(campaign.output, sizeof campaign.output, "%.2000s", work);
    snprintf(campaign.subject_path, sizeof campaign.subject_path, "%s", subject);
    FILE *file = fopen(source, "w");
    assert_non_null(file);
    fprintf(file, "#include <stdlib.h>\nint main(void)\n{\n    %s\n}\n", body);
    assert_int_equal(fclose(file), 0);
    return campaign_run_program(&campaign, source, &finding);
}

/* Over an allocator without bugs: only the program's own end counts. */
static enum confirmation run_preloaded(enum check check, const char *body)
{
    char subject[PATH_MAX];
    if (folder == NULL)
        skip();
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
        cmocka_unit_test(a_program_without_end_shows_a_hang_only_if_it_ends_on_the_libc),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char source[PATH_MAX];
    snprintf(source, sizeof source, "%.2000s/program.c", work);
    unlink(source);
    rmdir(work);
    return failed;
}
