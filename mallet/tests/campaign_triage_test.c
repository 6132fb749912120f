/* SPDX-License-Identifier: MIT */
/* Which classes that a target saw become findings though no fresh process shows them. Without an
 * argument no foreign subject can be bound. */
#include "mallet/campaign_internal.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool can_bind;
static char work[PATH_MAX];

/* A class that glibc does not show. Returns how many findings come of it. */
static size_t triage(const char *check, const char *site)
{
    static struct campaign campaign;
    char path[PATH_MAX + 16], error[CAMPAIGN_ERROR_MAX];
    static const struct cli cli;
    struct cli_findings findings = {.cli = &cli};
    const struct campaign_options options = {.findings = &findings};
    if (!can_bind)
        skip();
    memset(&campaign, 0, sizeof campaign);
    campaign.options = &options;
    snprintf(campaign.output, sizeof campaign.output, "%.2000s", work);
    snprintf(campaign.subject_path, sizeof campaign.subject_path, "glibc");
    snprintf(campaign.subject_name, sizeof campaign.subject_name, "glibc");
    snprintf(path, sizeof path, "%s/raw/one.trace", work);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "# check: %s\n# site: %s\n# sentence: a sentence\n#0 = malloc 10\nfree #0\n",
            check, site);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(campaign_triage(&campaign, error), 0);
    assert_int_equal(cli_findings_close(&findings, EXIT_CLEAN), EXIT_CLEAN);
    return campaign.count;
}

static void growth_that_no_fresh_process_shows_is_dropped(void **state)
{
    (void)state;
    assert_int_equal(triage("footprint", "cycle"), 0);
    assert_int_equal(triage("recovery", "cycle"), 0);
}

static void other_classes_are_listed_all_the_same(void **state)
{
    (void)state;
    assert_int_equal(triage("content", "free"), 1);
    assert_int_equal(triage("recovery", "malloc"), 1);
}

int main(int argc, char **argv)
{
    (void)argv;
    can_bind = argc > 1;
    const char *base = getenv("TMPDIR");
    char command[2 * PATH_MAX];
    snprintf(work, sizeof work, "%.2000s/mallet-triage-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(work) == NULL)
        return 2;
    snprintf(command, sizeof command, "mkdir '%s/raw' '%s/findings'", work, work);
    if (system(command) != 0)
        return 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_that_no_fresh_process_shows_is_dropped),
        cmocka_unit_test(other_classes_are_listed_all_the_same),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -r '%s'", work);
    return system(command) != 0 ? 2 : failed;
}
