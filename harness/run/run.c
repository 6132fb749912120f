/* SPDX-License-Identifier: MIT */
/* The loop: ops in order, the subject's walker and sweeps at their cadence, everything freed at the
 * end, then identical cycles. */
#include "harness/run/run_internal.h"
#include "harness/trace/trace_slots.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

extern char __executable_start[], end[];

/* In further ones each block is still verified when it is freed, and the walker runs at the end of
 * every 2^n-th: a heap that grows takes it longer and longer. */
enum { THOROUGH_CYCLES = 2 };

static const struct run_report no_report;

int run_init(struct run **ret_run)
{
    struct run *run = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (run == MAP_FAILED)
        return ENOMEM;
    run->own[0] = (struct own_range){(uintptr_t)run, (uintptr_t)run + sizeof *run};
    run->own[1] = (struct own_range){(uintptr_t)__executable_start, (uintptr_t)end};
    run->child_verdict =
        mmap(NULL, RUN_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run->child_verdict == MAP_FAILED)
        return ENOMEM;
    uintptr_t stack = (uintptr_t)__builtin_frame_address(0);
    run->own[2] = (struct own_range){stack - OWN_STACK, stack + RUN_PAGE};
    *ret_run = run;
    return 0;
}

bool run_was_cut_short(const struct run *run)
{
    return run->is_cut_short;
}

bool run_has_open_growth(const struct run *run)
{
    return run->has_open_growth;
}

uint32_t run_muted_failures(const struct run *run)
{
    return run->muted_failures;
}

struct policy *run_policy(struct run *run)
{
    return &run->policy;
}

static bool run_usable(struct run *run, const struct trace_op *op)
{
    if (run->subject->calls.malloc_usable_size == NULL)
        return true;
    if (run->shadow.blocks[op->slot].start != NULL)
        return judge_usable_stable(run, op->slot) &&
               judge_content(run, op->slot, "after malloc_usable_size");
    run_evaluate(run, CHECK_USABLE);
    size_t capacity = run_usable_of(run, NULL);
    return capacity == 0 || run_fail(run, CHECK_USABLE, "malloc_usable_size",
                                     "malloc_usable_size(NULL) returned %zu, must be 0", capacity);
}

static bool run_op(struct run *run, const struct trace_op *op)
{
    unsigned traits = trace_op_traits(op->kind);
    if (traits & OP_HAS_SIZE) {
        struct request request = request_make(run, op);
        if (!request_can_run(run, &request))
            return true;
        return traits & OP_ALLOCATES ? run_allocate(run, &request) : run_reallocate(run, &request);
    }
    if (traits & OP_FREES)
        return run_free(run, op);
    switch (op->kind) {
    case OP_FREE_NULL:
        call_free(run, OP_FREE, &(const struct block){0});
        return true;
    case OP_USABLE_SIZE:
        return run_usable(run, op);
    case OP_TRIM:
        call_trim(run);
        return true;
    case OP_SWEEP:
        return run_sweep(run, "in a sweep");
    case OP_FAIL_OS:
        faults_arm(run, op);
        return true;
    case OP_THREAD:
    case OP_THREAD_EXIT:
        run_thread(run, op);
        return true;
    case OP_FORK:
        return run_fork(run);
    case OP_SBRK:
        run_break_move(run, op);
        return true;
    default:
        return true;
    }
}

static bool check_heap(struct run *run)
{
    char sentence[VERDICT_SENTENCE_MAX - 64];
    if (run->subject->check == NULL)
        return true;
    run_evaluate(run, CHECK_HEAP);
    if (run->subject->check(sentence, sizeof sentence) == 0)
        return true;
    const char *after = run_site(run);
    return run_fail(run, CHECK_HEAP, after, "the subject's walker after %s: %s", after, sentence);
}

/* Counts down to the next time that something is due; `every` 0: never. Most of a run's ops are
 * followed by nothing: no division for them. */
static bool is_due(uint32_t every, uint32_t *left)
{
    if (every == 0 || --*left != 0)
        return false;
    *left = every;
    return true;
}

/* Where run_ops is: the thread that has the token goes on from there. */
struct stretch {
    struct run *run;
    uint32_t next; /* op */
    uint32_t heap_every, heap_left, sweep_every, sweep_left;
    bool is_clean;
};

static bool run_next_op(struct stretch *stretch)
{
    struct run *run = stretch->run;
    run->op = stretch->next++;
    if (run->report->progress != NULL)
        run->report->progress->op = run->op;
    if (run->faults.is_watching)
        faults_begin_op(run);
    if (!run_op(run, &run->trace->ops[run->op]))
        return false;
    if (run->faults.is_watching)
        faults_end_op(run);
    return (!is_due(stretch->heap_every, &stretch->heap_left) || check_heap(run)) &&
           (!is_due(stretch->sweep_every, &stretch->sweep_left) ||
            run_sweep(run, "in a sweep after the op"));
}

