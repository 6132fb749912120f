/* SPDX-License-Identifier: MIT */
/* Baselines: what is read, what is refused and where, which failures are expected, which entries
 * are out of date, what is written. */
#include "conformance/baseline.h"

#include <errno.h>
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

static void comments_and_blank_lines_say_nothing(void **state)
{
    struct baseline baseline;
    (void)state;
    assert_int_equal(
        read_text(&baseline, "# a comment\n\n   \t\n  # another\nanvil " FIRST " fail\n"), 0);
    assert_int_equal(baseline.count, 1);
    baseline_done(&baseline);
}

static void an_entry_expects_its_verdict_of_its_clause_on_its_subject(void **state)
{
    struct baseline baseline;
    struct single single;
    (void)state;
    assert_int_equal(read_text(&baseline, "lib*.so " FIRST " fail  # reported upstream  \n"), 0);
    make_report(&single, "libx.so", FIRST, CLAUSE_FAIL);
    assert_string_equal(baseline_find(&baseline, "libx.so", &single.result), "reported upstream");
    assert_null(baseline_find(&baseline, "anvil", &single.result));
    single.result.verdict = CLAUSE_ERROR;
    assert_null(baseline_find(&baseline, "libx.so", &single.result));
    make_report(&single, "libx.so", SECOND, CLAUSE_FAIL);
    assert_null(baseline_find(&baseline, "libx.so", &single.result));
    baseline_done(&baseline);
}

static void a_malformed_line_is_refused_with_its_number(void **state)
{
    static const char *const lines[] = {"anvil\n", "anvil " FIRST "\n",
                                        "anvil " FIRST " fail because\n", "anvil " FIRST " pass\n",
                                        "anvil " FIRST " broken # x\n"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct baseline baseline;
        char text[256], place[64];
        snprintf(text, sizeof text, "# comment\n%s", lines[i]);
        snprintf(place, sizeof place, "%s:2: ", path);
        assert_int_equal(read_text(&baseline, text), EINVAL);
        assert_non_null(strstr(error, place));
        baseline_done(&baseline);
    }
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
    struct baseline baseline;
    (void)state;
    assert_int_equal(baseline_read(&baseline, "/nonexistent/baseline", error), ENOENT);
    assert_non_null(strstr(error, "/nonexistent/baseline"));
    baseline_done(&baseline);
    assert_int_equal(baseline_read(&baseline, "/tmp", error), EISDIR);
    baseline_done(&baseline);
}

static bool is_outdated(const char *entry, const char *subject, const char *clause,
                        enum clause_verdict verdict, char *ret_news)
{
    struct baseline baseline;
    struct single single;
    assert_int_equal(read_text(&baseline, entry), 0);
    bool answer = baseline_is_outdated(&baseline.entries[0],
                                       make_report(&single, subject, clause, verdict), ret_news);
    baseline_done(&baseline);
    return answer;
}

static void an_entry_whose_clause_passes_now_is_outdated(void **state)
{
    char news[BASELINE_NEWS_MAX];
    (void)state;
    assert_true(is_outdated("anvil " FIRST " fail\n", "anvil", FIRST, CLAUSE_PASS, news));
    assert_string_equal(news, "no longer applies: anvil " FIRST " fail: the verdict is pass");
    assert_false(is_outdated("anvil " FIRST " fail\n", "anvil", FIRST, CLAUSE_FAIL, news));
}

static void an_entry_without_such_a_clause_is_outdated(void **state)
{
    char news[BASELINE_NEWS_MAX];
    (void)state;
    assert_true(is_outdated("anvil C99-0 fail\n", "anvil", FIRST, CLAUSE_PASS, news));
    assert_non_null(strstr(news, "there is no such clause"));
}

static void what_the_report_does_not_cover_is_not_judged(void **state)
{
    char news[BASELINE_NEWS_MAX];
    (void)state;
    assert_false(is_outdated("glibc " FIRST " fail\n", "anvil", FIRST, CLAUSE_PASS, news));
    assert_false(is_outdated("anvil " SECOND " fail\n", "anvil", FIRST, CLAUSE_PASS, news));
    assert_false(is_outdated("anvil " FIRST " fail\n", "anvil", FIRST, CLAUSE_UNSUPPORTED, news));
}

static void what_is_written_expects_what_was_seen(void **state)
{
    struct baseline baseline;
    struct single single;
    (void)state;
    const struct conform_report *report = make_report(&single, "my lib.so", FIRST, CLAUSE_FAIL);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(baseline_write(file, report), 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(baseline_read(&baseline, path, error), 0);
    assert_int_equal(baseline.count, 1);
    assert_string_equal(baseline_find(&baseline, "my lib.so", &single.result),
                        "expected a block, observed NULL");
    baseline_done(&baseline);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_blank_lines_say_nothing),
        cmocka_unit_test(an_entry_expects_its_verdict_of_its_clause_on_its_subject),
        cmocka_unit_test(a_malformed_line_is_refused_with_its_number),
        cmocka_unit_test(a_file_that_cannot_be_read_is_refused),
        cmocka_unit_test(an_entry_whose_clause_passes_now_is_outdated),
        cmocka_unit_test(an_entry_without_such_a_clause_is_outdated),
        cmocka_unit_test(what_the_report_does_not_cover_is_not_judged),
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
