/* SPDX-License-Identifier: MIT */
/*
 * The checks, one function each: what a call returned against what it promises. Readings, where
 * standards differ, are the weakest that any of them allows, so that no correct allocator is
 * blamed; stricter ones are options.
 */
#include "harness/base/text.h"
#include "harness/run/run_internal.h"
#include "harness/trace/pattern.h"
#include "harness/trace/trace_slots.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FUNDAMENTAL_ALIGNMENT = _Alignof(max_align_t), LESSER_ALIGNMENT = 8 };
/* A subject of unlimited capacity must be able to hold this much; one with a limit, this part of
 * it, fragmentation being lawful. */
#define MODEST_TOTAL ((size_t)64 << 20)
enum { MODEST_PART = 8 };
/* Which alignments above the fundamental ones aligned_alloc and memalign support is an
 * implementation's choice: those up to a page must be, and as large ones as the subject has served.
 * POSIX leaves no such choice to posix_memalign; Scudo stops at 16 MiB. */
enum { MODEST_ALIGNMENT = 4096 };
#define MODEST_POSIX_ALIGNMENT ((size_t)4 << 20)

static bool is_muted(const struct run *run, enum check check, const char *site)
{
    const struct run_options *options = run->options;
    if ((options->muted >> check & 1) != 0)
        return true;
    for (uint32_t i = 0; i < options->muted_class_count && i < RUN_MUTED_MAX; i++)
        if (options->muted_classes[i].check == check &&
            strncmp(options->muted_classes[i].site, site, VERDICT_SITE_MAX) == 0)
            return true;
    return false;
}

bool run_fail(struct run *run, enum check check, const char *site, const char *format, ...)
{
    char full_site[VERDICT_SITE_MAX];
    snprintf(full_site, sizeof full_site, "%s%s", site,
             run->faults.is_in_last_call ? RUN_FAULT_SITE : "");
    if (is_muted(run, check, full_site)) {
        run->muted_failures++;
        run->is_cut_short = check == CHECK_OVERLAP || check == CHECK_CONTENT ||
                            check == CHECK_HEAP || check == CHECK_IMPOSSIBLE;
        return !run->is_cut_short;
    }
    struct verdict *verdict = run->verdict;
    memset(verdict, 0, sizeof *verdict);
    verdict->check = check;
    verdict->op = run->op;
    verdict->cycle = run->round;
    memcpy(verdict->site, full_site, sizeof verdict->site);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->sentence, sizeof verdict->sentence, format, arguments);
    va_end(arguments);
    return false;
}

/* The C function that an op calls, as the site of its findings: "realloc" for OP_REALLOC_NULL
 * too. */
static const char *site_of(const struct request *request)
{
    return subject_call_name(run_call_of(request->op->kind));
}

static bool has_trait(const struct request *request, enum op_trait trait)
{
    return (trace_op_traits(request->op->kind) & trait) != 0;
}

static bool lacks(const struct run *run, enum subject_capability capability)
{
    return (run->offers >> capability & 1) == 0;
}

#define FAIL(run, check, request, format, ...)                                         \
    do {                                                                               \
        char call_[CALL_TEXT_MAX];                                                     \
        request_describe(request, call_);                                              \
        if (!run_fail(run, check, site_of(request), "%s " format, call_, __VA_ARGS__)) \
            return false;                                                              \
    } while (0)

bool judge_errno_not_zero(struct run *run, const char *site, int error)
{
    run_evaluate(run, CHECK_ERRNO);
    return error != 0 || run_fail(run, CHECK_ERRNO, site, "%s set errno to 0", site);
}

static size_t modest_alignment(const struct run *run, const struct request *request)
{
    if (has_trait(request, OP_RETURNS_ERROR) || run->served_alignment > MODEST_POSIX_ALIGNMENT)
        return MODEST_POSIX_ALIGNMENT;
    return run->served_alignment > MODEST_ALIGNMENT ? run->served_alignment : MODEST_ALIGNMENT;
}

/*
 * So little is asked for that a NULL is not for want of memory. Under a limited capacity
 * fragmentation is lawful: the live blocks cut what is left into at most one gap more than there
 * are blocks, and only what fits into the mean gap of a part of the capacity must succeed.
 */
static bool is_modest(const struct run *run, const struct request *request)
{
    const struct shadow *shadow = &run->shadow;
    bool is_limited = run->options->capacity != 0;
    size_t room = is_limited ? (size_t)run->options->capacity / MODEST_PART : MODEST_TOTAL;
    size_t wanted;
    if (run->options->blocks != 0 && shadow->live.count >= run->options->blocks / 2)
        return false;
    if (faults_excuse_null(run) || request->alignment > modest_alignment(run, request) ||
        __builtin_add_overflow(request->total, request->alignment, &wanted) ||
        shadow->live_claim > room)
        return false;
    return wanted <= (room - shadow->live_claim) / (is_limited ? shadow->live.count + 1 : 1);
}

