/* SPDX-License-Identifier: MIT */
/* Which findings come to one group, by traces and sentences alone. */
#include "harness/finding/group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPS_MAX = 16, FINDINGS_MAX = 8 };

static struct trace_op ops[FINDINGS_MAX][OPS_MAX];
static struct finding findings[FINDINGS_MAX];
static size_t count, groups[FINDINGS_MAX];

static int forget(void **state)
{
    (void)state;
    count = 0;
    return 0;
}

static void add(const char *check, const char *site, const char *trace, const char *sentence)
{
    struct finding *finding = &findings[count];
    struct trace_error error;
    *finding = (struct finding){.op = VERDICT_NO_OP, .reproduced = 1, .attempts = 1};
    snprintf(finding->check, sizeof finding->check, "%s", check);
    snprintf(finding->site, sizeof finding->site, "%s", site);
    snprintf(finding->sentence, sizeof finding->sentence, "%s", sentence);
    finding->trace = (struct trace){.ops = ops[count], .capacity = OPS_MAX};
    assert_int_equal(trace_parse(trace, strlen(trace), &finding->trace, &error), 0);
    count++;
}

static void add_trace(const char *check, const char *site, const char *trace)
{
    add(check, site, trace, "");
}

static void add_clause(const char *id, const char *sentence)
{
    add(id, "fail", "", sentence);
}

static void damage_to_plain_blocks_is_one_cause_under_every_check(void **state)
{
    (void)state;
    add_trace("content", "malloc", "#0 = malloc 1\n#1 = malloc 1\n");
    add_trace("crash", "free", "#0 = malloc 1\n#1 = malloc 1\nfree #0\n");
    add_trace("overlap", "malloc", "#0 = malloc 17\n");
    assert_int_equal(findings_group(findings, count, groups), 1);
}

static void what_a_trace_needs_tells_causes_apart(void **state)
{
    (void)state;
    add_trace("content", "malloc", "#0 = malloc 1\n#1 = malloc 1\n");
    add_trace("content", "realloc", "#0 = malloc 1\n#0 = realloc #0 2\n");
    add_trace("content", "malloc", "#0 = malloc 131072\n");
    add_trace("content", "malloc", "fail-os 1\n#0 = malloc 1\n");
    add_trace("content", "fork", "#0 = malloc 1\nfork\n");
    add_trace("content", "malloc", "#0 = malloc 1\nthread 1\n#1 = malloc 1\n");
    add_trace("alignment", "malloc", "#0 = malloc 1\n");
    assert_int_equal(findings_group(findings, count, groups), count);
}

static void a_finding_that_could_not_be_shrunk_joins_what_explains_its_function(void **state)
{
    (void)state;
    add_trace("alignment", "malloc", "#0 = malloc 8\n");
    add_trace("alignment", "memalign", "#0 = memalign 8192 1\n");
    add_trace("errno", "realloc", "#0 = malloc 1\n#0 = realloc #0 SIZE_MAX\n");
    add_trace("alignment", "calloc", "");
    add_trace("alignment", "posix_memalign", "");
    add_trace("errno", "calloc", "");
    assert_int_equal(findings_group(findings, count, groups), 4);
    assert_int_equal(groups[3], groups[0]);
    assert_int_equal(groups[4], groups[1]);
    assert_int_not_equal(groups[5], groups[2]);
}

static void functions_of_one_family_are_one_cause(void **state)
{
    (void)state;
    add_trace("alignment", "memalign", "#0 = memalign 8192 1\n");
    add_trace("alignment", "aligned_alloc", "#0 = aligned_alloc 8192 1\n");
    add_trace("errno", "realloc", "#0 = malloc 1\n#0 = realloc #0 SIZE_MAX\n");
    add_trace("errno", "reallocarray", "#0 = malloc 1\n#0 = reallocarray #0 2 PTRDIFF_MAX\n");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[0], groups[1]);
    assert_int_equal(groups[2], groups[3]);
}

