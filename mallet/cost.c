/* SPDX-License-Identifier: MIT */
/*
 * Samples alternate between checked and unchecked runs, so that a change of the machine's speed
 * hits both; each sample repeats the trace until it is long enough for the clock. All of it is in a
 * forked child: the trace may break what it runs on.
 */
#include "mallet/cost.h"

#include "harness/base/clock.h"
#include "harness/process/process.h"
#include "harness/subject/subject_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SAMPLE_US 2000.0

struct bench {
    struct run *run;
    struct subject subject;
    const struct trace *trace;
    const struct run_options *options;
};

/* What the child leaves for the parent. */
struct answer {
    bool is_done;
    struct cost cost;
    char error[SUBJECT_ERROR_MAX];
};

/* Of the processor: what else the machine does does not count. */
static double now_us(void)
{
    return (double)clock_cpu_ns() / 1e3;
}

static bool run_once(struct bench *bench, bool is_checked, struct answer *answer)
{
    struct verdict verdict;
    if (!is_checked) {
        run_trace_unchecked(bench->run, &bench->subject, bench->trace, bench->options);
        return true;
    }
    if (run_trace(bench->run, &bench->subject, bench->trace, bench->options, NULL, &verdict))
        return true;
    snprintf(answer->error, sizeof answer->error,
             "a check fails, so there is nothing to measure: %s", verdict.sentence);
    return false;
}

/* Microseconds a run; negative when a check failed. */
static double take_sample(struct bench *bench, bool is_checked, unsigned *repeats,
                          struct answer *answer)
{
    for (;;) {
        double start = now_us();
        for (unsigned i = 0; i < *repeats; i++)
            if (!run_once(bench, is_checked, answer))
                return -1;
        double elapsed = now_us() - start;
        if (elapsed >= SAMPLE_US || *repeats >= 1u << 20)
            return elapsed / *repeats;
        *repeats *= 2;
    }
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double samples[COST_SAMPLES])
{
    qsort(samples, COST_SAMPLES, sizeof samples[0], compare);
    return samples[COST_SAMPLES / 2];
}

static void measure(struct bench *bench, struct answer *answer)
{
    double checked[COST_SAMPLES], unchecked[COST_SAMPLES];
    unsigned checked_repeats = 1, unchecked_repeats = 1;
    /* warm up, and find the numbers of repeats */
    take_sample(bench, true, &checked_repeats, answer);
    take_sample(bench, false, &unchecked_repeats, answer);
    for (int i = 0; i < COST_SAMPLES; i++) {
        checked[i] = take_sample(bench, true, &checked_repeats, answer);
        unchecked[i] = take_sample(bench, false, &unchecked_repeats, answer);
        if (checked[i] < 0)
            return;
    }
    answer->cost = (struct cost){median(checked), median(unchecked)};
    answer->is_done = true;
}

/* What the child needs; it is a fork. */
struct order {
    const char *subject;
    struct bench bench;
    struct answer *answer;
};

static void measure_in_child(void *context)
{
    struct order *order = context;
    if (run_init(&order->bench.run) != 0)
        snprintf(order->answer->error, sizeof order->answer->error, "no memory for a run");
    else if (subject_bind_anvil(&order->bench.subject, subject_anvil_options(order->subject), 0,
                                order->answer->error) == 0)
        measure(&order->bench, order->answer);
}

int cost_measure(const char *subject, const struct trace *trace, const struct run_options *options,
                 struct cost *ret_cost, char error[SUBJECT_ERROR_MAX])
{
    struct process process;
    struct answer *answer =
        mmap(NULL, sizeof *answer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answer == MAP_FAILED)
        return errno;
    strcpy(answer->error, "the run died");
    struct order order = {subject, {.trace = trace, .options = options}, answer};
    const struct process_plan plan = {
        .body = measure_in_child, .context = &order, .output = PROCESS_OUTPUT_INHERITED};
    process_run(&plan, &process);
    int result = answer->is_done ? 0 : ECHILD;
    *ret_cost = answer->cost;
    snprintf(error, SUBJECT_ERROR_MAX, "%s", answer->error);
    munmap(answer, sizeof *answer);
    return result;
}
