/* SPDX-License-Identifier: MIT */
/* Baselines: what is read, what is refused and where, which findings are expected, what is
 * written. */
#include "harness/base/text.h"
#include "harness/finding/baseline.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CLAUSE "C23-7.24.3.1-p2-a"

static char path[] = "/tmp/baseline_test_XXXXXX";
static char error[BASELINE_ERROR_MAX];

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int read_text(struct baseline *baseline, const char *text)
{
    *baseline = (struct baseline){0};
    write_text(text);
    return baseline_read(baseline, path, error);
}

static struct finding make_finding(const char *subject, const char *check, const char *site,
                                   const char *sentence)
{
    struct finding finding = {0};
    text_copy_printable(finding.subject, sizeof finding.subject, subject);
    text_copy_printable(finding.check, sizeof finding.check, check);
    text_copy_printable(finding.site, sizeof finding.site, site);
    text_copy_printable(finding.sentence, sizeof finding.sentence, sentence);
    return finding;
}

/* Why the text expects the finding; NULL: it does not. */
static const char *reason_of(const char *text, const char *subject, const char *check,
                             const char *site, const char *sentence)
{
    static char reason[256];
    struct baseline baseline;
    struct finding finding = make_finding(subject, check, site, sentence);
    assert_int_equal(read_text(&baseline, text), 0);
    const char *found = baseline_find(&baseline, &finding);
    snprintf(reason, sizeof reason, "%s", found != NULL ? found : "");
    baseline_done(&baseline);
    return found != NULL ? reason : NULL;
}

static void comments_and_blank_lines_say_nothing(void **state)
{
    struct baseline baseline;
    (void)state;
    assert_int_equal(read_text(&baseline, "# a comment\n\n   \t\n  # another\nmusl crash free\n"),
                     0);
    assert_int_equal(baseline.count, 1);
    baseline_done(&baseline);
}

static void entries_about_the_subject_that_met_nothing_are_stale(void **state)
{
    struct baseline baseline;
    struct finding finding = make_finding("musl", "crash", "free", "signal 11");
    (void)state;
    assert_int_equal(read_text(&baseline, "musl crash free\nmusl crash *\nmu* errno malloc\n"
                                          "glibc errno malloc\n"),
                     0);
    assert_int_equal(baseline_stale(&baseline, "musl"), 3);
    assert_non_null(baseline_find(&baseline, &finding));
    assert_int_equal(baseline_stale(&baseline, "musl"), 1);
    assert_int_equal(baseline_stale(&baseline, "glibc"), 1);
    baseline_done(&baseline);
}

/* What stands in the 256th byte and after it is the same comment still. */
static void the_tail_of_a_long_comment_is_no_entry(void **state)
{
    struct baseline baseline;
    char text[4096];
    (void)state;
    for (size_t length = 250; length < 300; length++) {
        memset(text, 'x', length);
        text[0] = '#';
        text[1] = ' ';
        snprintf(text + length, sizeof text - length, " musl crash free\nglibc errno malloc\n");
        assert_int_equal(read_text(&baseline, text), 0);
        assert_int_equal(baseline.count, 1);
        assert_string_equal(baseline.entries[0].subject, "glibc");
        baseline_done(&baseline);
    }
}

static void a_long_entry_is_read_whole(void **state)
{
    char text[2048] = "musl crash ", site[FINDING_SITE_MAX];
    (void)state;
    memset(site, 's', sizeof site - 1);
    site[sizeof site - 1] = '\0';
    memset(text + strlen(text), ' ', 1000);
    sprintf(text + strlen("musl crash ") + 1000, "%s  # the reason\n", site);
    assert_string_equal(reason_of(text, "musl", "crash", site, ""), "the reason");
}

static void an_entry_expects_its_check_at_its_site_of_its_subject(void **state)
{
    const char *entry = "lib*.so errno free*@fail-os  # reported upstream  \n";
    (void)state;
    assert_string_equal(reason_of(entry, "libx.so", "errno", "free_sized@fail-os", ""),
                        "reported upstream");
    assert_null(reason_of(entry, "anvil", "errno", "free@fail-os", ""));
    assert_null(reason_of(entry, "libx.so", "crash", "free@fail-os", ""));
    assert_null(reason_of(entry, "libx.so", "errno", "malloc@fail-os", ""));
}

static void a_known_allocator_is_meant_by_its_name_and_by_its_file(void **state)
{
    (void)state;
    const char *by_name = "jemalloc errno realloc", *by_file = "libjemalloc.so.2 errno realloc";
    assert_non_null(reason_of(by_name, "jemalloc", "errno", "realloc", ""));
    assert_non_null(reason_of(by_name, "libjemalloc.so.2", "errno", "realloc", ""));
    assert_non_null(reason_of(by_file, "jemalloc", "errno", "realloc", ""));
    assert_non_null(reason_of(by_file, "libjemalloc.so.2", "errno", "realloc", ""));
    assert_null(reason_of(by_file, "libjemalloc.so.1", "errno", "realloc", ""));
    assert_null(reason_of(by_file, "mimalloc", "errno", "realloc", ""));
    assert_null(reason_of(by_name, "libmimalloc.so.2", "errno", "realloc", ""));
}