static void a_clause_joins_the_trace_that_explains_it(void **state)
{
    (void)state;
    add_clause("C23-7.24.3.2-p3-a", "calloc(9, 2): expected NULL, observed 0x10");
    add_trace("impossible", "calloc", "#0 = calloc 2^33 2147483648\n");
    add_trace("alignment", "malloc", "#0 = malloc 17\n#1 = malloc 16\n");
    add_clause("C23-7.24.3-p1-d", "malloc(17): expected a multiple of 16, observed 0x18");
    add_clause("C23-7.24.3.7-p4-c", "realloc of malloc(1) to 24: expected a multiple of 16, ...");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[0], groups[1]);
    assert_int_equal(groups[2], groups[3]);
    assert_int_equal(groups[2], groups[4]);
}

static void a_clause_about_another_function_stays_alone(void **state)
{
    (void)state;
    add_trace("impossible", "calloc", "#0 = calloc 2^33 2147483648\n");
    add_clause("C23-7.24.3.7-p3-f", "realloc(p, 9): expected NULL, observed 0x10");
    add_clause("C23-7.24.3.1-p2-a", "aligned_alloc(8, 8): expected a multiple of 8, observed 0x1");
    assert_int_equal(findings_group(findings, count, groups), 3);
}

static void a_death_joins_damage_wherever_it_strikes(void **state)
{
    (void)state;
    add_trace("content", "malloc", "#0 = malloc 1\n#1 = malloc 1\n");
    add_clause("POSIX17-thread-2",
               "memalign(64, 9): expected to return, the process died of signal 11");
    add("crash", "torture/churn", "", "thread 1 died of signal 11");
    add("crash", "growth/cycles", "", "in round 1 the process died of signal 11");
    add("progress", "torture/churn", "", "no call returns");
    assert_int_equal(findings_group(findings, count, groups), 1);
}

static void hangs_of_clauses_are_one_cause(void **state)
{
    (void)state;
    add_clause("C23-7.24.3-p1-b",
               "malloc(1): expected to return, the process used 5000 ms of CPU time in it");
    add_clause("C23-7.24.3.2-p2-a",
               "malloc(9): expected to return, the process used 1000 ms of CPU time in it");
    add_clause("POSIX17-malloc-5", "malloc(64): expected to return, the process stood still for 10 "
                                   "seconds without a running thread");
    assert_int_equal(findings_group(findings, count, groups), 1);
}

static void a_deadlock_is_no_consequence_of_damage(void **state)
{
    (void)state;
    add_trace("content", "malloc", "#0 = malloc 1\n#1 = malloc 1\n");
    add("progress", "torture/opposite-reallocs", "",
        "no call returns: 8 of 8 threads are blocked, which used 0 ms of CPU in 3 turns;");
    add_clause("POSIX17-malloc-5", "malloc(64): expected to return, the process stood still for 10 "
                                   "seconds without a running thread");
    assert_int_equal(findings_group(findings, count, groups), 2);
}

static void a_call_that_must_fail_explains_only_its_function(void **state)
{
    (void)state;
    add_trace("crash", "realloc", "#0 = malloc 20449\n#0 = realloc #0 SIZE_MAX\n");
    add_clause("POSIX17-realloc-1", "realloc(p, 9): expected NULL, the process died of signal 11");
    add("crash", "growth/fill_lifo/64", "", "at 4096 blocks the process died of signal 11");
    add("overlap", "torture/mix", "", "0x10 lies in a live block");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[1], groups[0]);
    assert_int_equal(groups[3], groups[2]);
}

static void a_request_that_may_be_refused_explains_no_ordinary_one(void **state)
{
    (void)state;
    add_trace("crash", "malloc", "#0 = malloc 2^34\n");
    add_clause("POSIX17-malloc-1", "malloc(9223372036854775808): the process died of signal 11");
    add_clause("POSIX17-thread-1",
               "malloc(288): expected to return, the process died of signal 11");
    add("content", "torture/churn", "", "byte 7 of a block at 0x55ee3ad40020 changed");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[1], groups[0]);
}

