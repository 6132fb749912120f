/* SPDX-License-Identifier: MIT */
/* Findings as files and as JSON: what is written is read again, and a document that cannot be built
 * leaves no file behind. */
#include "harness/base/text.h"
#include "mallet/report.h"

#include "harness/cli/cli.h"
#include "harness/finding/finding_json.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char work[PATH_MAX];
static struct trace_op ops[] = {{.kind = OP_MALLOC, .size = 48}, {.kind = OP_FREE}};

static struct finding make(const char *check, const char *site)
{
    const struct verdict verdict = {.check = check_find(check), .op = 1};
    struct finding finding;
    finding_make(&finding, "libx.so", &verdict, "its last\twords");
    text_copy_printable(finding.site, sizeof finding.site, site);
    text_copy_printable(finding.sentence, sizeof finding.sentence, "byte 3 is 7");
    finding.trace = (struct trace){.ops = ops, .count = 2, .capacity = 2};
    finding.reproduced = 4;
    finding.attempts = 5;
    return finding;
}

static bool has_file(const char *name)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", work, name);
    return access(path, F_OK) == 0;
}

static void a_finding_is_read_as_it_was_written(void **state)
{
    struct finding finding = make("content", "free"), read;
    (void)state;
    json_t *object = report_finding_json(&finding);
    assert_non_null(object);
    assert_true(finding_from_json(&read, object));
    json_decref(object);
    assert_string_equal(read.subject, "libx.so");
    assert_string_equal(read.check, "content");
    assert_string_equal(read.site, "free");
    assert_string_equal(read.sentence, "byte 3 is 7");
    assert_string_equal(read.output, "its last?words");
    assert_int_equal(read.op, 1);
    assert_int_equal(read.reproduced, 4);
    assert_int_equal(read.attempts, 5);
    assert_non_null(strstr(read.program, "int main("));
    assert_string_equal(json_string_value(json_object_get(read.extra, "trace")),
                        "#0 = malloc 48\nfree #0\n");
    finding_done(&read);
}

static void a_clause_keeps_its_id_and_verdict(void **state)
{
    struct finding finding = {.op = VERDICT_NO_OP}, read;
    (void)state;
    strcpy(finding.check, "C23-7.24.3.1-p2-a");
    strcpy(finding.site, "fail");
    json_t *object = finding_to_json(&finding);
    assert_string_equal(json_string_value(json_object_get(object, "site")), "clause");
    assert_string_equal(json_string_value(json_object_get(object, "verdict")), "fail");
    assert_true(finding_from_json(&read, object));
    json_decref(object);
    assert_string_equal(read.site, "fail");
    assert_true(finding_is_clause(&read));
    finding_done(&read);
}

static void lines_give_one_finding_for_each_class(void **state)
{
    struct finding first = make("content", "free"), tried = first, other = make("errno", "malloc");
    size_t count;
    (void)state;
    first.reproduced = first.attempts = 1;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(finding_write_line(file, &first), 0);
    assert_int_equal(finding_write_line(file, &other), 0);
    assert_int_equal(finding_write_line(file, &tried), 0);
    fputs("{\"check\": \"content\", \"si", file); /* as a killed process leaves it */
    (void)fseek(file, 0, SEEK_SET);
    struct finding *findings = finding_read_lines(file, &count);
    fclose(file);
    assert_int_equal(count, 2);
    assert_string_equal(findings[0].check, "content");
    assert_int_equal(findings[0].attempts, 5);
    assert_string_equal(findings[1].check, "errno");
    finding_list_done(findings, count);
}

static void a_finding_is_saved_whole(void **state)
{
    struct finding finding = make("content", "free");
    char error[REPORT_ERROR_MAX];
    (void)state;
    assert_int_equal(report_save(work, &finding, error), 0);
    assert_true(has_file("content-free/finding.json"));
    assert_true(has_file("content-free/program.c"));
    assert_true(has_file("content-free/trace.trace"));
}

static void a_document_that_cannot_be_encoded_is_an_error(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_int_equal(cli_write_json(json_pack("{s:o}", "text", json_string_nocheck("\xff")), out),
                     ENOMEM);
    assert_int_equal(cli_write_json(NULL, out), ENOMEM);
    assert_int_equal(cli_write_json(json_object(), out), 0);
    fclose(out);
    free(text);
}

static void *no_memory(size_t size)
{
    (void)size;
    return NULL;
}

static void a_document_without_memory_leaves_no_file(void **state)
{
    struct finding finding = make("content", "malloc");
    char error[REPORT_ERROR_MAX] = "";
    (void)state;
    json_set_alloc_funcs(no_memory, free);
    int result = report_save(work, &finding, error);
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(result, ENOMEM);
    assert_non_null(strstr(error, "content-malloc/finding.json"));
    assert_true(has_file("content-malloc/trace.trace"));
    assert_false(has_file("content-malloc/finding.json"));
}

int main(void)
{
    const char *base = getenv("TMPDIR");
    char command[2 * PATH_MAX];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_is_read_as_it_was_written),
        cmocka_unit_test(a_clause_keeps_its_id_and_verdict),
        cmocka_unit_test(lines_give_one_finding_for_each_class),
        cmocka_unit_test(a_finding_is_saved_whole),
        cmocka_unit_test(a_document_that_cannot_be_encoded_is_an_error),
        cmocka_unit_test(a_document_without_memory_leaves_no_file),
    };
    snprintf(work, sizeof work, "%.2000s/mallet-report-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(work) == NULL)
        return 2;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -r '%s'", work);
    return system(command) != 0 ? 2 : failed;
}
