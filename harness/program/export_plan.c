/* SPDX-License-Identifier: MIT */
/* What a trace needs as a C program: which calls, how many blocks, which helpers. What is not
 * needed is not written. */
#include "harness/program/export_internal.h"

#include <string.h>

/* Beyond twice those of the run: the program is no copy of its process. */
enum { MORE_CYCLES = 16 };
#define LARGE_BLOCK ((uint64_t)1 << 20) /* bytes; larger ones are not filled whole */

static bool is_at(const struct verdict *verdict, const char *site)
{
    return verdict != NULL && strncmp(verdict->site, site, strlen(site)) == 0;
}

static bool is_filling_check(enum check check)
{
    return check != CHECK_RECOVERY && check != CHECK_ALIGNMENT && check != CHECK_IMPOSSIBLE &&
           check != CHECK_NULL && check != CHECK_ERRNO && check != CHECK_POLICY;
}

static bool has_slot(const struct trace_op *op)
{
    return (trace_op_traits(op->kind) & OP_TAKES_SLOT) != 0;
}

const struct trace_op *plan_maker_of(const struct trace *trace, size_t i)
{
    uint32_t slot = trace->ops[i].slot;
    while (i-- > 0) {
        const struct trace_op *op = &trace->ops[i];
        if (has_slot(op) && op->slot == slot && trace_op_traits(op->kind) & OP_HAS_SIZE)
            return op;
    }
    return &trace->ops[0]; /* not in a well-formed trace */
}

enum subject_call plan_call_of_op(const struct trace *trace, size_t i)
{
    enum op_kind kind = trace->ops[i].kind;
    bool is_refused = (trace_op_traits(kind) & OP_FREES) != 0 &&
                      !trace_op_may_free(kind, plan_maker_of(trace, i)->kind);
    return is_refused ? SUBJECT_free : run_call_of(kind);
}

static void plan_op(struct plan *plan, size_t i)
{
    const struct trace_op *op = &plan->trace->ops[i];
    unsigned traits = trace_op_traits(op->kind);
    enum subject_call call = plan_call_of_op(plan->trace, i);
    plan->kinds |= 1u << op->kind;
    if (has_slot(op) && op->slot >= plan->slots)
        plan->slots = op->slot + 1;
    if (traits & OP_HAS_SIZE) {
        /* An aligned block may be usable up to its alignment: glibc's memalign(2^33, 64) is. */
        uint64_t asked = trace_op_total(op) | ((traits & OP_HAS_ALIGNMENT) != 0 ? op->extra : 0);
        plan->has_large |= asked > LARGE_BLOCK;
        plan->total += asked < UINT32_MAX ? asked : 0;
        plan->has_sizes |= !plan_is_exact(op);
    }
    if (call == SUBJECT_free_sized || call == SUBJECT_free_aligned_sized)
        plan->has_sizes = true;
}

static bool has_same_choice(const struct trace_op *left, const struct trace_op *right)
{
    return left->kind == right->kind && trace_op_total(left) == trace_op_total(right) &&
           left->extra == right->extra && plan_is_exact(left);
}

static void plan_policy(struct plan *plan)
{
    uint32_t blamed = plan->verdict->op;
    for (size_t i = 0; blamed < plan->trace->count && i < blamed && plan->first_choice == SIZE_MAX;
         i++)
        if (has_same_choice(&plan->trace->ops[i], &plan->trace->ops[blamed]))
            plan->first_choice = i;
}

struct plan plan_make(const struct trace *trace, const struct verdict *verdict)
{
    struct plan plan = {
        .trace = trace, .verdict = verdict, .check = CHECK_COUNT, .first_choice = SIZE_MAX};
    struct slot_set live = {0};
    if (verdict != NULL)
        plan.check = verdict->check;
    for (size_t i = 0; i < trace->count; i++) {
        plan_op(&plan, i);
        slot_set_apply(&live, &trace->ops[i]);
    }
    plan.has_threads = plan_uses(&plan, OP_THREAD) || plan_uses(&plan, OP_THREAD_EXIT);
    plan.has_faults = plan_uses(&plan, OP_FAIL_OS);
    plan.is_cycle =
        plan.check == CHECK_FOOTPRINT || (plan.check == CHECK_RECOVERY && is_at(verdict, "cycle"));
    plan.recovers = plan.check == CHECK_RECOVERY && !plan.is_cycle;
    bool is_late = verdict != NULL && verdict_is_late(verdict);
    plan.repeats = is_late ? 2 * (verdict->cycle + UINT64_C(1)) + MORE_CYCLES : 0;
    /* the cycle behind one with failures is the one without */
    bool is_second = is_late && verdict->cycle == 1;
    plan.has_safe_cycle = plan.has_faults && (plan.recovers || plan.is_cycle || is_second);
    plan.is_filling = (is_filling_check(plan.check) || plan.is_cycle || is_at(verdict, "fork")) &&
                      (plan.slots > 0 || plan_uses(&plan, OP_SBRK) || plan_uses(&plan, OP_FORK));
    bool is_last_free_asserted = plan.check == CHECK_ERRNO && verdict->op == VERDICT_NO_OP;
    plan.has_live_end = live.count > 0 && (plan.is_filling || is_last_free_asserted ||
                                           plan.recovers || plan.repeats > 0);
    plan.has_sizes |= plan.is_filling;
    if (plan.check == CHECK_POLICY)
        plan_policy(&plan);
    return plan;
}