/* The last two have a cause that no trace shows. */
static void what_a_trace_needs_must_be_there_in_what_it_explains(void **state)
{
    (void)state;
    add_trace("content", "malloc", "#0 = malloc 1\nsbrk 64\n#1 = malloc 1\n");
    add_trace("crash", "malloc", "fail-os 1\n#0 = malloc 1\n");
    add_trace("crash", "memalign", "#0 = memalign 0 9\n");
    add_trace("crash", "fork", "#0 = malloc 1\nfork\n");
    add("crash", "torture/mix", "", "thread 1 died of signal 11");
    add_clause("C23-7.24.3-p1-g", "malloc(64): expected to return, the process died of signal 11");
    assert_int_equal(findings_group(findings, count, groups), 5);
    assert_int_equal(groups[5], groups[4]);
}

static void a_fork_that_hangs_is_no_consequence_of_a_call_that_does(void **state)
{
    (void)state;
    add_trace("progress", "malloc", "#0 = malloc 2^48+16\n");
    add_trace("content", "malloc", "#0 = malloc 1\n#1 = malloc 1\n");
    add_clause("GLIBC-fork-1", "malloc in a child: expected a block, observed a deadlock");
    assert_int_equal(findings_group(findings, count, groups), 3);
}

static void a_call_that_exits_has_died_and_sizes_are_no_growth(void **state)
{
    (void)state;
    add("crash", "malloc", "fail-os 1\n#0 = malloc 1\n", "`#0 = malloc 1` called exit(12)");
    add_clause("POSIX17-malloc-1", "malloc(64) with 2 MiB of address space left: expected NULL, "
                                   "the process called exit(12)");
    add_trace("content", "realloc", "#0 = malloc 1\n#0 = realloc #0 2\n");
    add_clause("C23-7.24.3.7-p3-g", "realloc(malloc(9), 8) with 64 MiB more, which returned NULL: "
                                    "expected the bytes as they were written, observed others");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[1], groups[0]);
    assert_int_equal(groups[3], groups[2]);
}

static void damage_by_threads_is_one_cause(void **state)
{
    (void)state;
    add_clause("C23-7.1.4-p5-a", "free of a block of 454 bytes: expected the bytes written");
    add_clause("POSIX17-thread-2", "realloc of a block of 281 bytes: expected the bytes written");
    add_clause("C23-7.24.3-p2-c", "malloc at 0x10: expected allocations and releases to alternate");
    add("overlap", "torture/mix", "", "0x10 lies in a live block");
    add_clause("C23-7.24.3.2-p2-a", "calloc(1, 9): expected zeros, observed byte 3 is 1");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[3], groups[0]);
}

static void the_errno_of_free_is_another_cause_than_that_of_failures(void **state)
{
    (void)state;
    add_trace("errno", "free", "#0 = malloc 1025\nfail-os 1\nfree #0\n");
    add_clause("POSIX17-malloc-2", "malloc(9): expected NULL with errno 12, observed NULL with 22");
    add_clause("POSIX24-free-5", "free of 100 bytes: expected errno kept, observed errno 12");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[2], groups[0]);
}

static void a_realloc_of_what_cannot_fit_asks_malloc(void **state)
{
    (void)state;
    add_trace("impossible", "malloc", "#0 = malloc 2^47\n");
    add_clause("C23-7.24.3.7-p3-f", "realloc(malloc(100), 9): expected NULL, observed 0x10");
    add_clause("C23-7.24.3.2-p3-a", "calloc(9, 2): expected NULL, observed 0x10");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[1], groups[0]);
}

