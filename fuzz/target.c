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

#include "fuzz/findings.h"
#include "fuzz/foreign.h"
#include "fuzz/guidance.h"
#include "harness/run/run.h"
#include "harness/subject/subject_plan.h"
#include "harness/trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPS_MAX = 4096,
    FILL_MAX = 8 << 10,  /* bytes */
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
    struct run *run;
    struct trace_op ops[OPS_MAX];
} target;

static void open_anvil(const char *options)
{
    char error[SUBJECT_ERROR_MAX];
    if (subject_bind_anvil(&target.subject, options, ARENA_SIZE, error) == 0 &&
        run_init(&target.run) == 0)
        return;
    dprintf(STDERR_FILENO, "%s: %s\n", program_invocation_short_name, error);
    _exit(EXIT_FAILURE);
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
static void open_target(void)
{
    const char *spec = getenv("MALLET_SUBJECT");
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

void target_run(const uint8_t *data, size_t size, const struct target_mode *mode)
{
    if (!target.is_open)
        open_target();
    uint64_t hash = findings_hash(data, size);
    struct trace trace = {.ops = target.ops, .capacity = OPS_MAX};
    trace_decode(data, size, &trace);
    findings_avoid(&trace, hash);
    if (mode->prepare != NULL)
        mode->prepare(&trace, hash);
    uint32_t muted = findings_muted(hash), rounds = choose_rounds(hash, muted);
    const struct run_options options = {.heap_check_every = HEAP_CHECK_EVERY,
                                        .fill_max = FILL_MAX,
                                        .touch_max = TOUCH_MAX,
                                        .capacity = target.anvil_capacity,
                                        .rounds = rounds,
                                        .suspects = 1,
                                        .recovery = mode->recovery,
                                        .one_thread = target.is_anvil,
                                        .muted = muted};
    uint8_t *features = guidance_begin();
    if (target.is_anvil)
        run_anvil(&trace, &options, features);
    else
        foreign_run(&trace, &options, features);
    guidance_end();
    findings_count(features);
}
