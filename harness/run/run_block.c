/* SPDX-License-Identifier: MIT */
/*
 * Ops that make, move and free blocks: which checks stand around which call, and in what order. The
 * order matters: what could crash the harness (a wild size) is judged before memory is touched, and
 * a block is verified before the call that could hide its damage.
 */
#include "harness/run/run_internal.h"
#include "harness/trace/pattern.h"

#include <errno.h>

/* Blocks filled whole may sum up to this much; above, blocks are filled in samples, so that a trace
 * cannot eat the machine. */
#define FILLED_MAX ((size_t)256 << 20)

static void record_outcome(const struct run *run, const struct answer *answer, int error)
{
    if (run->report->outcomes == NULL || run->op >= run->trace->count)
        return;
    struct outcome *outcome = &run->report->outcomes[run->op];
    outcome->ran = 1;
    outcome->returned_null = answer->is_null;
    outcome->error = error;
}

static void record_answer(const struct run *run, const struct request *request,
                          const struct answer *answer)
{
    int error = !answer->is_null                                        ? 0
                : trace_op_traits(request->op->kind) & OP_RETURNS_ERROR ? answer->result
                : answer->error == ERRNO_SENTINEL                       ? 0
                                                                        : answer->error;
    record_outcome(run, answer, error);
    if (run->report->outcomes == NULL || run->op >= run->trace->count || answer->is_null)
        return;
    run->report->outcomes[run->op].block = (uintptr_t)answer->block;
    run->report->outcomes[run->op].size = request->total;
}

static uint64_t make_seed(const struct run *run, uint32_t slot)
{
    return ((uint64_t)run->op + 1) * 0xd6e8feb86659fd93u ^ (uint64_t)slot * 0xa0761d6478bd642fu;
}

/*
 * An allocator may leave a block that shrinks in its place with all the room it had; an aligned
 * one may have taken as much as its alignment.
 */
static size_t block_claim(const struct request *request, const void *start,
                          const struct block *replaced)
{
    size_t claim = request->total + request->alignment;
    return start == replaced->start && replaced->claim > claim ? replaced->claim : claim;
}

/* Pages that only malloc_usable_size says to be part of the block: if they are not there, the
 * process dies here. */
static void touch_granted(struct run *run, const struct block *block)
{
    uint8_t *end = block->start + block->capacity;
    uint8_t *page = block->start + block->size;
    page += -(uintptr_t)page % RUN_PAGE;
    if (block->size == 0 || page >= end)
        return;
    *(volatile uint8_t *)block->start = 0; /* what was requested comes first */
    *(volatile uint8_t *)(block->start + block->size - 1) = 0;
    run_is(run, RUN_TOUCHES_GRANTED);
    *(volatile uint8_t *)page = 0;
    *(volatile uint8_t *)(end - 1) = 0;
    run_is(run, RUN_TOUCHES);
}

/*
 * Enters a judged block into the shadow and fills it to its last usable byte. replaced: the block
 * that realloc made it of, or a dead one.
 */
static void take_block(struct run *run, const struct request *request, void *start, size_t capacity,
                       const struct block *replaced)
{
    uint32_t slot = request->op->slot;
    struct block *block = &run->shadow.blocks[slot];
    size_t fill_max = (size_t)run->options->fill_max;
    if (run->faults.is_in_last_call)
        /* the memory may not be there: only touching all of it proves that it is */
        fill_max = SIZE_MAX;
    if (run->shadow.filled + capacity > FILLED_MAX)
        fill_max = fill_max < PATTERN_DENSE ? 0 : PATTERN_DENSE;
    *block = (struct block){.start = start,
                            .size = request->total,
                            .capacity = capacity,
                            .alignment = request->alignment,
                            .claim = block_claim(request, start, replaced),
                            .fill_max = fill_max,
                            .seed = make_seed(run, slot),
                            .born = run->op,
                            .kind = request->op->kind};
    if (run->features != NULL)
        feature_new_block(run, block);
    touch_granted(run, block);
    pattern_fill(block->start, block->capacity, block->fill_max, block->seed);
    shadow_insert(&run->shadow, slot);
    if (run->shadow.live_size > run->peak_size)
        run->peak_size = run->shadow.live_size;
}

