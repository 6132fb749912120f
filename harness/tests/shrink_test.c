/* SPDX-License-Identifier: MIT */
/*
 * Shrinking, on an executor of our own: a function says which op of a trace is at fault, so every
 * test knows the smallest trace that there is. Defines executor_run, executor_thorough and
 * executor_info, and so must be linked before the library that has the real ones.
 */
#include "harness/finding/finding.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { OPS_MAX = 256, CLEAN = -1 };

/* The subject: returns the op at fault, or CLEAN; may change the class. */
typedef int subject_bug(const struct trace *trace, const struct run_options *options,
                        struct verdict *verdict);

static struct {
    subject_bug *bug;
    unsigned runs;
    unsigned shows_every; /* n-th run that could show it does */
    unsigned shown;
    unsigned sleep_ms;
    int failure; /* of the runs behind the first `sound` ones */
    unsigned sound;
} fake;

const struct executor_info *executor_info(const struct executor *executor)
{
    static const struct executor_info info = {
        .subject.offers = ~(1u << SUBJECT_reallocarray | 1u << SUBJECT_free_sized)};
    (void)executor;
    return &info;
}

struct run_options executor_thorough(const struct executor *executor, size_t ops)
{
    (void)executor, (void)ops;
    return (struct run_options){.sweep_every = 1};
}

int executor_run(struct executor *executor, const struct trace *trace,
                 const struct run_options *options, bool fresh, struct execution *ret_execution,
                 char error[SUBJECT_ERROR_MAX])
{
    (void)executor, (void)error;
    assert_true(fresh);
    fake.runs++;
    usleep(fake.sleep_ms * 1000);
    struct execution execution = {.is_clean = true,
                                  .verdict = {.check = CHECK_CONTENT, .site = "malloc"}};
    int op = fake.bug(trace, options, &execution.verdict);
    if (op != CLEAN && fake.shown++ % fake.shows_every == 0) {
        execution.is_clean = false;
        execution.verdict.op = (uint32_t)op;
    }
    *ret_execution = execution;
    return fake.runs > fake.sound ? fake.failure : 0;
}

static struct {
    struct trace trace;
    struct trace_op ops[OPS_MAX];
    struct verdict verdict;
    struct execution execution;
    char text[OPS_MAX * TRACE_LINE_MAX];
    char error[SUBJECT_ERROR_MAX];
} test;

static int set_up(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    memset(&test, 0, sizeof(test));
    fake.shows_every = 1;
    test.trace = (struct trace){.ops = test.ops, .capacity = OPS_MAX};
    test.verdict = (struct verdict){.check = CHECK_CONTENT, .site = "malloc"};
    return 0;
}

static void given(subject_bug *bug, const char *text)
{
    struct trace_error error;
    fake.bug = bug;
    assert_int_equal(trace_parse(text, strlen(text), &test.trace, &error), 0);
}

/* Pads the trace in front and behind with ops that matter to nothing. */
static void given_padded(subject_bug *bug, const char *text)
{
    char padded[8192];
    size_t length = 0;
    for (int i = 0; i < 40; i++)
        length += (size_t)snprintf(padded + length, sizeof(padded) - length,
                                   "#%d = memalign 64 77\n", 100 + i);
    length += (size_t)snprintf(padded + length, sizeof(padded) - length, "%s", text);
    for (int i = 0; i < 40; i++)
        length += (size_t)snprintf(padded + length, sizeof(padded) - length, "free #%d\n", 100 + i);
    given(bug, padded);
}

static const char *shrunk(unsigned budget)
{
    assert_int_equal(
        shrink_trace(NULL, &test.trace, &test.verdict, budget, &test.execution, test.error), 0);
    trace_format(&test.trace, test.text, sizeof(test.text));
    return test.text;
}

/* ---- bugs ---- */

/* A malloc of at least 3000 bytes, or of a size that depends on another block, after a free. */
static int fails_on_large_after_free(const struct trace *trace, const struct run_options *options,
                                     struct verdict *verdict)
{
    (void)options, (void)verdict;
    bool has_freed = false;
    for (size_t i = 0; i < trace->count; i++) {
        has_freed |= trace->ops[i].kind == OP_FREE;
        if (has_freed && trace->ops[i].kind == OP_MALLOC &&
            (trace->ops[i].size >= 3000 || trace->ops[i].size_base != SIZE_EXACT))
            return (int)i;
    }
    return CLEAN;
}

