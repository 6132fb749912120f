/* SPDX-License-Identifier: MIT */
/* Ops as lines of C, in the two forms that export.c explains. What is asserted behind a call:
 * export_assert.c. */
#include "harness/program/export_internal.h"
#include "harness/program/program.h"
#include "harness/run/team.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void export_put(const struct plan *plan, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(plan->out, format, arguments);
    va_end(arguments);
}

/* Expressions. */

static void put_number(const struct plan *plan, uint64_t value)
{
    const uint64_t most = program_size_max(), half = most / 2, near = 65536;
    value &= most;
    if (value == most)
        export_put(plan, "SIZE_MAX");
    else if (value > most - near)
        export_put(plan, "SIZE_MAX - %" PRIu64, most - value);
    else if (value == half)
        export_put(plan, "(size_t)PTRDIFF_MAX");
    else if (value > half && value - half <= near)
        export_put(plan, "(size_t)PTRDIFF_MAX + %" PRIu64, value - half);
    else if (value <= half && half - value <= near)
        export_put(plan, "(size_t)PTRDIFF_MAX - %" PRIu64, half - value);
    else
        export_put(plan, "%" PRIu64 "%s", value, value > INT64_MAX ? "u" : "");
}

static void put_size(const struct plan *plan, const struct trace_op *op)
{
    if (plan_is_exact(op)) {
        put_number(plan, op->size);
        return;
    }
    char base[64];
    const char *format = op->size_base == SIZE_REQUESTED ? "n[%" PRIu32 "]"
                         : plan->is_filling              ? "filled[%" PRIu32 "]"
                                                         : "usable(p[%" PRIu32 "], n[%" PRIu32 "])";
    snprintf(base, sizeof base, format, op->size_slot, op->size_slot);
    int64_t delta = (int64_t)op->size;
    if (delta == 0)
        export_put(plan, "%s", base);
    else if (delta > 0)
        export_put(plan, "%s + %" PRId64, base, delta);
    else
        export_put(plan, "(%s > %" PRId64 " ? %s - %" PRId64 " : 0)", base, -delta, base, -delta);
}

static void put_total(const struct plan *plan, const struct trace_op *op)
{
    bool has_count = (trace_op_traits(op->kind) & OP_HAS_COUNT) != 0;
    if (plan_is_exact(op)) {
        put_number(plan, trace_op_total(op));
        return;
    }
    if (has_count) {
        export_put(plan, "times(");
        put_number(plan, op->extra);
        export_put(plan, ", ");
    }
    put_size(plan, op);
    export_put(plan, has_count ? ")" : "");
}

void export_put_call(const struct plan *plan, const struct trace_op *op, const char *prefix,
                     const char *old)
{
    unsigned traits = trace_op_traits(op->kind);
    if (traits & OP_RETURNS_ERROR)
        export_put(plan, "%s(", *prefix != '\0' ? "posix" : "posix_memalign");
    else
        export_put(plan, "%s%s(", prefix, subject_call_name(run_call_of(op->kind)));
    if (traits & OP_USES)
        export_put(plan, "%s, ", old);
    else if (traits & OP_PASSES_NULL)
        export_put(plan, "NULL, ");
    if (traits & (OP_HAS_COUNT | OP_HAS_ALIGNMENT)) {
        put_number(plan, op->extra);
        export_put(plan, ", ");
    }
    put_size(plan, op);
    export_put(plan, ")");
}

/* Ops, filling. */

/* A program without a verdict may be run on any allocator, also on one without these. */
static bool is_optional(const struct plan *plan, const struct trace_op *op)
{
    return plan->verdict == NULL && trace_op_traits(op->kind) & (OP_HAS_ALIGNMENT | OP_IS_PAGED);
}

static void put_filling_call(const struct plan *plan, const struct trace_op *op)
{
    char old[24];
    bool is_move = (trace_op_traits(op->kind) & OP_USES) != 0,
         is_calloc = (trace_op_traits(op->kind) & OP_ZEROES) != 0;
    snprintf(old, sizeof old, "hold(%" PRIu32 ")", op->slot);
    export_put(plan, "    %s(%" PRIu32 ", %s", is_move ? "move" : "take", op->slot,
               is_calloc ? "zeroed(" : "");
    bool is_guarded = is_optional(plan, op);
    if (is_guarded)
        export_put(plan, "is_own((void *)do_%s) ? ", subject_call_name(run_call_of(op->kind)));
    export_put_call(plan, op, "do_", old);
    export_put(plan, is_guarded ? " : NULL" : "");
    if (is_calloc) {
        export_put(plan, ", ");
        put_total(plan, op);
        export_put(plan, ")");
    }
    export_put(plan, ", ");
    put_total(plan, op);
    export_put(plan, ");\n");
}

