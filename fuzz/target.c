/* SPDX-License-Identifier: MIT */
/*
 * Behind the fuzz targets that run traces: the subject, where it runs, and the checks.
 *
 *   MALLET_SUBJECT   what subject_resolve takes; none: anvil
 *   MALLET_CAPACITY  bytes that the subject can hold, 0: no limit; none: found by probing
 *   MALLET_FINDINGS  folder for findings and statistics (findings.h); none: nothing is written
 *
 * anvil runs in this process, linked statically and instrumented, in a fixed arena that is reset
 * before every input: a finding replays from its bytes alone. The engine shares the process and the
 * heap has no lock, so threads and forks of a trace are skipped. A verdict of a class not yet known
 * is printed with its trace and aborts, so that any engine saves the input. Every other subject
 * runs in worker processes (foreign.h), and its findings are saved without an abort.
 */
#include "fuzz/target.h"

#include "fuzz/children.h"
#include "fuzz/findings.h"
#include "fuzz/foreign.h"
#include "fuzz/guidance.h"
#include "harness/base/clock.h"
#include "harness/executor/executor.h"
#include "harness/run/run.h"
#include "harness/subject/subject_plan.h"
#include "harness/trace/pattern.h"
#include "harness/trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPS_MAX = 4096,
    /* bytes that are filled whole, as pattern.h has it. Pages of a foreign subject are new ones,
     * and cost more than all else of a short trace: only one input in some touches many */
    FILL_MAX = 8 << 10,
    FILL_DENSE_ONE_IN = 8,
    TOUCH_MAX = 1 << 20, /* bytes */
    /* bytes: small, so that clearing it for the next input stays cheap, and so that it runs full
     * now and then */
    ARENA_SIZE = 2 << 20,
    /* ops: a walk costs more than the ops; a finding is replayed with a walk after each op */
    HEAP_CHECK_EVERY = 16,
    /* identical cycles for footprint, at most: it ends early, after 16, where nothing grows; and
     * for one in how many inputs */
    ROUNDS = 1000,
    ROUNDS_ONE_IN = 256,
    ROUNDS_FOREIGN = 300,
    ROUNDS_FOREIGN_ONE_IN = 64
};

static struct {
    bool is_open;
    bool is_anvil;
    struct subject subject; /* anvil */
    uint64_t anvil_capacity;
    const char *configuration; /* that the input has chosen, or NULL */
    struct run *run;
    /* of the inputs that run together; anvil's run one at a time */
    struct trace_op ops[EXECUTOR_BATCH_MAX][OPS_MAX];
    struct trace traces[EXECUTOR_BATCH_MAX];
    struct target_input inputs[EXECUTOR_BATCH_MAX];
    uint8_t *features; /* the engine's, for the first of them */
} target;
_Static_assert(CHILDREN_MAX < (int)EXECUTOR_BATCH_MAX, "an input and its children are a batch");

static void open_anvil(const char *options)
{
    char error[SUBJECT_ERROR_MAX];
    if (subject_bind_anvil(&target.subject, options, ARENA_SIZE, error) == 0 &&
        run_init(&target.run) == 0)
        return;
    dprintf(STDERR_FILENO, "%s: %s\n", program_invocation_short_name, error);
    _exit(EXIT_FAILURE);
}

/* "arena" or "arena,OPTIONS", "default" or "default,…", whose options are its own, else OPTIONS. */
static void open_configured(const char *configuration)
{
    bool is_arena = strncmp(configuration, "arena", 5) == 0;
    bool is_default = strncmp(configuration, SUBJECT_ANVIL_DEFAULT, 7) == 0;
    const char *options = is_default ? SUBJECT_ANVIL_DEFAULT : configuration;
    char error[SUBJECT_ERROR_MAX] = "";
    if (is_arena)
        options += configuration[5] == ',' ? 6 : 5;
    if (subject_bind_anvil(&target.subject, options, is_arena ? ARENA_SIZE : 0, error) != 0) {
        dprintf(STDERR_FILENO, "%s: %s\n", program_invocation_short_name, error);
        _exit(EXIT_FAILURE);
    }
    target.configuration = configuration;
    target.anvil_capacity = is_arena ? ARENA_SIZE : 0;
}

/* anvil's, which holds no more than its arena; foreign.c puts the one of its subject. */
static uint64_t anvil_capacity(void)
{
    const char *stated = getenv("MALLET_CAPACITY");
    uint64_t capacity = stated != NULL ? strtoull(stated, NULL, 10) : 0;
    return capacity > 0 && capacity < ARENA_SIZE ? capacity : ARENA_SIZE;
}

/* At the first input, not before: AFL++ forks in between, and no two processes may share a
 * worker. */
static void open_target(const struct target_mode *mode)
{
    const char *spec = mode->anvil_options != NULL ? NULL : getenv("MALLET_SUBJECT");
    if (spec == NULL || spec[0] == '\0')
        spec = "anvil";
    findings_open(getenv("MALLET_FINDINGS"));
    const char *options = subject_anvil_options(spec);
    target.is_anvil = options != NULL;
    target.anvil_capacity = anvil_capacity();
    if (target.is_anvil)
        open_anvil(options);
    else
        foreign_open(spec);
    target.is_open = true;
}