/* The size is no multiple of the alignment, where it should be one. */
static bool is_uneven(const struct request *request)
{
    return has_trait(request, OP_WANTS_EVEN) &&
           (request->alignment == 0 || request->total % request->alignment != 0);
}

/* Success and failure both answer one of these questions. */
static void evaluate_answer(struct run *run, const struct request *request)
{
    if (request->is_impossible)
        run_evaluate(run, CHECK_IMPOSSIBLE);
    else if (request->is_alignment_valid && is_modest(run, request))
        run_evaluate(run, run->faults.has_failed ? CHECK_RECOVERY : CHECK_NULL);
}

static bool is_small_alignment(const struct request *request)
{
    return request->is_alignment_valid && request->alignment > 0 &&
           request->alignment < FUNDAMENTAL_ALIGNMENT;
}

/* What a failure may leave in errno, or posix_memalign return. */
struct allowed_errors {
    bool einval, enomem, any, untouched;
};

/* EINVAL is for a bad alignment (for aligned_alloc also a size that is no multiple of it), ENOMEM
 * for everything else; with both wrong either will do. Of a modest request that fails for its
 * small alignment, EINVAL is the truth, and check null has it. memalign, valloc and pvalloc are no
 * standard's: the manuals only promise that errno is set, and of a bad alignment nothing. */
static struct allowed_errors allow_errors(const struct run *run, const struct request *request)
{
    bool is_extension = has_trait(request, OP_IS_EXTENSION);
    bool may_lack_alignment = request->alignment > MODEST_ALIGNMENT ||
                              (is_small_alignment(request) && is_modest(run, request));
    struct allowed_errors allowed = {
        .einval = !request->is_alignment_valid || is_uneven(request) || request->total == 0 ||
                  (may_lack_alignment && !has_trait(request, OP_RETURNS_ERROR))};
    allowed.enomem = request->is_alignment_valid || request->is_impossible ||
                     !has_trait(request, OP_RETURNS_ERROR);
    allowed.any = is_extension;
    allowed.untouched = request->total == 0 || (!request->is_alignment_valid && is_extension);
    return allowed;
}

static const char *describe_errors(struct allowed_errors allowed)
{
    return !allowed.einval ? "ENOMEM" : !allowed.enomem ? "EINVAL" : "EINVAL or ENOMEM";
}

static bool judge_failure_errno(struct run *run, const struct request *request,
                                const struct answer *answer)
{
    struct allowed_errors allowed = allow_errors(run, request);
    bool is_returned = has_trait(request, OP_RETURNS_ERROR);
    int error = is_returned ? answer->result : answer->error;
    if ((error == ENOMEM && allowed.enomem) || (error == EINVAL && allowed.einval))
        return true;
    if (is_returned && error == 0 && request->total == 0 && request->is_alignment_valid)
        return true; /* success, with a null pointer for no bytes: POSIX lets it choose */
    if (!is_returned && lacks(run, SUBJECT_failure_errno))
        return true;
    if (is_returned)
        FAIL(run, CHECK_ERRNO, request, "returned %d, must be %s", error, describe_errors(allowed));
    else if (error != ERRNO_SENTINEL && !allowed.any)
        FAIL(run, CHECK_ERRNO, request, "failed with errno %d, must be %s", error,
             describe_errors(allowed));
    else if (error == ERRNO_SENTINEL && !allowed.untouched)
        FAIL(run, CHECK_ERRNO, request, "failed and left errno unset, must be %s",
             describe_errors(allowed));
    return true;
}

bool judge_failure(struct run *run, const struct request *request, const struct answer *answer)
{
    evaluate_answer(run, request);
    if (answer->result != 0)
        run_evaluate(run, CHECK_NULL);
    if (answer->result != 0 && !answer->is_untouched && answer->block != NULL)
        FAIL(run, CHECK_NULL, request, "failed with %d and wrote %p to its out-parameter",
             answer->result, answer->block);
    if (!judge_failure_errno(run, request, answer))
        return false;
    if (request->total == 0)
        return true; /* the subject's choice: judge_policy */
    if (!is_modest(run, request) || !request->is_alignment_valid || is_uneven(request))
        return true;
    if (run->faults.has_failed)
        FAIL(
            run, CHECK_RECOVERY, request,
            "failed with only %zu bytes live: an OS call had failed earlier, none did in this call",
            run->shadow.live_size);
    else
        FAIL(run, CHECK_NULL, request, "failed with only %zu bytes live", run->shadow.live_size);
    return true;
}

static size_t floor_power_of_two(size_t n)
{
    while (n & (n - 1))
        n &= n - 1;
    return n;
}