static void an_entry_expects_the_verdict_of_a_clause(void **state)
{
    const char *entry = "anvil " CLAUSE " fail\n";
    (void)state;
    assert_string_equal(reason_of(entry, "anvil", CLAUSE, "fail", ""), "");
    assert_null(reason_of(entry, "anvil", CLAUSE, "error", ""));
    assert_null(reason_of(entry, "anvil", "C23-7.24.3.1-p2-d", "fail", ""));
}

static void a_sentence_hides_no_other_crash_at_the_same_site(void **state)
{
    const char *entry = "musl crash free | *signal 11*  # alignments of 2^32\n";
    (void)state;
    assert_string_equal(reason_of(entry, "musl", "crash", "free", "signal 11 in free"),
                        "alignments of 2^32");
    assert_null(reason_of(entry, "musl", "crash", "free", "signal 6 in free"));
    assert_non_null(reason_of("musl crash free | signal 6\n", "musl", "crash", "free", "signal 6"));
}

static void a_malformed_line_is_refused_with_its_number(void **state)
{
    static const char *const lines[] = {"anvil\n",
                                        "anvil crash\n",
                                        "anvil crash free because\n",
                                        "anvil crash  # free\n",
                                        "anvil crash free |\n",
                                        "anvil crash free |  # empty\n",
                                        ("anvil " CLAUSE " pass\n"),
                                        "anvil crush free\n",
                                        "anvil crash free signal | x\n"};
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
    struct baseline baseline = {0};
    (void)state;
    assert_int_equal(baseline_read(&baseline, "/nonexistent/baseline", error), ENOENT);
    assert_non_null(strstr(error, "/nonexistent/baseline"));
    assert_int_equal(baseline_read(&baseline, "/tmp", error), EISDIR);
    baseline_done(&baseline);
}

static void a_second_file_adds_its_entries(void **state)
{
    struct baseline baseline;
    (void)state;
    assert_int_equal(read_text(&baseline, "musl crash free\n"), 0);
    write_text("glibc errno malloc\n");
    assert_int_equal(baseline_read(&baseline, path, error), 0);
    assert_int_equal(baseline.count, 2);
    baseline_done(&baseline);
}

static void write_to_path(struct baseline *baseline)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    baseline_write(file, baseline);
    assert_int_equal(fclose(file), 0);
    baseline_done(baseline);
}

static void what_is_written_expects_what_was_seen(void **state)
{
    struct baseline baseline = {0};
    struct finding odd = make_finding("my [lib]*.so", "crash", "a b|c#d", "died | of # 11"),
                   clause = make_finding("anvil", CLAUSE, "fail", "observed NULL");
    (void)state;
    assert_int_equal(baseline_add(&baseline, &odd), 0);
    assert_int_equal(baseline_add(&baseline, &clause), 0);
    write_to_path(&baseline);
    assert_int_equal(baseline_read(&baseline, path, error), 0);
    assert_int_equal(baseline.count, 2);
    assert_string_equal(baseline_find(&baseline, &odd), "died | of # 11");
    assert_string_equal(baseline_find(&baseline, &clause), "observed NULL");
    baseline_done(&baseline);
}

static void entries_are_written_once_for_each_class_and_sorted(void **state)
{
    struct baseline baseline = {0};
    struct finding later = make_finding("musl", "crash", "free", "first"),
                   again = make_finding("musl", "crash", "free", "second"),
                   earlier = make_finding("glibc", "errno", "malloc", "third");
    (void)state;
    assert_int_equal(baseline_add(&baseline, &later), 0);
    assert_int_equal(baseline_add(&baseline, &again), 0);
    assert_int_equal(baseline_add(&baseline, &earlier), 0);
    write_to_path(&baseline);
    assert_int_equal(baseline_read(&baseline, path, error), 0);
    assert_int_equal(baseline.count, 2);
    assert_string_equal(baseline.entries[0].subject, "glibc");
    assert_string_equal(baseline.entries[1].reason, "first");
    baseline_done(&baseline);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_blank_lines_say_nothing),
        cmocka_unit_test(entries_about_the_subject_that_met_nothing_are_stale),
        cmocka_unit_test(the_tail_of_a_long_comment_is_no_entry),
        cmocka_unit_test(a_long_entry_is_read_whole),
        cmocka_unit_test(an_entry_expects_its_check_at_its_site_of_its_subject),
        cmocka_unit_test(a_known_allocator_is_meant_by_its_name_and_by_its_file),
        cmocka_unit_test(an_entry_expects_the_verdict_of_a_clause),
        cmocka_unit_test(a_sentence_hides_no_other_crash_at_the_same_site),
        cmocka_unit_test(a_malformed_line_is_refused_with_its_number),
        cmocka_unit_test(a_file_that_cannot_be_read_is_refused),
        cmocka_unit_test(a_second_file_adds_its_entries),
        cmocka_unit_test(what_is_written_expects_what_was_seen),
        cmocka_unit_test(entries_are_written_once_for_each_class_and_sorted),
    };
    int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 2;
    close(descriptor);
    int failed = cmocka_run_group_tests_name("baseline", tests, NULL, NULL);
    unlink(path);
    return failed;
}
