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

static bool is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

struct request request_make(const struct run *run, const struct trace_op *op)
{
    unsigned shape = trace_op_shape(op->kind);
    struct request request = {
        .op = op, .count = 1, .size = resolve_size(run, op), .is_alignment_valid = true};
    request.total = request.size;
    bool overflows = false;
    if (shape & OP_HAS_COUNT) {
        request.count = (size_t)op->extra;
        overflows = __builtin_mul_overflow(request.count, request.size, &request.total);
    } else if (shape & OP_HAS_ALIGNMENT) {
        request.alignment = (size_t)op->extra;
        request.is_alignment_valid =
            is_power_of_two(request.alignment) &&
            (op->kind != OP_POSIX_MEMALIGN || request.alignment % sizeof(void *) == 0);
    } else if (op->kind == OP_VALLOC || op->kind == OP_PVALLOC) {
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
    return request->op->kind == OP_CALLOC ||
           run->shadow.blocks[request->op->slot].size > run->options->touch_max;
}

bool request_can_run(const struct run *run, const struct request *request)
{
    if (is_too_much_work(run, request))
        return false;
    const struct subject_calls *calls = &run->subject->calls;
    switch (request->op->kind) {
    case OP_MALLOC:
        return true;
    case OP_CALLOC:
        return calls->calloc != NULL;
    case OP_REALLOC:
    case OP_REALLOC_NULL:
        return calls->realloc != NULL;
    case OP_REALLOCARRAY:
    case OP_REALLOCARRAY_NULL:
        return calls->reallocarray != NULL;
    case OP_ALIGNED_ALLOC:
        return calls->aligned_alloc != NULL;
    case OP_POSIX_MEMALIGN:
        return calls->posix_memalign != NULL;
    case OP_MEMALIGN:
        return calls->memalign != NULL;
    case OP_VALLOC:
        return calls->valloc != NULL;
    case OP_PVALLOC:
        return calls->pvalloc != NULL;
    default:
        return false;
    }
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
    if (run->report->progress != NULL)
        run->report->progress->is_in_call = 1;
    *errno_of(run->subject) = ERRNO_SENTINEL;
    if (run->faults.is_watching)
        faults_enter(run);
}

static int leave_call(struct run *run)
{
    if (run->faults.is_watching)
        faults_leave(run);
    int error = *errno_of(run->subject);
    if (run->report->progress != NULL)
        run->report->progress->is_in_call = 0;
    return error;
}

static struct answer request_call_here(struct run *run, const struct request *request,
                                       void *old_block)
{
    const struct subject_calls *calls = &run->subject->calls;
    struct answer answer = {0};
    size_t size = request->size;
    enter_call(run);
    switch (request->op->kind) {
    case OP_MALLOC:
        answer.block = calls->malloc(size);
        break;
    case OP_CALLOC:
        answer.block = calls->calloc(request->count, size);
        break;
    case OP_REALLOC:
    case OP_REALLOC_NULL:
        answer.block = calls->realloc(old_block, size);
        break;
    case OP_REALLOCARRAY:
    case OP_REALLOCARRAY_NULL:
        answer.block = calls->reallocarray(old_block, request->count, size);
        break;
    case OP_ALIGNED_ALLOC:
        answer.block = calls->aligned_alloc(request->alignment, size);
        break;
    case OP_MEMALIGN:
        answer.block = calls->memalign(request->alignment, size);
        break;
    case OP_VALLOC:
        answer.block = calls->valloc(size);
        break;
    case OP_PVALLOC:
        answer.block = calls->pvalloc(size);
        break;
    case OP_POSIX_MEMALIGN:
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
    if (run->member == 0)
        return request_call_here(run, request, old_block);
    struct request_job job = {.run = run, .request = request, .old_block = old_block};
    run_in_member(run, do_request, &job);
    return job.answer;
}

static bool is_plain_kind(uint8_t kind)
{
    return kind == OP_MALLOC || kind == OP_CALLOC || kind == OP_REALLOC ||
           kind == OP_REALLOCARRAY || kind == OP_REALLOC_NULL || kind == OP_REALLOCARRAY_NULL;
}

static int call_free_here(struct run *run, enum op_kind kind, const struct block *block)
{
    const struct subject_calls *calls = &run->subject->calls;
    enter_call(run);
    if (kind == OP_FREE_SIZED && calls->free_sized != NULL && is_plain_kind(block->kind))
        calls->free_sized(block->start, block->size);
    else if (kind == OP_FREE_ALIGNED_SIZED && calls->free_aligned_sized != NULL &&
             block->kind == OP_ALIGNED_ALLOC)
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
    if (run->member == 0)
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
    unsigned shape = trace_op_shape(op->kind);
    char pointer[24] = "", extra[24] = "";
    const char *name = trace_op_name(op->kind);
    int name_length = 0;
    while (name[name_length] != 0 && name[name_length] != ' ')
        name_length++;
    if (op->kind == OP_REALLOC_NULL || op->kind == OP_REALLOCARRAY_NULL)
        snprintf(pointer, sizeof pointer, "NULL, ");
    else if (op->kind == OP_POSIX_MEMALIGN)
        snprintf(pointer, sizeof pointer, "&p, ");
    else if (shape & (OP_USES | OP_FREES))
        snprintf(pointer, sizeof pointer, "#%u%s", op->slot, shape & OP_HAS_SIZE ? ", " : "");
    if (shape & (OP_HAS_COUNT | OP_HAS_ALIGNMENT))
        snprintf(extra, sizeof extra, "%zu, ", (size_t)op->extra);
    if (shape & OP_HAS_SIZE)
        snprintf(ret_text, CALL_TEXT_MAX, "%.*s(%s%s%zu)", name_length, name, pointer, extra,
                 request->size);
    else if (shape & OP_HAS_NUMBER)
        snprintf(ret_text, CALL_TEXT_MAX, "%.*s(%zu)", name_length, name, (size_t)op->extra);
    else
        snprintf(ret_text, CALL_TEXT_MAX, "%.*s(%s)", name_length, name,
                 op->kind == OP_FREE_NULL ? "NULL" : pointer);
}