/* A power of two. C23 (N2293) lets a block be aligned for the types that fit in it only; C17 wants
 * the fundamental alignment for every size. */
static size_t promised_alignment(const struct run *run, const struct request *request)
{
    if (request->alignment != 0)
        return request->is_alignment_valid ? request->alignment : 1;
    size_t full = lacks(run, SUBJECT_full_alignment) ? LESSER_ALIGNMENT : FUNDAMENTAL_ALIGNMENT;
    if (run->options->strict_alignment || request->total >= full)
        return full;
    return request->total > 0 ? floor_power_of_two(request->total) : 1;
}

static bool judge_alignment(struct run *run, const struct request *request, const void *block)
{
    size_t promised = promised_alignment(run, request);
    size_t off = (uintptr_t)block & (promised - 1);
    if (promised > 1)
        run_evaluate(run, CHECK_ALIGNMENT);
    if (off != 0)
        FAIL(run, CHECK_ALIGNMENT, request,
             "returned %p, which is %zu byte%s past a multiple of %zu", block, off,
             text_plural(off), promised);
    else if (!has_trait(request, OP_RETURNS_ERROR) && promised > run->served_alignment)
        run->served_alignment = promised;
    return true;
}

size_t run_usable_of(struct run *run, void *block)
{
    run_is(run, RUN_ASKS);
    size_t capacity = run->subject->calls.malloc_usable_size(block);
    run_is(run, RUN_TOUCHES);
    return capacity;
}

static bool judge_usable(struct run *run, const struct request *request, void *block,
                         size_t *ret_capacity)
{
    *ret_capacity = request->total;
    if (run->subject->calls.malloc_usable_size == NULL)
        return true;
    run_evaluate(run, CHECK_USABLE);
    size_t capacity = run_usable_of(run, block);
    if (capacity >= request->total && capacity - request->total < (size_t)PTRDIFF_MAX)
        *ret_capacity = capacity;
    else
        FAIL(run, CHECK_USABLE, request,
             "returned a block of which malloc_usable_size says %zu bytes", capacity);
    return true;
}

static bool judge_overlap(struct run *run, const struct request *request, const void *block,
                          size_t capacity)
{
    run_evaluate(run, CHECK_OVERLAP);
    uint32_t other = shadow_find_overlap(&run->shadow, block, capacity);
    if (other != TRACE_SLOTS) {
        const struct block *live = &run->shadow.blocks[other];
        FAIL(run, CHECK_OVERLAP, request,
             "returned %p of %zu usable bytes, which intersects live block #%u: %p of %zu", block,
             capacity, other, (void *)live->start, live->capacity);
    }
    const struct foreign *foreign = break_find_overlap(run, block, capacity);
    if (foreign != NULL)
        FAIL(run, CHECK_OVERLAP, request,
             "returned %p of %zu usable bytes, which intersects the %zu bytes at %p that another "
             "user of sbrk got",
             block, capacity, foreign->size, (void *)foreign->start);
    uintptr_t start = (uintptr_t)block, end = start + capacity;
    for (size_t i = 0; i < sizeof run->own / sizeof run->own[0]; i++)
        if (start < run->own[i].end && end > run->own[i].start)
            FAIL(run, CHECK_OVERLAP, request,
                 "returned %p of %zu usable bytes, which lies in the program's own memory", block,
                 capacity);
    return true;
}

static bool judge_zeroed(struct run *run, const struct request *request, const uint8_t *block)
{
    if (!has_trait(request, OP_ZEROES) || request->total == 0)
        return true;
    run_evaluate(run, CHECK_ZEROED);
    size_t wrong = pattern_verify_zero(block, request->total, (size_t)run->options->fill_max);
    if (wrong != PATTERN_ALL_GOOD)
        FAIL(run, CHECK_ZEROED, request, "returned a block whose byte %zu is 0x%02x, must be 0",
             wrong, block[wrong]);
    return true;
}

bool judge_new_block(struct run *run, const struct request *request, const struct answer *answer,
                     size_t *ret_capacity)
{
    *ret_capacity = request->total;
    evaluate_answer(run, request);
    if (answer->is_untouched)
        return run_fail(run, CHECK_NULL, site_of(request),
                        "posix_memalign returned 0 and left its out-parameter unset");
    if (request->is_impossible) {
        FAIL(run, CHECK_IMPOSSIBLE, request, "returned %p; no such request can succeed",
             answer->block);
    }
    if (has_trait(request, OP_RETURNS_ERROR) && !request->is_alignment_valid)
        FAIL(run, CHECK_ERRNO, request, "returned %d, must be EINVAL", 0);
    return judge_alignment(run, request, answer->block) &&
           judge_usable(run, request, answer->block, ret_capacity) &&
           judge_overlap(run, request, answer->block, *ret_capacity) &&
           judge_zeroed(run, request, answer->block);
}