static bool has_next(const struct stretch *stretch)
{
    return stretch->is_clean && stretch->next < stretch->run->trace->count;
}

static void run_stretch(void *context)
{
    struct stretch *stretch = context;
    struct run *run = stretch->run;
    run->running = run->member;
    while (has_next(stretch) &&
           (trace_op_traits(run->trace->ops[stretch->next].kind) & OP_PASSES_TOKEN) == 0)
        stretch->is_clean = run_next_op(stretch);
    run->running = 0;
}

/* Only where the token passes are two threads switched: that takes longer than most calls. */
static bool run_ops(struct run *run)
{
    bool is_thorough = run->round < THOROUGH_CYCLES;
    uint32_t heap_every = is_thorough ? run->options->heap_check_every : 0;
    uint32_t sweep_every = is_thorough ? run->options->sweep_every : 0;
    struct stretch stretch = {.run = run,
                              .heap_every = heap_every,
                              .heap_left = heap_every,
                              .sweep_every = sweep_every,
                              .sweep_left = sweep_every,
                              .is_clean = true};
    while (has_next(&stretch)) {
        run_in_member(run, run_stretch, &stretch);
        if (has_next(&stretch))
            stretch.is_clean = run_next_op(&stretch);
    }
    return stretch.is_clean;
}

bool run_free_all(struct run *run)
{
    while (run->shadow.live.count > 0) {
        struct trace_op op = {.kind = OP_FREE, .slot = slot_set_next_live(&run->shadow.live, 0)};
        if (!run_free(run, &op))
            return false;
    }
    return true;
}

bool run_cycle(struct run *run)
{
    if (run->report->progress != NULL)
        run->report->progress->round = run->round;
    faults_begin_cycle(run);
    if (!run_ops(run))
        return false;
    run->op = VERDICT_NO_OP;
    faults_end_cycle(run);
    threads_end_cycle(run);
    if (run->report->progress != NULL)
        run->report->progress->op = VERDICT_NO_OP;
    /* each free verifies its block: a sweep before would do it twice */
    bool is_walked = (run->round & (run->round - 1)) == 0;
    bool is_clean =
        run_free_all(run) && judge_foreign(run, "end") && (!is_walked || check_heap(run));
    run->round++;
    run->features = NULL;
    return is_clean;
}

bool run_trace(struct run *run, const struct subject *subject, const struct trace *trace,
               const struct run_options *options, const struct run_report *report,
               struct verdict *ret_verdict)
{
    run->subject = subject;
    run->offers = subject_offers(subject);
    run->trace = trace;
    run->options = options;
    run->report = report != NULL ? report : &no_report;
    run->verdict = ret_verdict;
    run->evaluated = run->report->evaluated != NULL ? run->report->evaluated : run->uncounted;
    run->is_cut_short = false;
    run->has_open_growth = false;
    run->muted_failures = 0;
    run->peak_size = 0;
    run->given_back = (struct trend_freed){0};
    run->may_have_kept = false;
    run->round = 0;
    feature_start(run);
    faults_begin(run);
    bool is_clean =
        run_cycle(run) && run_recovery(run) && (options->rounds == 0 || run_footprint(run));
    faults_end_cycle(run);
    threads_end(run);
    shadow_clear(&run->shadow);
    return is_clean || run->is_cut_short;
}

void run_trace_unchecked(struct run *run, const struct subject *subject, const struct trace *trace,
                         const struct run_options *options)
{
    size_t slots = 0;
    run->subject = subject;
    run->offers = subject_offers(subject);
    run->options = options;
    run->report = &no_report;
    run->evaluated = run->uncounted;
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_op *op = &trace->ops[i];
        struct block *block = &run->shadow.blocks[op->slot];
        slots = op->slot < slots ? slots : op->slot + 1;
        if (trace_op_traits(op->kind) & OP_HAS_SIZE) {
            struct request request = request_make(run, op);
            struct answer answer = {0};
            if (request_can_run(run, &request))
                answer = request_call(run, &request, block->start);
            if (!answer.is_null || request.total == 0)
                *block = (struct block){.start = answer.is_null ? NULL : answer.block,
                                        .size = request.total,
                                        .capacity = request.total};
        } else if (trace_op_traits(op->kind) & OP_FREES) {
            call_free(run, OP_FREE, block);
            *block = (struct block){0};
        }
    }
    for (size_t slot = 0; slot < slots; slot++)
        if (run->shadow.blocks[slot].start != NULL)
            call_free(run, OP_FREE, &run->shadow.blocks[slot]);
    memset(run->shadow.blocks, 0, slots * sizeof run->shadow.blocks[0]);
}
