/* SPDX-License-Identifier: MIT */
/*
 * A verdict in a used worker may be due to traces before. So each worker has a history, as one
 * trace: all that it ran, with frees for the blocks that each trace left live, as the worker did.
 *
 *   verdict of a new class
 *      │ in a fresh worker
 *      ├─ the trace alone ────────────→ shows it: saved
 *      ├─ the history and the trace ──→ shows it: history saved "not confirmed"
 *      └─ neither ────────────────────→ saved all the same
 *
 * But an allocator that never uses an address twice runs out of them, and may: a refusal that only
 * a worker shows whose traces asked for very much is forgotten.
 *
 * If a fresh worker shows another class instead, that one is saved: it is what the trace does by
 * itself.
 *
 * Once a worker's OS calls are watched, they are to its end, and each costs a signal. So there are
 * two lanes, each with an executor and a history of its own: one for traces in which OS calls fail,
 * one for all others, whose OS calls cost what they cost anywhere.
 */
#include "fuzz/foreign.h"

#include "fuzz/findings.h"
#include "harness/executor/executor.h"
#include "harness/finding/finding.h"
#include "harness/run/team.h"
#include "harness/trace/trace_slots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RUNS_PER_WORKER = 400,
    HISTORY_OPS_MAX = 1 << 17,
    CONFIRM_TRIES = 2,
    /* far more than an op of such a trace needs; the campaign confirms hangs with a larger one */
    CPU_LIMIT_MS = 250,
    /* once hangs are known and frequent: they must not eat up the campaign */
    CPU_LIMIT_SHORT_MS = 40,
    HANGS_FREQUENT = 8,
    PLATEAUS_MOST = 6,
    CYCLES_MANY = 1024, /* in which a run may follow growth */
    EXIT_NO_SUBJECT = 98
};
#define ADDRESSES_MANY    (UINT64_C(256) << 30) /* bytes */
#define ADDRESSES_REFUSED (UINT64_C(1) << 47)   /* more in one request fails anywhere */

struct lane {
    struct executor *executor; /* NULL: not started yet */
    struct trace_op ops[HISTORY_OPS_MAX];
    struct trace history;
    uint32_t runs;      /* in the history */
    uint64_t addresses; /* bytes and alignments that they asked for */
};

static struct {
    const char *spec;
    struct lane plain, faults;
    uint32_t known_hangs;
    uint32_t plateaus; /* suspicions of growth that ended when it was looked at for longer */
    uint32_t cycled;   /* inputs that were to run in cycles */
} state;

static _Noreturn void give_up(const char *error)
{
    dprintf(STDERR_FILENO, "%s: %s\n", program_invocation_short_name, error);
    findings_flush();
    _exit(EXIT_NO_SUBJECT);
}

static void history_clear(struct lane *lane)
{
    lane->history = (struct trace){.ops = lane->ops, .capacity = HISTORY_OPS_MAX};
    lane->runs = 0;
    lane->addresses = 0;
}

/* Threads of a trace end with it, and what was still to fail does not. */
static void history_end_schedule(struct trace *history, uint32_t kinds)
{
    if ((kinds >> OP_FAIL_OS & 1) != 0)
        history->ops[history->count++] = (struct trace_op){.kind = OP_FAIL_OS};
    if ((kinds >> OP_THREAD & 1) != 0)
        history->ops[history->count++] = (struct trace_op){.kind = OP_THREAD};
}

/* After the frees. */
static void history_end_threads(struct trace *history, const struct trace *trace)
{
    uint32_t ended = 1;
    for (size_t i = 0; i < trace->count; i++) {
        unsigned member = (unsigned)(trace->ops[i].extra % TEAM_SIZE);
        if (trace->ops[i].kind != OP_THREAD || (ended >> member & 1) != 0)
            continue;
        ended |= 1u << member;
        history->ops[history->count++] = (struct trace_op){.kind = OP_THREAD_EXIT, .extra = member};
    }
}

/* Appends the trace, then frees what it leaves live. Returns false if there is no room. */
static bool history_append(struct lane *lane, const struct trace *trace)
{
    struct trace *history = &lane->history;
    struct slot_set live;
    if (history->count + 2 * trace->count + TEAM_SIZE + 2 > history->capacity)
        return false;
    slot_set_init(&live);
    for (size_t i = 0; i < trace->count; i++) {
        history->ops[history->count++] = trace->ops[i];
        slot_set_apply(&live, &trace->ops[i]);
    }
    uint32_t kinds = trace_kinds(trace);
    history_end_schedule(history, kinds);
    for (size_t i = 0; i < trace->count && live.count > 0; i++) {
        const struct trace_op op = {.kind = OP_FREE, .slot = trace->ops[i].slot};
        bool allocates = (trace_op_traits(trace->ops[i].kind) & OP_ALLOCATES) != 0;
        if (allocates && slot_set_apply(&live, &op) == NULL)
            history->ops[history->count++] = op;
    }
    if ((kinds >> OP_THREAD & 1) != 0)
        history_end_threads(history, trace);
    lane->runs++;
    return true;
}