static int fails_on_large_realloc(const struct trace *trace, const struct run_options *options,
                                  struct verdict *verdict)
{
    (void)options, (void)verdict;
    for (size_t i = 0; i < trace->count; i++)
        if (trace->ops[i].kind == OP_REALLOC && trace->ops[i].size >= 3000)
            return (int)i;
    return CLEAN;
}

/* As a program would that calls the libc's function instead. */
static int holds_with_reallocarray(const struct trace *trace, const struct run_options *options,
                                   struct verdict *verdict)
{
    (void)options, (void)verdict;
    for (size_t i = 0; i < trace->count; i++)
        if (trace->ops[i].kind == OP_REALLOCARRAY)
            return CLEAN;
    return trace->count > 0 ? 0 : CLEAN;
}

/* Two blocks of the same size, above 100. */
static int fails_on_twins(const struct trace *trace, const struct run_options *options,
                          struct verdict *verdict)
{
    (void)options, (void)verdict;
    for (size_t i = 0; i + 1 < trace->count; i++)
        if (trace->ops[i].kind == OP_MALLOC && trace->ops[i].size > 100 &&
            trace->ops[i + 1].kind == OP_MALLOC && trace->ops[i + 1].size == trace->ops[i].size)
            return (int)i + 1;
    return CLEAN;
}

/* Alignment fails at every malloc, unless muted; content at the second one. */
static int fails_behind_alignment(const struct trace *trace, const struct run_options *options,
                                  struct verdict *verdict)
{
    int mallocs = 0;
    for (size_t i = 0; i < trace->count; i++) {
        if (trace->ops[i].kind != OP_MALLOC)
            continue;
        if ((options->muted >> CHECK_ALIGNMENT & 1) == 0) {
            verdict->check = CHECK_ALIGNMENT;
            return (int)i;
        }
        if (++mallocs == 2)
            return (int)i;
    }
    return CLEAN;
}

/* Content in long traces, a crash in short ones: the crash must not be taken for it. */
static int fails_otherwise_when_short(const struct trace *trace, const struct run_options *options,
                                      struct verdict *verdict)
{
    (void)options;
    if (trace->count < 5)
        verdict->check = CHECK_CRASH;
    return (int)trace->count - 1;
}

static int never_fails(const struct trace *trace, const struct run_options *options,
                       struct verdict *verdict)
{
    (void)trace, (void)options, (void)verdict;
    return CLEAN;
}

/* ---- tests ---- */

/* A block alone needs two runs, however long the trace: what little time there is goes far. */
static void the_history_of_the_failing_block_is_tried_first(void **state)
{
    (void)state;
    given_padded(fails_on_large_realloc,
                 "#9 = calloc 10 10\n#5 = malloc 50\nfree #9\n#5 = realloc #5 5000\n");
    assert_string_equal(shrunk(2), "#5 = malloc 50\n#5 = realloc #5 5000\n");
}

static void unneeded_ops_go_and_sizes_reach_the_border(void **state)
{
    (void)state;
    given_padded(fails_on_large_after_free, "#9 = calloc 10 10\nfree #9\n#5 = malloc 123456\n");
    assert_string_equal(shrunk(0), "#0 = malloc 1\nfree #0\n#1 = malloc 3000\n");
    assert_int_equal(test.execution.verdict.op, 2);
}

static void an_op_that_the_subject_lacks_is_left_out(void **state)
{
    (void)state;
    given(holds_with_reallocarray, "#0 = reallocarray NULL 3 100\n#1 = malloc 100\nfree #0\n");
    assert_string_equal(shrunk(0), "#0 = malloc 1\n");
}

static int needs_seven_after_a_free(const struct trace *trace, const struct run_options *options,
                                    struct verdict *verdict)
{
    (void)options, (void)verdict;
    for (size_t i = 0; i < trace->count; i++)
        if (trace->ops[i].kind != OP_MALLOC && trace->ops[i].kind != OP_FREE)
            return CLEAN;
    return trace->count == 3 && trace->ops[1].kind == OP_FREE && trace->ops[2].size == 7 ? 2
                                                                                         : CLEAN;
}

static void what_a_run_makes_of_an_op_stays(void **state)
{
    (void)state;
    given(needs_seven_after_a_free, "#0 = reallocarray NULL 3 100\n#1 = malloc 100\n"
                                    "free_sized #1\n#1 = malloc size(#0)+7\n");
    assert_string_equal(shrunk(0), "#0 = malloc 1\nfree #0\n#1 = malloc 7\n");
}