static void a_needless_failure_and_its_errno_are_one_cause(void **state)
{
    (void)state;
    add_trace("null", "reallocarray", "#0 = reallocarray NULL 1 1\n");
    add_trace("errno", "reallocarray", "#0 = reallocarray NULL 1 1\n");
    add_trace("errno", "calloc", "#0 = calloc 2^60 8\n");
    add_clause("C23-7.24.3-p1-d", "reallocarray(p, 1, 9): expected a block, observed NULL with 0");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[1], groups[0]);
    assert_int_equal(groups[3], groups[0]);
}

static void what_fails_always_fails_after_a_refusal_too(void **state)
{
    (void)state;
    add_trace("null", "memalign", "#0 = memalign 1 1\n");
    add_trace("recovery", "aligned_alloc", "fail-os 1\n#0 = malloc 1\n#1 = aligned_alloc 1 1\n");
    snprintf(findings[1].sentence, sizeof findings[1].sentence,
             "aligned_alloc(1, 1) failed with only 0 bytes live: an OS call had failed earlier");
    assert_int_equal(findings_group(findings, count, groups), 1);
}

static void to_give_up_by_exit_is_no_damage(void **state)
{
    (void)state;
    add("crash", "malloc", "#0 = malloc 1000000\n", "`#0 = malloc 1000000` called exit(0)");
    add_trace("crash", "free", "#0 = malloc 1000000\nfree #0\n");
    add_clause("C23-7.24.3.6-p2-a", "malloc(9): expected to return, the process called exit(0)");
    add_clause("C23-7.24.3.3-p2-a", "free: expected to return, the process died of signal 11");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[2], groups[0]);
    assert_int_equal(groups[3], groups[1]);
}

static void costs_of_other_functions_are_other_causes(void **state)
{
    (void)state;
    add("footprint", "growth/realloc_append", "", "512 MiB");
    add("footprint", "growth/calloc_large", "", "512 MiB");
    add("footprint", "growth/cycles", "", "512 MiB");
    add("footprint", "growth/comb", "", "512 MiB");
    add("scaling", "growth/fill_lifo", "", "2 us at 1000, 4 us at 2000");
    assert_int_equal(findings_group(findings, count, groups), 4);
    assert_int_equal(groups[2], groups[3]);
}

static void a_clause_that_says_nothing_more_is_a_cause_of_its_own(void **state)
{
    (void)state;
    add_clause("GLIBC-replace-2", "expected all of it, observed pvalloc of libc.so.6");
    add_clause("GLIBC-replace-3", "expected all of it, observed valloc of libc.so.6");
    assert_int_equal(findings_group(findings, count, groups), 2);
}

static void a_clause_never_joins_two_traces(void **state)
{
    (void)state;
    add_trace("errno", "calloc", "#0 = calloc 1 SIZE_MAX\n");
    add_trace("errno", "realloc", "#0 = malloc 1\n#0 = realloc #0 SIZE_MAX\n");
    add_clause("POSIX17-calloc-1",
               "calloc(1, 2) and realloc: expected NULL with errno 12, observed NULL with errno 0");
    assert_int_equal(findings_group(findings, count, groups), 2);
    assert_int_equal(groups[2], groups[0]);
}

static void the_headline_counts_and_has_the_shortest_trace(void **state)
{
    (void)state;
    add_clause("C23-7.24.3-p1-e", "malloc(1): expected the bytes written, observed another");
    add_trace("content", "malloc", "#0 = malloc 1\n#1 = malloc 1\n");
    add_trace("content", "free", "#0 = malloc 1\n#1 = malloc 1\nfree #0\n");
    add_trace("content", "fork", "#0 = malloc 1\nfork\n");
    add_trace("progress", "calloc", "#0 = calloc 2^60 8\n");
    assert_true(finding_leads(&findings[2], &findings[4])); /* the worse check before the shorter */
    assert_true(finding_leads(&findings[1], &findings[2]));
    assert_true(finding_leads(&findings[2], &findings[3])); /* plain calls before a fork */
    assert_true(finding_leads(&findings[3], &findings[0]));
    assert_true(finding_leads(&findings[2], &findings[0]));
    findings[1].reproduced = 0; /* a note now */
    assert_true(finding_leads(&findings[2], &findings[1]));
    assert_true(finding_leads(&findings[0], &findings[1]));
}