/* Frees the block that `block` is the text of. */
static void put_free(const struct plan *plan, size_t i, const char *block)
{
    uint32_t slot = plan->trace->ops[i].slot;
    enum subject_call call = plan_call_of_op(plan->trace, i);
    if (call == SUBJECT_free_sized)
        export_put(plan, "    release_sized(%s, n[%" PRIu32 "]);", block, slot);
    else if (call == SUBJECT_free_aligned_sized)
        export_put(plan, "    release_aligned_sized(%s, %" PRIu64 ", n[%" PRIu32 "]);", block,
                   plan_maker_of(plan->trace, i)->extra, slot);
    else
        export_put(plan, "    do_free(%s);", block);
}

static void put_filling_op(const struct plan *plan, size_t i)
{
    const struct trace_op *op = &plan->trace->ops[i];
    unsigned traits = trace_op_traits(op->kind);
    if (traits & OP_HAS_SIZE) {
        put_filling_call(plan, op);
    } else if (traits & OP_FREES) {
        char block[24];
        snprintf(block, sizeof block, "drop(%" PRIu32 ")", op->slot);
        put_free(plan, i, block);
        export_put(plan, "\n");
    } else if (op->kind == OP_USABLE_SIZE) {
        export_put(plan, "    usable(hold(%" PRIu32 "), n[%" PRIu32 "]);\n", op->slot, op->slot);
    } else if (op->kind == OP_SWEEP) {
        export_put(plan, "    for (int i = 0; i < BLOCKS; i++)\n        hold(i);\n");
    } else if (op->kind == OP_FORK) {
        export_put(plan, "    %svisit_in_child();\n",
                   plan_forks_once(plan) ? "if (cycles == 0)\n        " : "");
    }
}

/* Ops, plain. */

/* Keeps n[], where a later size or free refers to it. A failed realloc keeps the old one. */
static void put_plain_size(const struct plan *plan, const struct trace_op *op, const char *target)
{
    if (!plan->has_sizes)
        return;
    export_put(plan, "    n[%" PRIu32 "] = %s != NULL ? ", op->slot, target);
    put_total(plan, op);
    if (*target == 'q')
        export_put(plan, " : p[%" PRIu32 "] != NULL ? n[%" PRIu32 "] : 0;\n", op->slot, op->slot);
    else
        export_put(plan, " : 0;\n");
}

static void put_plain_call(const struct plan *plan, size_t i)
{
    const struct trace_op *op = &plan->trace->ops[i];
    bool is_move = (trace_op_traits(op->kind) & OP_USES) != 0;
    char block[24];
    snprintf(block, sizeof block, "p[%" PRIu32 "]", op->slot);
    const char *target = is_move ? "q" : block;
    if (plan->check == CHECK_ERRNO && plan_blames(plan, i))
        export_put(plan, "    errno = " EXPORT_SENTINEL ";\n");
    if (plan->recovers && plan->has_safe_cycle && plan_blames(plan, i))
        export_put(plan, "    failed_before = failed;\n");
    export_put(plan, "    %s = ", target);
    export_put_call(plan, op, "do_", block);
    export_put(plan, ";\n");
    if (plan_blames(plan, i))
        export_put_assertion(plan, op, target);
    if (i == plan->first_choice)
        export_put(plan, "    is_block = %s != NULL;\n", target);
    if (is_move) {
        export_put(plan, "    if (q != NULL || ");
        put_total(plan, op);
        export_put(plan, " == 0)\n        %s = q;\n", block);
    }
    put_plain_size(plan, op, target);
}

static void put_plain_free(const struct plan *plan, size_t i)
{
    bool is_asserted = plan->check == CHECK_ERRNO && plan_blames(plan, i);
    uint32_t slot = plan->trace->ops[i].slot;
    char block[24];
    snprintf(block, sizeof block, "p[%" PRIu32 "]", slot);
    if (is_asserted)
        export_put(plan, "    errno = " EXPORT_SENTINEL ";\n");
    put_free(plan, i, block);
    export_put(plan, "\n");
    if (is_asserted)
        export_put_errno_kept(plan);
    if (plan->has_live_end)
        export_put(plan, "    p[%" PRIu32 "] = NULL;\n", slot);
}

static void put_plain_op(const struct plan *plan, size_t i)
{
    const struct trace_op *op = &plan->trace->ops[i];
    unsigned traits = trace_op_traits(op->kind);
    if (traits & OP_HAS_SIZE)
        put_plain_call(plan, i);
    else if (traits & OP_FREES)
        put_plain_free(plan, i);
}