static void the_op_at_fault_goes_with_its_call(void **state)
{
    uint32_t op = 2, end = VERDICT_NO_OP;
    (void)state;
    given(holds_with_reallocarray, "#0 = reallocarray NULL 3 100\n#1 = malloc 100\nfree #1\n");
    shrink_drop_lacking(NULL, &test.trace, &op);
    shrink_drop_lacking(NULL, &test.trace, &end);
    assert_int_equal(test.trace.count, 2);
    assert_int_equal(op, 1);
    assert_int_equal(end, VERDICT_NO_OP);
}

/* As in a run: an allocator that hangs in every call may show it in free(NULL) first. */
static void ops_on_a_block_that_was_not_made_pass_null(void **state)
{
    (void)state;
    given(holds_with_reallocarray,
          "#0 = reallocarray NULL 3 100\n#1 = reallocarray NULL 3 100\nfree #1\n"
          "#0 = realloc #0 50\nfree #0\n");
    shrink_drop_lacking(NULL, &test.trace, NULL);
    assert_int_equal(test.trace.count, 3);
    assert_int_equal(test.trace.ops[0].kind, OP_FREE_NULL);
    assert_int_equal(test.trace.ops[1].kind, OP_REALLOC_NULL);
    assert_int_equal(test.trace.ops[2].kind, OP_FREE);
}

static void a_dynamic_size_becomes_exact(void **state)
{
    (void)state;
    given(fails_on_large_after_free,
          "#3 = malloc 5000\nfree NULL\n#1 = malloc 8\nfree #1\n#2 = malloc size(#3)+5\n");
    assert_string_equal(shrunk(0), "#0 = malloc 1\nfree #0\n#1 = malloc 3000\n");
}

static void equal_sizes_shrink_together(void **state)
{
    (void)state;
    given_padded(fails_on_twins, "#1 = malloc 4096\n#2 = malloc 4096\n");
    assert_string_equal(shrunk(0), "#0 = malloc 101\n#1 = malloc 101\n");
}

static void a_check_that_hides_the_class_is_muted(void **state)
{
    (void)state;
    given_padded(fails_behind_alignment, "#1 = malloc 40\n#2 = malloc 50\n");
    assert_string_equal(shrunk(0), "#0 = malloc 1\n#1 = malloc 1\n");
    assert_int_equal(test.execution.verdict.check, CHECK_CONTENT);
}

static void the_class_is_kept(void **state)
{
    (void)state;
    given_padded(fails_otherwise_when_short, "");
    shrunk(0);
    assert_int_equal(test.trace.count, 5);
    assert_int_equal(test.execution.verdict.check, CHECK_CONTENT);
}

static void a_flaky_class_gets_three_tries(void **state)
{
    (void)state;
    fake.shows_every = 3;
    given_padded(fails_on_twins, "#1 = malloc 4096\n#2 = malloc 4096\n");
    assert_string_equal(shrunk(0), "#0 = malloc 101\n#1 = malloc 101\n");
}

static void a_class_that_never_shows_leaves_the_trace_alone(void **state)
{
    (void)state;
    given(never_fails, "#7 = malloc 70\nfree #7\n");
    assert_string_equal(shrunk(0), "#7 = malloc 70\nfree #7\n");
    assert_true(test.execution.is_clean);
}

static void the_budget_bounds_the_runs(void **state)
{
    (void)state;
    given_padded(fails_on_twins, "#1 = malloc 4096\n#2 = malloc 4096\n");
    shrunk(20);
    assert_in_range(fake.runs, 20, 20 + 4);
}

static void a_slow_run_counts_as_several(void **state)
{
    (void)state;
    fake.sleep_ms = 25;
    given_padded(fails_on_twins, "#1 = malloc 4096\n#2 = malloc 4096\n");
    shrunk(30);
    assert_in_range(fake.runs, 1, 10 + 4);
}

static void a_failure_of_the_machinery_is_passed_on(void **state)
{
    (void)state;
    fake.failure = EIO;
    given(never_fails, "#1 = malloc 1\n");
    assert_int_equal(shrink_trace(NULL, &test.trace, &test.verdict, 0, &test.execution, test.error),
                     EIO);
}