/* Coverage instrumentation may bring a sanitizer runtime into the worker, which would make an exit
 * of every crash, and a slow one. */
static void leave_signals_alone(void)
{
    setenv("UBSAN_OPTIONS",
           "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0", 0);
}

static void lane_stop(struct lane *lane)
{
    if (lane->executor != NULL)
        executor_stop(lane->executor);
    lane->executor = NULL;
    history_clear(lane);
}

void foreign_open(const char *spec)
{
    const char *capacity = getenv("MALLET_CAPACITY");
    const struct executor_options options = {
        .binding = BIND_AUTO,
        .has_capacity = capacity != NULL,
        .capacity = capacity != NULL ? strtoull(capacity, NULL, 10) : 0,
        .is_search = true,
        .cpu_limit_ms = state.known_hangs < HANGS_FREQUENT ? CPU_LIMIT_MS : CPU_LIMIT_SHORT_MS};
    char error[SUBJECT_ERROR_MAX];
    leave_signals_alone();
    state.spec = spec;
    lane_stop(&state.plain);
    lane_stop(&state.faults);
    if (executor_start(&state.plain.executor, spec, &options, error) != 0)
        give_up(error);
}

static struct executor *executor_of(struct lane *lane)
{
    char error[SUBJECT_ERROR_MAX];
    if (lane->executor == NULL &&
        executor_start_beside(&lane->executor, state.plain.executor, error) != 0)
        give_up(error);
    return lane->executor;
}

/* As executor_run_batch, but a lost zygote is started again. */
static size_t run_batch(struct lane *lane, const struct executor_job jobs[], size_t count,
                        bool fresh, struct execution ret_executions[])
{
    char error[SUBJECT_ERROR_MAX];
    size_t done;
    if (executor_run_batch(executor_of(lane), jobs, count, fresh, ret_executions, &done, error) ==
        0)
        return done;
    foreign_open(state.spec);
    if (executor_run_batch(executor_of(lane), jobs, count, fresh, ret_executions, &done, error) !=
        0)
        give_up(error);
    return done;
}

static void run_fresh(struct lane *lane, const struct trace *trace,
                      const struct run_options *options, struct execution *ret_execution)
{
    const struct executor_job job = {trace, options};
    (void)run_batch(lane, &job, 1, true, ret_execution);
}

static void mute_as(struct run_options *options, const struct run_options *other)
{
    options->muted = other->muted;
    options->muted_class_count = other->muted_class_count;
    memcpy(options->muted_classes, other->muted_classes, sizeof options->muted_classes);
}

/* Runs the trace in fresh workers with the most thorough checks. Saves the class of *verdict if it
 * shows, and any other that does. Returns whether something showed. */
static bool confirm(struct lane *lane, const struct trace *trace, const struct run_options *options,
                    const struct verdict *verdict, const char *note)
{
    bool shows = false;
    for (int try = 0; try < CONFIRM_TRIES; try++) {
        struct run_options thorough = executor_thorough(executor_of(lane), trace->count);
        struct execution execution;
        mute_as(&thorough, options);
        if (options->rounds == 0)
            thorough.rounds = 0;
        run_fresh(lane, trace, &thorough, &execution);
        if (execution.is_clean)
            continue;
        shows = true;
        if (!findings_is_known(&execution.verdict))
            findings_save(&execution.verdict, trace, note);
        if (findings_is_known(verdict))
            break;
    }
    return shows;
}

static uint64_t addresses_of(const struct trace *trace, bool is_cycled)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < trace->count && sum < ADDRESSES_MANY; i++) {
        const struct trace_op *op = &trace->ops[i];
        bool is_aligned = (trace_op_traits(op->kind) & OP_HAS_ALIGNMENT) != 0;
        uint64_t size = trace_op_total(op), alignment = is_aligned ? op->extra : 0;
        if (size < ADDRESSES_REFUSED && alignment < ADDRESSES_REFUSED)
            sum += size + alignment;
    }
    return sum * (is_cycled ? CYCLES_MANY : 1);
}