const char *run_site(const struct run *run)
{
    return run->op < run->trace->count ? run_op_name(run->offers, run->trace->ops[run->op].kind)
                                       : "end";
}

bool judge_content(struct run *run, uint32_t slot, const char *when)
{
    const struct block *block = &run->shadow.blocks[slot];
    run_evaluate(run, CHECK_CONTENT);
    size_t wrong = pattern_verify(block->start, block->capacity, block->capacity, block->fill_max,
                                  block->seed);
    if (wrong == PATTERN_ALL_GOOD)
        return true;
    return run_fail(run, CHECK_CONTENT, run_site(run),
                    "block #%u (%s, %zu bytes, %zu usable) changed while live: byte %zu was "
                    "0x%02x, is 0x%02x, seen %s",
                    slot, trace_op_name(block->kind), block->size, block->capacity, wrong,
                    pattern_byte(block->seed, wrong), block->start[wrong], when);
}

bool judge_kept_prefix(struct run *run, const struct request *request, const struct block *old,
                       const uint8_t *moved)
{
    size_t kept = old->size < request->total ? old->size : request->total;
    if (kept > 0)
        run_evaluate(run, CHECK_CONTENT);
    size_t wrong = pattern_verify(moved, old->capacity, kept, old->fill_max, old->seed);
    if (wrong != PATTERN_ALL_GOOD)
        FAIL(run, CHECK_CONTENT, request,
             "kept only %zu of %zu byte%s: byte %zu was 0x%02x, is 0x%02x", wrong, kept,
             text_plural(kept), wrong, pattern_byte(old->seed, wrong), moved[wrong]);
    return true;
}

bool judge_usable_stable(struct run *run, uint32_t slot)
{
    const struct block *block = &run->shadow.blocks[slot];
    if (run->subject->calls.malloc_usable_size == NULL)
        return true;
    run_evaluate(run, CHECK_USABLE);
    size_t capacity = run_usable_of(run, block->start);
    return capacity == block->capacity ||
           run_fail(run, CHECK_USABLE, "malloc_usable_size",
                    "malloc_usable_size(#%u) was %zu after %s and is %zu now", slot,
                    block->capacity, trace_op_name(block->kind), capacity);
}

/* The choice that a request puts to the subject; POLICY_COUNT if it leaves none. What refuses a
 * small alignment does so whatever the size: check null's, not a choice about sizes. */
static enum policy_id policy_of(const struct request *request)
{
    bool is_empty = request->total == 0;
    if (is_small_alignment(request))
        return POLICY_COUNT;
    switch (request->op->kind) {
    case OP_MALLOC:
        return is_empty ? POLICY_MALLOC_ZERO : POLICY_COUNT;
    case OP_CALLOC:
        return is_empty ? POLICY_CALLOC_ZERO : POLICY_COUNT;
    case OP_REALLOC:
        return is_empty ? POLICY_REALLOC_ZERO : POLICY_COUNT;
    case OP_REALLOC_NULL:
        return is_empty ? POLICY_REALLOC_NULL_ZERO : POLICY_COUNT;
    case OP_POSIX_MEMALIGN:
        return is_empty && request->is_alignment_valid ? POLICY_POSIX_MEMALIGN_ZERO : POLICY_COUNT;
    case OP_ALIGNED_ALLOC:
        if (!request->is_alignment_valid)
            return request->alignment > 0 && request->alignment < RUN_PAGE ? POLICY_ALIGNED_INVALID
                                                                           : POLICY_COUNT;
        return is_empty                                   ? POLICY_ALIGNED_ZERO
               : request->total % request->alignment != 0 ? POLICY_ALIGNED_UNEVEN
                                                          : POLICY_COUNT;
    default:
        return POLICY_COUNT;
    }
}

bool judge_policy(struct run *run, const struct request *request, bool is_null)
{
    enum policy_id id = policy_of(request);
    if (id == POLICY_COUNT || !is_modest(run, request))
        return true;
    uint8_t choice = is_null ? POLICY_NULL : POLICY_BLOCK;
    if (run->policy.choice[id] == POLICY_UNKNOWN)
        run->policy.choice[id] = choice;
    else
        run_evaluate(run, CHECK_POLICY);
    if (run->policy.choice[id] != choice)
        FAIL(run, CHECK_POLICY, request, "returned %s; before, %s returned %s",
             is_null ? "NULL" : "a block", policy_text(id), is_null ? "a block" : "NULL");
    return true;
}

bool run_sweep(struct run *run, const char *when)
{
    const struct slot_set *live = &run->shadow.live;
    uint32_t slot = 0;
    if (!judge_foreign(run, run_site(run)))
        return false;
    for (size_t left = live->count; left > 0; left--, slot++) {
        slot = slot_set_next_live(live, slot);
        if (!judge_content(run, slot, when))
            return false;
    }
    return true;
}