static void cancelled_once_the_class_showed_it_keeps_what_it_has(void **state)
{
    (void)state;
    fake.failure = ECANCELED;
    given_padded(fails_on_twins, "#1 = malloc 4096\n#2 = malloc 4096\n");
    size_t whole = test.trace.count;
    assert_int_equal(shrink_trace(NULL, &test.trace, &test.verdict, 0, &test.execution, test.error),
                     ECANCELED);
    fake.sound = fake.runs + 1; /* it has shown, once */
    shrunk(0);
    assert_int_equal(test.trace.count, whole);
    assert_false(test.execution.is_clean);
    fake.sound = fake.runs + 12;
    shrunk(0);
    assert_in_range(test.trace.count, 2, whole - 1);
    assert_true(fails_on_twins(&test.trace, NULL, &test.verdict) != CLEAN);
}

static void reproducing_counts_the_same_class_only(void **state)
{
    (void)state;
    fake.shows_every = 2;
    given(fails_on_twins, "#1 = malloc 4096\n#2 = malloc 4096\n");
    struct finding finding;
    finding_make(&finding, "fake", &test.verdict, "");
    finding.trace = test.trace;
    assert_int_equal(finding_reproduce(NULL, &finding, 6, test.error), 0);
    assert_int_equal(finding.reproduced, 3);
    assert_int_equal(finding.attempts, 6);
    strcpy(finding.site, "free");
    assert_int_equal(finding_reproduce(NULL, &finding, 6, test.error), 0);
    assert_int_equal(finding.reproduced, 0);
}

/* Few rounds raise a suspicion, all of them confirm it. */
static int grows_with_the_rounds(const struct trace *trace, const struct run_options *options,
                                 struct verdict *verdict)
{
    (void)trace;
    verdict->check = CHECK_FOOTPRINT;
    snprintf(verdict->site, sizeof verdict->site, "cycle");
    snprintf(verdict->sentence, sizeof verdict->sentence, "%s",
             options->growth == GROWTH_SUSPECTED ? "grew in a short run" : "grew in a long run");
    return 0;
}

static void growth_is_quoted_from_the_run_that_confirms_it(void **state)
{
    (void)state;
    given(grows_with_the_rounds, "#1 = malloc 4096\n");
    struct verdict verdict = {.check = CHECK_FOOTPRINT, .site = "cycle"};
    struct finding finding;
    snprintf(verdict.sentence, sizeof verdict.sentence, "grew in a short run");
    finding_make(&finding, "fake", &verdict, "");
    finding.trace = test.trace;
    assert_int_equal(finding_reproduce(NULL, &finding, 3, test.error), 0);
    assert_int_equal(finding.reproduced, 3);
    assert_string_equal(finding.sentence, "grew in a long run");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_history_of_the_failing_block_is_tried_first, set_up),
        cmocka_unit_test_setup(unneeded_ops_go_and_sizes_reach_the_border, set_up),
        cmocka_unit_test_setup(an_op_that_the_subject_lacks_is_left_out, set_up),
        cmocka_unit_test_setup(what_a_run_makes_of_an_op_stays, set_up),
        cmocka_unit_test_setup(the_op_at_fault_goes_with_its_call, set_up),
        cmocka_unit_test_setup(ops_on_a_block_that_was_not_made_pass_null, set_up),
        cmocka_unit_test_setup(a_dynamic_size_becomes_exact, set_up),
        cmocka_unit_test_setup(equal_sizes_shrink_together, set_up),
        cmocka_unit_test_setup(a_check_that_hides_the_class_is_muted, set_up),
        cmocka_unit_test_setup(the_class_is_kept, set_up),
        cmocka_unit_test_setup(a_flaky_class_gets_three_tries, set_up),
        cmocka_unit_test_setup(a_class_that_never_shows_leaves_the_trace_alone, set_up),
        cmocka_unit_test_setup(the_budget_bounds_the_runs, set_up),
        cmocka_unit_test_setup(a_slow_run_counts_as_several, set_up),
        cmocka_unit_test_setup(a_failure_of_the_machinery_is_passed_on, set_up),
        cmocka_unit_test_setup(cancelled_once_the_class_showed_it_keeps_what_it_has, set_up),
        cmocka_unit_test_setup(reproducing_counts_the_same_class_only, set_up),
        cmocka_unit_test_setup(growth_is_quoted_from_the_run_that_confirms_it, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
