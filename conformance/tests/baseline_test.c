/* SPDX-License-Identifier: MIT */
/* Failures of the gate and baselines: what is written of them, and which entries are out of
 * date. */
#include "conformance/report_formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST  "C23-7.24.3.1-p2-a"
#define SECOND "C23-7.24.3.1-p2-d"

static char path[] = "/tmp/baseline_test_XXXXXX";
static char error[BASELINE_ERROR_MAX];

static int read_text(struct baseline *baseline, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    *baseline = (struct baseline){0};
    return baseline_read(baseline, path, error);
}

/* A report of one subject with one result. */
struct single {
    struct clause_result result;
    const char *known;
    struct report_column column;
    struct conform_report report;
};

static const struct conform_report *make_report(struct single *single, const char *subject,
                                                const char *clause, enum clause_verdict verdict)
{
    *single = (struct single){
        .result = {.clause = clauses_find(clause), .profiles = 1, .verdict = verdict}};
    snprintf(single->result.evidence, EVIDENCE_MAX, "expected a block, observed NULL");
    single->column = (struct report_column){.name = subject,
                                            .results = {.count = 1, .results = &single->result},
                                            .known = &single->known};
    single->report = (struct conform_report){.columns = &single->column, .count = 1, .profiles = 1};
    return &single->report;
}

static bool is_outdated(const char *entry, const char *subject, const char *clause,
                        enum clause_verdict verdict, char *ret_news)
{
    struct baseline baseline;
    struct single single;
    assert_int_equal(read_text(&baseline, entry), 0);
    bool answer = report_is_outdated(make_report(&single, subject, clause, verdict),
                                     &baseline.entries[0], ret_news);
    baseline_done(&baseline);
    return answer;
}

static void an_entry_whose_clause_passes_now_is_outdated(void **state)
{
    char news[REPORT_NEWS_MAX];
    (void)state;
    assert_true(is_outdated("anvil " FIRST " fail\n", "anvil", FIRST, CLAUSE_PASS, news));
    assert_string_equal(news, "no longer applies: anvil " FIRST " fail: the verdict is pass");
    assert_false(is_outdated("anvil " FIRST " fail\n", "anvil", FIRST, CLAUSE_FAIL, news));
}

static void an_entry_without_such_a_clause_is_outdated(void **state)
{
    char news[REPORT_NEWS_MAX];
    (void)state;
    assert_true(is_outdated("anvil C99-0 fail\n", "anvil", FIRST, CLAUSE_PASS, news));
    assert_non_null(strstr(news, "there is no such clause"));
}

static void what_the_report_does_not_cover_is_not_judged(void **state)
{
    char news[REPORT_NEWS_MAX];
    (void)state;
    assert_false(is_outdated("glibc " FIRST " fail\n", "anvil", FIRST, CLAUSE_PASS, news));
    assert_false(is_outdated("anvil " SECOND " fail\n", "anvil", FIRST, CLAUSE_PASS, news));
    assert_false(is_outdated("anvil " FIRST " fail\n", "anvil", FIRST, CLAUSE_UNSUPPORTED, news));
}

static void an_entry_about_a_check_is_not_judged(void **state)
{
    char news[REPORT_NEWS_MAX];
    (void)state;
    assert_false(is_outdated("anvil crash fail\n", "anvil", FIRST, CLAUSE_PASS, news));
}

static void what_is_written_expects_what_was_seen(void **state)
{
    struct baseline baseline = {0};
    struct single single;
    struct finding finding;
    (void)state;
    const struct conform_report *report = make_report(&single, "my lib.so", FIRST, CLAUSE_FAIL);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    report_make_finding(&finding, "my lib.so", &report->columns[0].results.results[0]);
    assert_int_equal(baseline_add(&baseline, &finding), 0);
    baseline_write(file, &baseline);
    baseline_done(&baseline);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(baseline_read(&baseline, path, error), 0);
    assert_int_equal(baseline.count, 1);
    assert_string_equal(baseline_find(&baseline, &finding), "expected a block, observed NULL");
    baseline_done(&baseline);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_whose_clause_passes_now_is_outdated),
        cmocka_unit_test(an_entry_without_such_a_clause_is_outdated),
        cmocka_unit_test(what_the_report_does_not_cover_is_not_judged),
        cmocka_unit_test(an_entry_about_a_check_is_not_judged),
        cmocka_unit_test(what_is_written_expects_what_was_seen),
    };
    int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 2;
    close(descriptor);
    clauses_load();
    int failed = cmocka_run_group_tests_name("baseline", tests, NULL, NULL);
    unlink(path);
    return failed;
}
