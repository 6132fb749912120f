/* SPDX-License-Identifier: MIT */
/* A trace as a few lines of C, to be read: the program beside it is what compiles. */
#include "harness/program/program.h"
#include "harness/trace/trace_number.h"
#include "mallet/check_page.h"

#include <string.h>

enum { LINES_MAX = 10, HEAD = 4, SLOT_NAMES = 26, CALL_MAX = 128 };

static const char *slot_name(uint32_t slot, char ret_name[16])
{
    if (slot < SLOT_NAMES)
        snprintf(ret_name, 16, "%c", 'a' + (int)slot);
    else
        snprintf(ret_name, 16, "p%u", slot);
    return ret_name;
}

static void format_size(const struct trace_op *op, char ret_text[CALL_MAX])
{
    char name[16], number[NUMBER_TEXT_MAX];
    const struct number exact = {.value = op->size & program_size_max()};
    (void)number_format(&exact, number);
    if (op->size_base == SIZE_EXACT)
        snprintf(ret_text, CALL_MAX, "%s", number);
    else
        snprintf(ret_text, CALL_MAX, "%s%s%s %+lld",
                 op->size_base == SIZE_USABLE ? "malloc_usable_size(" : "size of ",
                 slot_name(op->size_slot, name), op->size_base == SIZE_USABLE ? ")" : "",
                 (long long)op->size);
}

/* The arguments behind the block: "3, 7" of a calloc. */
static void format_arguments(const struct trace_op *op, char ret_text[CALL_MAX])
{
    unsigned traits = trace_op_traits((enum op_kind)op->kind);
    char size[CALL_MAX] = "", extra[NUMBER_TEXT_MAX] = "";
    const struct number number = {.value = op->extra & program_size_max()};
    if ((traits & OP_HAS_SIZE) != 0)
        format_size(op, size);
    if ((traits & OP_TAKES_EXTRA) != 0)
        (void)number_format(&number, extra);
    snprintf(ret_text, CALL_MAX, "%s%s%.70s", extra,
             extra[0] != '\0' && size[0] != '\0' ? ", " : "", size);
}

static const char *function_of(const struct trace_op *op, char ret_name[32])
{
    const char *name = trace_op_name((enum op_kind)op->kind);
    snprintf(ret_name, 32, "%.*s", (int)strcspn(name, " "), name);
    return ret_name;
}

static bool is_declared(const struct trace *trace, size_t op)
{
    for (size_t i = 0; i < op; i++)
        if ((trace_op_traits((enum op_kind)trace->ops[i].kind) & OP_ALLOCATES) != 0 &&
            trace->ops[i].slot == trace->ops[op].slot)
            return true;
    return false;
}

static void print_allocation(FILE *out, const struct trace_op *op, unsigned traits, bool is_first)
{
    char name[16], function[32], arguments[CALL_MAX];
    slot_name(op->slot, name);
    format_arguments(op, arguments);
    if ((traits & OP_RETURNS_ERROR) != 0) {
        if (is_first)
            fprintf(out, "void *%s; ", name);
        fprintf(out, "%s(&%s, %s);", function_of(op, function), name, arguments);
    } else {
        fprintf(out, "%s%s = %s(%s%s);", is_first ? "void *" : "", name, function_of(op, function),
                (traits & OP_PASSES_NULL) != 0 ? "NULL, " : "", arguments);
    }
}

static void print_other(FILE *out, const struct trace_op *op)
{
    switch (op->kind) {
    case OP_THREAD:
        fprintf(out, "/* thread %llu: */", (unsigned long long)op->extra);
        break;
    case OP_THREAD_EXIT:
        fprintf(out, "/* thread %llu ends */", (unsigned long long)op->extra);
        break;
    case OP_FAIL_OS:
        fprintf(out, "/* request %llu to the system from here is refused */",
                (unsigned long long)op->extra);
        break;
    case OP_SWEEP:
        fprintf(out, "/* every block is compared */");
        break;
    case OP_FORK:
        fprintf(out, "fork();  /* the child checks what it inherits, and allocates */");
        break;
    case OP_SBRK:
        fprintf(out, "sbrk(%llu);  /* another user of the program break */",
                (unsigned long long)op->extra);
        break;
    case OP_TRIM:
        fprintf(out, "malloc_trim(%llu);", (unsigned long long)op->extra);
        break;
    default: /* free NULL */
        fprintf(out, "free(NULL);");
    }
}

static void print_call(FILE *out, const struct trace *trace, size_t index)
{
    const struct trace_op *op = &trace->ops[index];
    unsigned traits = trace_op_traits((enum op_kind)op->kind);
    char name[16], function[32], arguments[CALL_MAX];
    if ((traits & OP_ALLOCATES) != 0) {
        print_allocation(out, op, traits, !is_declared(trace, index));
    } else if ((traits & OP_USES) != 0 && (traits & OP_HAS_SIZE) != 0) {
        format_arguments(op, arguments);
        slot_name(op->slot, name);
        fprintf(out, "%s = %s(%s, %s);", name, function_of(op, function), name, arguments);
    } else if ((traits & OP_TAKES_SLOT) != 0) {
        fprintf(out, "%s(%s);", function_of(op, function), slot_name(op->slot, name));
    } else {
        print_other(out, op);
    }
}

void check_print_calls(FILE *out, const struct finding *finding)
{
    const struct trace *trace = &finding->trace;
    const struct verdict verdict = finding_verdict(finding);
    if (verdict_is_late(&verdict))
        fprintf(out, "     /* %u times these calls, each time freeing what they leave: */\n",
                finding->cycle + 1);
    size_t left_out = trace->count > LINES_MAX ? trace->count - LINES_MAX + 1 : 0;
    for (size_t i = 0; i < trace->count; i++) {
        if (left_out > 0 && i == HEAD) {
            fprintf(out, "     …  /* %zu calls: see the program */\n", left_out);
            i += left_out;
        }
        fprintf(out, "     ");
        print_call(out, trace, i);
        fputc('\n', out);
    }
}
