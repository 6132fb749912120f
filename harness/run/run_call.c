/* SPDX-License-Identifier: MIT */
/*
 * From an op to the call: resolves sizes against the live blocks, knows what each function of the
 * family takes, and makes the call through the subject's volatile table with errno set to a
 * sentinel.
 */
#include "harness/run/run_internal.h"

#include <errno.h>
#include <stdio.h>

/* No user address space on 64-bit Linux is larger than 47 bits: a block that claims more cannot be
 * there. */
#define ADDRESS_SPACE ((size_t)1 << (sizeof(size_t) == 8 ? 47 : 31))

static size_t resolve_size(const struct run *run, const struct trace_op *op)
{
    if (op->size_base == SIZE_EXACT)
        return (size_t)op->size;
    const struct block *block = &run->shadow.blocks[op->size_slot];
    size_t base = op->size_base == SIZE_REQUESTED ? block->size : block->capacity;
    int64_t delta = (int64_t)op->size;
    return delta < 0 && base < (size_t)-delta ? 0 : base + (size_t)delta;
}

enum { SUBJECT_none = SUBJECT_CALL_COUNT };
static const uint8_t functions[OP_KINDS] = {
#define OP(id, text, function, traits, pairing) [OP_##id] = SUBJECT_##function,
    TRACE_OPS(OP)
#undef OP
};

enum subject_call run_call_of(enum op_kind kind)
{
    return functions[kind];
}

enum op_kind run_op_kind(unsigned offers, enum op_kind kind)
{
    enum subject_call call = run_call_of(kind);
    bool is_sized = call == SUBJECT_free_sized || call == SUBJECT_free_aligned_sized;
    return is_sized && (offers >> call & 1) == 0 ? OP_FREE : kind;
}

const char *run_op_name(unsigned offers, enum op_kind kind)
{
    enum subject_call call = run_call_of(run_op_kind(offers, kind));
    bool is_left_out = call < SUBJECT_CALL_COUNT && (offers >> call & 1) == 0;
    return trace_op_name(is_left_out ? OP_SWEEP : run_op_kind(offers, kind));
}

struct request request_make(const struct run *run, const struct trace_op *op)
{
    unsigned traits = trace_op_traits(op->kind);
    struct request request = {.op = op,
                              .count = 1,
                              .size = resolve_size(run, op),
                              .is_alignment_valid = trace_op_is_alignment_valid(op)};
    request.total = request.size;
    bool overflows = false;
    if (traits & OP_HAS_COUNT) {
        request.count = (size_t)op->extra;
        overflows = __builtin_mul_overflow(request.count, request.size, &request.total);
    } else if (traits & OP_HAS_ALIGNMENT) {
        request.alignment = (size_t)op->extra;
    } else if (traits & OP_IS_PAGED) {
        request.alignment = RUN_PAGE;
    }
    if (overflows)
        request.total = SIZE_MAX;
    request.is_impossible = request.total >= ADDRESS_SPACE ||
                            (request.is_alignment_valid && request.alignment >= ADDRESS_SPACE);
    return request;
}

/* calloc clears and realloc copies: gigabytes of that would be the machine's test, not the
 * subject's. */
static bool is_too_much_work(const struct run *run, const struct request *request)
{
    if (request->is_impossible || run->options->touch_max == 0 ||
        request->total <= run->options->touch_max)
        return false;
    return trace_op_traits(request->op->kind) & OP_ZEROES ||
           run->shadow.blocks[request->op->slot].size > run->options->touch_max;
}

bool request_can_run(const struct run *run, const struct request *request)
{
    if (trace_op_is_undefined(request->op) || is_too_much_work(run, request))
        return false;
    return (run->offers >> run_call_of(request->op->kind) & 1) != 0;
}

/* A pointer that no allocator returns: shows whether posix_memalign wrote to its out-parameter. */
static char untouched_target;

static int *errno_of(const struct subject *subject)
{
    return subject->errno_location != NULL ? subject->errno_location() : &errno;
}

/* Sets the stage for a call, and clears it: progress for whoever watches this process, a sentinel
 * in errno. */
static void enter_call(struct run *run)
{
    run_is(run, RUN_CALLS);
    run_evaluate(run, CHECK_CRASH);
    run_evaluate(run, CHECK_PROGRESS);
    *errno_of(run->subject) = ERRNO_SENTINEL;
    if (run->faults.is_watching)
        faults_enter(run);
}