static void give_up_block(struct run *run, uint32_t slot)
{
    run->given_back.blocks++;
    run->given_back.bytes += run->shadow.blocks[slot].size;
    shadow_remove(&run->shadow, slot);
}

static bool judge_and_take(struct run *run, const struct request *request,
                           const struct answer *answer)
{
    size_t capacity;
    if (!judge_new_block(run, request, answer, &capacity))
        return false;
    take_block(run, request, answer->block, capacity, &(struct block){0});
    return true;
}

bool run_allocate(struct run *run, const struct request *request)
{
    struct answer answer = request_call(run, request, NULL);
    record_answer(run, request, &answer);
    if (!judge_errno_not_zero(run, trace_op_name(request->op->kind), answer.error) ||
        !judge_policy(run, request, answer.is_null))
        return false;
    if (answer.is_null)
        return judge_failure(run, request, &answer);
    return judge_and_take(run, request, &answer);
}

/* realloc to zero bytes that returns NULL has freed the block, in the reading that lets both
 * choices live. */
static bool is_freeing(const struct request *request)
{
    return request->total == 0;
}

static bool finish_failed_realloc(struct run *run, const struct request *request,
                                  const struct answer *answer)
{
    uint32_t slot = request->op->slot;
    if (is_freeing(request)) {
        give_up_block(run, slot);
        /* with errno set it may as well have failed, and nobody may free the block */
        run->may_have_kept |= answer->error != ERRNO_SENTINEL;
        return true;
    }
    if (!judge_failure(run, request, answer))
        return false;
    const struct block *block = &run->shadow.blocks[slot];
    run_evaluate(run, CHECK_KEPT);
    size_t wrong = pattern_verify(block->start, block->capacity, block->capacity, block->fill_max,
                                  block->seed);
    if (wrong != PATTERN_ALL_GOOD) {
        char call[CALL_TEXT_MAX];
        request_describe(request, call);
        return run_fail(run, CHECK_KEPT, trace_op_name(request->op->kind),
                        "%s failed and changed byte %zu of the old block: was 0x%02x, is 0x%02x",
                        call, wrong, pattern_byte(block->seed, wrong), block->start[wrong]);
    }
    return judge_usable_stable(run, slot);
}

/* realloc of a slot whose call failed is realloc(NULL, …), with the choices of that. */
static bool run_allocate_again(struct run *run, const struct request *request)
{
    struct trace_op op = *request->op;
    struct request again = *request;
    op.kind = op.kind == OP_REALLOC ? OP_REALLOC_NULL : OP_REALLOCARRAY_NULL;
    again.op = &op;
    return run_allocate(run, &again);
}

bool run_reallocate(struct run *run, const struct request *request)
{
    uint32_t slot = request->op->slot;
    struct block old = run->shadow.blocks[slot];
    if (old.start == NULL)
        return run_allocate_again(run, request);
    if (!judge_content(run, slot, "before realloc"))
        return false;
    struct answer answer = request_call(run, request, old.start);
    record_answer(run, request, &answer);
    if (!judge_errno_not_zero(run, trace_op_name(request->op->kind), answer.error) ||
        !judge_policy(run, request, answer.is_null))
        return false;
    if (answer.is_null)
        return finish_failed_realloc(run, request, &answer);
    give_up_block(run, slot);
    size_t capacity;
    if (!judge_new_block(run, request, &answer, &capacity) ||
        !judge_kept_prefix(run, request, &old, answer.block))
        return false;
    take_block(run, request, answer.block, capacity, &old);
    return true;
}

bool run_free(struct run *run, const struct trace_op *op)
{
    struct block old = run->shadow.blocks[op->slot];
    if (old.start != NULL) {
        if (!judge_content(run, op->slot, "at free") || !judge_usable_stable(run, op->slot))
            return false;
        if (run->features != NULL)
            feature_freed_block(run, &old);
        give_up_block(run, op->slot);
    }
    int error = call_free(run, op->kind, &old);
    record_outcome(run, &(struct answer){0}, error == ERRNO_SENTINEL ? 0 : error);
    const char *name = run_op_name(run->offers, op->kind);
    if (error == 0)
        return judge_errno_not_zero(run, name, error);
    run_evaluate(run, CHECK_ERRNO);
    return error == ERRNO_SENTINEL ||
           run_fail(run, CHECK_ERRNO, name, "%s(#%u) changed errno to %d", name, op->slot, error);
}
