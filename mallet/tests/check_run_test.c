/* SPDX-License-Identifier: MIT */
/* What a check keeps of a step that is stopped. A step is this program again, as for `mallet` it is
 * mallet: called as `mallet`, it plays one that finds something and then hangs. */
#include "mallet/check_run.h"

#include "harness/cli/cli.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char work[PATH_MAX];
static const struct check_step step = {
    .name = "hanging", .commands = {"hang", "hang", "hang"}, .share = {50, 50, 50}};

static const char *option_value(int argc, char **argv, const char *option)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], option) == 0)
            return argv[i + 1];
    return NULL;
}

_Noreturn static void find_and_hang(int argc, char **argv)
{
    struct finding finding = {.op = VERDICT_NO_OP, .reproduced = 1, .attempts = 1};
    FILE *lines = fopen(option_value(argc, argv, "--findings"), "w");
    strcpy(finding.subject, "libx.so");
    strcpy(finding.check, "crash");
    strcpy(finding.site, "malloc");
    if (lines == NULL || finding_write_line(lines, &finding) != 0)
        _exit(2);
    strcpy(finding.check, "C23-7.24.3.1-p2-a");
    strcpy(finding.site, "error");
    (void)finding_write_line(lines, &finding);
    for (;;)
        pause();
}

static void a_step_that_is_stopped_hands_over_what_it_found(void **state)
{
    struct check_request request = {.output = work, .limit = 1, .end = check_now() + 1};
    struct check_result result;
    size_t count;
    (void)state;
    check_run(&request, &step, &result);
    assert_int_equal(result.status, EXIT_REFUSED);
    assert_non_null(strstr(result.sentence, "stopped: the 1 seconds are over"));
    struct finding *findings = check_findings(&request, &step, &count);
    assert_int_equal(count, 1); /* a probe that failed by itself is none */
    assert_string_equal(findings[0].check, "crash");
    assert_string_equal(findings[0].site, "malloc");
    finding_list_done(findings, count);
    check_result_done(&result);
}

static void a_step_without_a_file_found_nothing(void **state)
{
    struct check_request request = {.output = "/nonexistent"};
    size_t count = 1;
    (void)state;
    assert_null(check_findings(&request, &step, &count));
    assert_int_equal(count, 0);
}

int main(int argc, char **argv)
{
    if (strcmp(argv[0], "mallet") == 0)
        find_and_hang(argc, argv);
    const char *base = getenv("TMPDIR");
    char command[2 * PATH_MAX];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_that_is_stopped_hands_over_what_it_found),
        cmocka_unit_test(a_step_without_a_file_found_nothing),
    };
    snprintf(work, sizeof work, "%.2000s/mallet-check-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(work) == NULL)
        return 2;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -r '%s'", work);
    return system(command) != 0 ? 2 : failed;
}