static int leave_call(struct run *run)
{
    if (run->faults.is_watching)
        faults_leave(run);
    int error = *errno_of(run->subject);
    run_is(run, RUN_TOUCHES);
    return error;
}

static struct answer request_call_here(struct run *run, const struct request *request,
                                       void *old_block)
{
    const struct subject_calls *calls = &run->subject->calls;
    struct answer answer = {0};
    size_t size = request->size;
    enter_call(run);
    switch (run_call_of(request->op->kind)) {
    case SUBJECT_malloc:
        answer.block = calls->malloc(size);
        break;
    case SUBJECT_calloc:
        answer.block = calls->calloc(request->count, size);
        break;
    case SUBJECT_realloc:
        answer.block = calls->realloc(old_block, size);
        break;
    case SUBJECT_reallocarray:
        answer.block = calls->reallocarray(old_block, request->count, size);
        break;
    case SUBJECT_aligned_alloc:
        answer.block = calls->aligned_alloc(request->alignment, size);
        break;
    case SUBJECT_memalign:
        answer.block = calls->memalign(request->alignment, size);
        break;
    case SUBJECT_valloc:
        answer.block = calls->valloc(size);
        break;
    case SUBJECT_pvalloc:
        answer.block = calls->pvalloc(size);
        break;
    case SUBJECT_posix_memalign:
        answer.block = &untouched_target;
        answer.result = calls->posix_memalign(&answer.block, request->alignment, size);
        break;
    default:
        break;
    }
    answer.error = leave_call(run);
    answer.is_untouched = answer.block == &untouched_target;
    answer.is_null = answer.block == NULL || answer.result != 0;
    return answer;
}

struct request_job {
    struct run *run;
    const struct request *request;
    void *old_block;
    struct answer answer;
};

static void do_request(void *context)
{
    struct request_job *job = context;
    job->answer = request_call_here(job->run, job->request, job->old_block);
}

struct answer request_call(struct run *run, const struct request *request, void *old_block)
{
    if (run->member == run->running)
        return request_call_here(run, request, old_block);
    struct request_job job = {.run = run, .request = request, .old_block = old_block};
    run_in_member(run, do_request, &job);
    return job.answer;
}

static int call_free_here(struct run *run, enum op_kind kind, const struct block *block)
{
    const struct subject_calls *calls = &run->subject->calls;
    enum subject_call call =
        trace_op_may_free(kind, block->kind) ? run_call_of(kind) : SUBJECT_free;
    enter_call(run);
    if (call == SUBJECT_free_sized && calls->free_sized != NULL)
        calls->free_sized(block->start, block->size);
    else if (call == SUBJECT_free_aligned_sized && calls->free_aligned_sized != NULL)
        calls->free_aligned_sized(block->start, block->alignment, block->size);
    else
        calls->free(block->start);
    return leave_call(run);
}

struct free_job {
    struct run *run;
    enum op_kind kind;
    const struct block *block;
    int error;
};

static void do_free(void *context)
{
    struct free_job *job = context;
    job->error = call_free_here(job->run, job->kind, job->block);
}

int call_free(struct run *run, enum op_kind kind, const struct block *block)
{
    if (run->member == run->running)
        return call_free_here(run, kind, block);
    struct free_job job = {.run = run, .kind = kind, .block = block};
    run_in_member(run, do_free, &job);
    return job.error;
}

static void trim_here(void *context)
{
    struct run *run = context;
    enter_call(run);
    run->subject->calls.malloc_trim((size_t)run->trace->ops[run->op].extra);
    leave_call(run);
}

void call_trim(struct run *run)
{
    if (run->subject->calls.malloc_trim != NULL)
        run_in_member(run, trim_here, run);
}

void request_describe(const struct request *request, char ret_text[CALL_TEXT_MAX])
{
    const struct trace_op *op = request->op;
    unsigned traits = trace_op_traits(op->kind);
    char pointer[24] = "", extra[24] = "";
    if (traits & OP_PASSES_NULL)
        snprintf(pointer, sizeof pointer, "NULL, ");
    else if (traits & OP_RETURNS_ERROR)
        snprintf(pointer, sizeof pointer, "&p, ");
    else if (traits & OP_USES)
        snprintf(pointer, sizeof pointer, "#%u, ", op->slot);
    if (traits & OP_TAKES_EXTRA)
        snprintf(extra, sizeof extra, "%zu, ", (size_t)op->extra);
    snprintf(ret_text, CALL_TEXT_MAX, "%s(%s%s%zu)", subject_call_name(run_call_of(op->kind)),
             pointer, extra, request->size);
}