/* By write(2) alone, without malloc, so that a debugger or a core shows the heap as it was. */
static void print_finding(const struct verdict *verdict, const struct trace *trace)
{
    char line[VERDICT_SENTENCE_MAX + TRACE_LINE_MAX];
    int length = snprintf(line, sizeof(line), "FINDING %s at %s, op %d: %s\n",
                          check_name(verdict->check), verdict->site,
                          verdict->op == VERDICT_NO_OP ? -1 : (int)verdict->op, verdict->sentence);
    ssize_t written = write(STDERR_FILENO, line, (size_t)length);
    if (target.configuration != NULL)
        dprintf(STDERR_FILENO, "# anvil: %s\n", target.configuration);
    for (size_t i = 0; i < trace->count && written >= 0; i++) {
        size_t end = trace_format_op(&trace->ops[i], line);
        line[end] = '\n';
        written = write(STDERR_FILENO, line, end + 1);
    }
}

static void run_anvil(const struct trace *trace, const struct run_options *options,
                      uint8_t *features)
{
    const struct run_report report = {.features = features};
    struct verdict verdict;
    target.subject.reset();
    *run_policy(target.run) = (struct policy){0};
    if (run_trace(target.run, &target.subject, trace, options, &report, &verdict))
        return;
    if (findings_is_known(&verdict)) {
        findings_hit(&verdict, trace);
        return;
    }
    findings_save(&verdict, trace, NULL);
    print_finding(&verdict, trace);
    abort();
}

static uint32_t choose_rounds(uint64_t hash, uint32_t muted)
{
    uint32_t rounds = target.is_anvil ? ROUNDS : ROUNDS_FOREIGN;
    uint32_t one_in = target.is_anvil ? ROUNDS_ONE_IN : ROUNDS_FOREIGN_ONE_IN;
    bool is_muted = (muted >> CHECK_FOOTPRINT & 1) != 0;
    return hash % one_in == 0 && !is_muted ? rounds : 0;
}

static uint64_t choose_fill(uint64_t hash)
{
    bool is_dense = target.is_anvil || (hash >> 40) % FILL_DENSE_ONE_IN == 0;
    return is_dense ? PATTERN_DENSE : FILL_MAX;
}

/* Decodes an input to the trace at an index of the batch. */
static struct run_options prepare(size_t index, const struct target_input *input,
                                  const struct target_mode *mode)
{
    struct trace *trace = &target.traces[index];
    uint64_t hash = findings_hash(input->data, input->size);
    *trace = (struct trace){.ops = target.ops[index], .capacity = OPS_MAX};
    trace_decode(input->data, input->size, trace);
    findings_avoid(trace, hash);
    if (mode->prepare != NULL)
        mode->prepare(trace, hash);
    uint32_t muted = findings_muted(hash);
    struct run_options options = {.heap_check_every = HEAP_CHECK_EVERY,
                                  .fill_max = choose_fill(hash),
                                  .touch_max = TOUCH_MAX,
                                  .capacity = target.anvil_capacity,
                                  .rounds = choose_rounds(hash, muted),
                                  .growth = GROWTH_SUSPECTED,
                                  .recovery = mode->recovery,
                                  .one_thread = target.is_anvil,
                                  .muted = muted};
    findings_mute_classes(&options);
    return options;
}

static void take_features(size_t index, const uint8_t *features)
{
    const struct target_input *input = &target.inputs[index];
    if (index == 0)
        memcpy(target.features, features, RUN_COUNTERS);
    children_learn(input->data, input->size, features, index > 0);
    findings_count(features);
}

static size_t run_foreign(const struct target_input inputs[], size_t count,
                          const struct target_mode *mode)
{
    static struct foreign_input foreign[EXECUTOR_BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        target.inputs[i] = inputs[i];
        foreign[i] = (struct foreign_input){&target.traces[i], prepare(i, &inputs[i], mode)};
    }
    target.features = guidance_begin();
    size_t done = foreign_run(foreign, count, take_features);
    guidance_end();
    return done;
}

static void run_with_children(const struct target_input *input, const struct target_mode *mode)
{
    struct target_input inputs[EXECUTOR_BATCH_MAX] = {*input};
    size_t count = 1;
    for (size_t left = children_count(); left > 0; left--) {
        inputs[count].size = children_make(count - 1, &inputs[count].data);
        count += inputs[count].size > 0;
    }
    uint64_t start_ms = clock_now_ms();
    size_t done = run_foreign(inputs, count, mode);
    children_note_time(done, clock_now_ms() - start_ms);
}

static void run_in_process(const struct target_input *input, const struct target_mode *mode)
{
    if (mode->anvil_options != NULL)
        open_configured(mode->anvil_options);
    const struct run_options options = prepare(0, input, mode);
    uint8_t *features = guidance_begin();
    run_anvil(&target.traces[0], &options, features);
    guidance_end();
    findings_count(features);
}

void target_run(const uint8_t *data, size_t size, const struct target_mode *mode)
{
    const struct target_input input = {data, size};
    if (!target.is_open)
        open_target(mode);
    if (target.is_anvil)
        run_in_process(&input, mode);
    else
        run_with_children(&input, mode);
}

size_t target_run_batch(const struct target_input inputs[], size_t count,
                        const struct target_mode *mode)
{
    if (!target.is_open)
        open_target(mode);
    if (!target.is_anvil)
        return run_foreign(inputs, count, mode);
    for (size_t i = 0; i < count; i++)
        run_in_process(&inputs[i], mode);
    return count;
}
