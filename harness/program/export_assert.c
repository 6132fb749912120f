/* SPDX-License-Identifier: MIT */
/* What an exported program asserts behind the call that a verdict blames: a few lines of C for each
 * check that needs no filling. */
#include "harness/program/export_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Above it a program does not say that NULL is wrong. The run itself (run_judge.c) blames it only
 * for much less. */
#define MODEST_TOTAL ((uint64_t)256 << 20)

static void put_message(const struct plan *plan, const struct trace_op *op)
{
    char old[24];
    snprintf(old, sizeof old, "p[%" PRIu32 "]", op->slot);
    export_put(plan, "        FAIL(\"");
    export_put_call(plan, op, "", old);
}

static void assert_alignment(const struct plan *plan, const struct trace_op *op, const char *block)
{
    const char *found = strstr(plan->verdict->sentence, "multiple of ");
    unsigned long long promised =
        found != NULL ? strtoull(found + strlen("multiple of "), NULL, 10) : 16;
    export_put(plan, "    if ((uintptr_t)%s %% %llu != 0)\n", block, promised != 0 ? promised : 16);
    put_message(plan, op);
    export_put(plan, " returned %%p, must be a multiple of %llu\\n\", %s);\n", promised, block);
}

static void assert_impossible(const struct plan *plan, const struct trace_op *op, const char *block)
{
    export_put(plan, "    if (%s != NULL)\n", block);
    put_message(plan, op);
    export_put(plan, " returned %%p; no such request can succeed\\n\", %s);\n", block);
}

static void assert_not_null(const struct plan *plan, const struct trace_op *op, const char *block)
{
    if (plan_is_exact(op) && (trace_op_total(op) == 0 || trace_op_total(op) > MODEST_TOTAL ||
                              !trace_op_is_alignment_valid(op)))
        return; /* posix() has the assertion */
    export_put(plan, "    if (%s == NULL)\n", block);
    put_message(plan, op);
    export_put(plan, " failed\\n\");\n");
}

/* In the call itself nothing was refused. */
static void assert_recovered(const struct plan *plan, const struct trace_op *op, const char *block)
{
    export_put(plan, "    if (%s == NULL%s)\n", block,
               plan->has_faults ? " && failed == failed_before" : "");
    put_message(plan, op);
    export_put(plan, " failed, and the system did not refuse anything\\n\");\n");
}

/* EINVAL is for a bad alignment, and for aligned_alloc's sizes that are no multiple of it; ENOMEM
 * for everything else. */
static void assert_errno(const struct plan *plan, const struct trace_op *op, const char *block)
{
    unsigned traits = trace_op_traits(op->kind);
    bool is_posix = (traits & OP_RETURNS_ERROR) != 0;
    bool may_be_invalid = !trace_op_is_alignment_valid(op) || (traits & OP_WANTS_EVEN) != 0;
    if (is_posix && !trace_op_is_alignment_valid(op))
        export_put(plan, "    if (result != EINVAL)\n");
    else if (is_posix)
        export_put(plan, "    if (result != 0 && result != ENOMEM)\n");
    else
        export_put(plan, "    if (errno == 0 || (%s == NULL && errno != ENOMEM%s))\n", block,
                   may_be_invalid ? " && errno != EINVAL" : "");
    put_message(plan, op);
    export_put(plan,
               is_posix ? " returned %%d\\n\", result);\n"
                        : " returned %%p and left errno at %%d\\n\", %s, errno);\n",
               block);
}

static void assert_choice(const struct plan *plan, const struct trace_op *op, const char *block)
{
    export_put(plan, "    if ((%s != NULL) != is_block)\n", block);
    put_message(plan, op);
    export_put(
        plan,
        " returned %%s; before, the other choice\\n\", is_block ? \"NULL\" : \"a block\");\n");
}

void export_put_assertion(const struct plan *plan, const struct trace_op *op, const char *block)
{
    switch (plan->check) {
    case CHECK_ALIGNMENT:
        assert_alignment(plan, op, block);
        break;
    case CHECK_IMPOSSIBLE:
        assert_impossible(plan, op, block);
        break;
    case CHECK_NULL:
        assert_not_null(plan, op, block);
        break;
    case CHECK_RECOVERY:
        assert_recovered(plan, op, block);
        break;
    case CHECK_ERRNO:
        assert_errno(plan, op, block);
        break;
    case CHECK_POLICY:
        assert_choice(plan, op, block);
        break;
    default:
        break;
    }
}

void export_put_errno_kept(const struct plan *plan)
{
    export_put(plan, "    if (errno != " EXPORT_SENTINEL
                     ")\n        FAIL(\"free changed errno to %%d\\n\", errno);\n");
}