static void judge_new_class(struct lane *lane, const struct trace *trace,
                            const struct run_options *options, const struct verdict *verdict)
{
    bool is_refusal = verdict->check == CHECK_NULL || verdict->check == CHECK_POLICY ||
                      verdict->check == CHECK_RECOVERY;
    if (confirm(lane, trace, options, verdict, NULL) ||
        (is_refusal &&
         lane->addresses + addresses_of(trace, options->rounds != 0) >= ADDRESSES_MANY))
        return;
    struct run_options once = *options;
    once.rounds = 0; /* a whole history as a cycle would take minutes */
    if (lane->history.count > 0 && verdict->check != CHECK_FOOTPRINT &&
        history_append(lane, trace) &&
        confirm(lane, &lane->history, &once, verdict,
                "needs what ran before in the same process: the traces of that process, joined"))
        return;
    if (verdict_is_growth(verdict)) {
        state.plateaus++;
        return;
    }
    findings_save(verdict, trace, "not confirmed: no fresh process showed it");
}

static void hit_known_class(const struct trace *trace, const struct verdict *verdict)
{
    findings_hit(verdict, trace);
    if (verdict->check != CHECK_PROGRESS || ++state.known_hangs != HANGS_FREQUENT)
        return;
    foreign_open(state.spec);
}

/* Growth that ends costs thousands of cycles to acquit: a subject that has such is suspected more
 * and more seldom. */
static uint32_t choose_rounds(uint32_t wanted)
{
    uint32_t halvings = state.plateaus < PLATEAUS_MOST ? state.plateaus : PLATEAUS_MOST;
    if (wanted == 0)
        return 0;
    return state.cycled++ % (UINT32_C(1) << halvings) == 0 ? wanted : 0;
}

static void judge(struct lane *lane, const struct foreign_input *input,
                  const struct verdict *verdict)
{
    if (findings_is_known(verdict))
        hit_known_class(input->trace, verdict);
    else
        judge_new_class(lane, input->trace, &input->options, verdict);
    history_clear(lane);
}

static void remember(struct lane *lane, const struct foreign_input *input)
{
    const struct trace *trace = input->trace;
    lane->addresses += addresses_of(trace, input->options.rounds != 0);
    if (!history_append(lane, trace))
        lane->runs = RUNS_PER_WORKER;
}

static void prepare(struct foreign_input *input)
{
    const struct executor_info *info = executor_info(state.plain.executor);
    input->options.rounds = choose_rounds(input->options.rounds);
    input->options.capacity = info->capacity;
    input->options.blocks = info->blocks;
}

/* The inputs of a lane, in the order in which they run: what moves the break spends the worker, and
 * comes last, but the first of all inputs must not be left out. Returns how many. */
static size_t choose(const struct foreign_input inputs[], size_t count, bool has_faults,
                     size_t ret_order[EXECUTOR_BATCH_MAX])
{
    size_t chosen = 0;
    for (int is_late = 0; is_late <= 1; is_late++)
        for (size_t i = 0; i < count; i++) {
            uint32_t kinds = trace_kinds(inputs[i].trace);
            bool comes_late = i > 0 && (kinds >> OP_SBRK & 1) != 0;
            if (((kinds >> OP_FAIL_OS & 1) != 0) == has_faults && comes_late == (is_late != 0))
                ret_order[chosen++] = i;
        }
    return chosen;
}

/* The inputs order[0], order[1], …; returns how many ran. */
static size_t run_lane(struct lane *lane, const struct foreign_input inputs[], const size_t order[],
                       size_t count, void (*take)(size_t index, const uint8_t *features))
{
    static struct execution executions[EXECUTOR_BATCH_MAX];
    struct executor_job jobs[EXECUTOR_BATCH_MAX];
    if (lane->runs >= RUNS_PER_WORKER)
        executor_end_worker(lane->executor);
    for (size_t i = 0; i < count; i++)
        jobs[i] = (struct executor_job){inputs[order[i]].trace, &inputs[order[i]].options};
    size_t done = run_batch(lane, jobs, count, false, executions);
    if (executions[0].runs_in_worker == 1)
        history_clear(lane);
    for (size_t i = 0; i < done; i++)
        take(order[i], executions[i].features);
    for (size_t i = 0; i + 1 < done; i++)
        remember(lane, &inputs[order[i]]);
    const struct verdict verdict = executions[done - 1].verdict;
    if (!executions[done - 1].is_clean)
        judge(lane, &inputs[order[done - 1]], &verdict);
    else
        remember(lane, &inputs[order[done - 1]]);
    return done;
}

size_t foreign_run(struct foreign_input inputs[], size_t count,
                   void (*take)(size_t index, const uint8_t *features))
{
    size_t order[EXECUTOR_BATCH_MAX] = {0}, done = 0;
    for (size_t i = 0; i < count; i++)
        prepare(&inputs[i]);
    for (int has_faults = 0; has_faults <= 1; has_faults++) {
        size_t chosen = choose(inputs, count, has_faults != 0, order);
        if (chosen > 0)
            done += run_lane(has_faults != 0 ? &state.faults : &state.plain, inputs, order, chosen,
                             take);
    }
    return done;
}