static void notes_are_what_nothing_repeats(void **state)
{
    struct finding finding = {.reproduced = 0, .attempts = 0};
    (void)state;
    assert_null(finding_note(&finding)); /* not tried */
    finding.attempts = 5;
    assert_non_null(finding_note(&finding));
    finding.confirmed = CONFIRM_YES;
    assert_null(finding_note(&finding)); /* its program is a fresh process too */
    finding.reproduced = 1;
    finding.confirmed = CONFIRM_UNKNOWN;
    assert_null(finding_note(&finding)); /* a race: one in five is enough */
    finding.confirmed = CONFIRM_NO;
    assert_non_null(finding_note(&finding));
    assert_null(strstr(finding_note(&finding), "only when"));
    finding.binding = BIND_DLOPEN;
    assert_non_null(strstr(finding_note(&finding), "only when dlopened"));
    finding.reproduced = 0;
    assert_null(strstr(finding_note(&finding), "only when")); /* not even so */
    finding.note = "slow";
    finding.confirmed = CONFIRM_YES;
    assert_string_equal(finding_note(&finding), "slow");
}

static void severity_is_the_check_s_or_what_the_sentence_says(void **state)
{
    (void)state;
    add_trace("overlap", "malloc", "#0 = malloc 1\n");
    add_clause("C23-7.24.3-p1-g", "malloc(1): expected a block apart from the live 9 bytes");
    add_clause("POSIX17-calloc-1",
               "calloc(1, 2): expected NULL with errno 12, observed NULL with errno 0");
    add("scaling", "growth/fill_lifo", "", "");
    assert_int_equal(finding_severity(&findings[0]), SEVERITY_CORRUPTION);
    assert_int_equal(finding_severity(&findings[1]), SEVERITY_CORRUPTION);
    assert_int_equal(finding_severity(&findings[2]), SEVERITY_ERRNO);
    assert_int_equal(finding_severity(&findings[3]), SEVERITY_COST);
}

#define TEST(function) cmocka_unit_test_setup(function, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(damage_to_plain_blocks_is_one_cause_under_every_check),
        TEST(what_a_trace_needs_tells_causes_apart),
        TEST(a_finding_that_could_not_be_shrunk_joins_what_explains_its_function),
        TEST(functions_of_one_family_are_one_cause),
        TEST(a_clause_joins_the_trace_that_explains_it),
        TEST(a_clause_about_another_function_stays_alone),
        TEST(a_death_joins_damage_wherever_it_strikes),
        TEST(hangs_of_clauses_are_one_cause),
        TEST(a_call_that_must_fail_explains_only_its_function),
        TEST(a_request_that_may_be_refused_explains_no_ordinary_one),
        TEST(what_a_trace_needs_must_be_there_in_what_it_explains),
        TEST(a_fork_that_hangs_is_no_consequence_of_a_call_that_does),
        TEST(a_call_that_exits_has_died_and_sizes_are_no_growth),
        TEST(damage_by_threads_is_one_cause),
        TEST(the_errno_of_free_is_another_cause_than_that_of_failures),
        TEST(a_realloc_of_what_cannot_fit_asks_malloc),
        TEST(a_needless_failure_and_its_errno_are_one_cause),
        TEST(what_fails_always_fails_after_a_refusal_too),
        TEST(a_deadlock_is_no_consequence_of_damage),
        TEST(to_give_up_by_exit_is_no_damage),
        TEST(costs_of_other_functions_are_other_causes),
        TEST(a_clause_that_says_nothing_more_is_a_cause_of_its_own),
        TEST(a_clause_never_joins_two_traces),
        TEST(the_headline_counts_and_has_the_shortest_trace),
        TEST(notes_are_what_nothing_repeats),
        TEST(severity_is_the_check_s_or_what_the_sentence_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