/* The body. */

static void put_break(const struct plan *plan, size_t i)
{
    unsigned before = 0;
    for (size_t j = 0; j < i; j++)
        before += plan->trace->ops[j].kind == OP_SBRK && plan->trace->ops[j].extra != 0;
    if (before < RUN_FOREIGN_MAX && plan->trace->ops[i].extra != 0)
        export_put(plan, "    move_break(%u, %" PRIu64 ");\n", before, plan->trace->ops[i].extra);
}

static void put_op(const struct plan *plan, size_t i)
{
    const struct trace_op *op = &plan->trace->ops[i];
    if (op->kind == OP_SBRK)
        put_break(plan, i);
    else if (op->kind == OP_FREE_NULL)
        export_put(plan, "    do_free(NULL);\n");
    else if (op->kind == OP_TRIM)
        export_put(plan, "    if (do_malloc_trim != NULL)\n        do_malloc_trim(%" PRIu64 ");\n",
                   op->extra);
    else if (op->kind == OP_FAIL_OS)
        export_put(plan, "    %sfail_os(%" PRIu64 ");\n",
                   plan->has_safe_cycle ? "if (!is_recovering)\n        " : "", op->extra);
    else if (plan->is_filling)
        put_filling_op(plan, i);
    else
        put_plain_op(plan, i);
}

static void put_last_frees(const struct plan *plan)
{
    bool is_errno = plan->check == CHECK_ERRNO && plan->verdict->op == VERDICT_NO_OP;
    if (!plan->has_live_end)
        return;
    if (is_errno)
        export_put(plan, "    errno = " EXPORT_SENTINEL ";\n");
    if (plan->is_filling)
        export_put(plan, "    for (int i = 0; i < BLOCKS; i++)\n        do_free(drop(i));\n");
    else
        export_put(plan, "    for (int i = 0; i < %zu; i++%s)\n        do_free(p[i]);\n",
                   plan->slots, plan->recovers || plan->repeats > 0 ? ", p[i - 1] = NULL" : "");
    if (is_errno)
        export_put_errno_kept(plan);
}

static void put_break_check(const struct plan *plan)
{
    if (plan->is_filling && plan_uses(plan, OP_SBRK))
        export_put(plan, "    verify_break();\n");
}

static void put_ops(const struct plan *plan, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        put_op(plan, i);
        put_break_check(plan);
        if (plan->check == CHECK_HEAP && plan_blames(plan, i))
            export_put(plan, "    walk();\n");
    }
}

static void put_end(const struct plan *plan)
{
    if (plan->has_faults)
        export_put(plan, "    fail_os(0);\n");
    put_last_frees(plan);
    put_break_check(plan);
    if (plan->check == CHECK_HEAP)
        export_put(plan, "    walk();\n");
}

static bool passes_token(const struct plan *plan, size_t i)
{
    return (trace_op_traits(plan->trace->ops[i].kind) & OP_PASSES_TOKEN) != 0;
}

/* The first op from `from` on that passes the token, or the end. */
static size_t part_end(const struct plan *plan, size_t from)
{
    while (from < plan->trace->count && !passes_token(plan, from))
        from++;
    return from;
}

void export_put_parts(const struct plan *plan)
{
    size_t parts = 0;
    for (size_t from = 0, end; from <= plan->trace->count; from = end + 1) {
        end = part_end(plan, from);
        if (end == from)
            continue;
        export_put(plan, "static void part_%zu(void)\n{\n", ++parts);
        put_ops(plan, from, end);
        export_put(plan, "}\n\n");
    }
}

static void put_part_calls(const struct plan *plan)
{
    size_t parts = 0;
    unsigned member = 0;
    for (size_t from = 0, end; from <= plan->trace->count; from = end + 1) {
        end = part_end(plan, from);
        if (end > from)
            export_put(plan, "    run_in(%u, part_%zu);\n", member, ++parts);
        if (end == plan->trace->count)
            break;
        const struct trace_op *op = &plan->trace->ops[end];
        unsigned named = (unsigned)(op->extra % TEAM_SIZE);
        if (op->kind == OP_THREAD)
            member = named;
        else if (named != 0)
            export_put(plan, "    end_thread(%u);\n", named);
        if (op->kind == OP_THREAD_EXIT && named == member)
            member = 0;
    }
}

void export_put_body(const struct plan *plan)
{
    if (plan->has_threads)
        put_part_calls(plan);
    else
        put_ops(plan, 0, plan->trace->count);
    put_end(plan);
}
