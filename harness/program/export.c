/* SPDX-License-Identifier: MIT */
/*
 * A trace as a standalone C program, as a person would write it for a bug report. Two forms:
 *
 *   filling   what goes wrong is memory: every block is filled and verified by a few helpers, one
 *             line an op take(0, do_malloc(48), 48); move(0, do_realloc(hold(0), 200), 200);
 *             do_free(drop(0));
 *   plain     what goes wrong is the answer of one call (errno, NULL, alignment, …): bare calls,
 *             and one assertion after that call p[0] = do_malloc(48);
 *
 * The helpers are the files of harness/program/parts. Where a trace has threads, the stretches
 * between two of them become functions, which the threads run in turn; where it has `fail-os`, the
 * program filters its own system calls.
 */
#include "harness/program/export.h"

#include "harness/program/export_internal.h"
#include "harness/program/program.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define CYCLE_CALLS ((size_t)16 << 20) /* of all cycles, at most */

/* Not every libc has these, and a weak reference is lost in linking: a program looks them up when
 * it runs. */
#define RARE_CALLS                                                                         \
    (1u << SUBJECT_free_sized | 1u << SUBJECT_free_aligned_sized | 1u << SUBJECT_pvalloc | \
     1u << SUBJECT_malloc_trim)

/* ---- before the helpers ---- */

static void say_opening(const struct plan *plan, struct program *program)
{
    bool has_look_ups = program_uses(program, "dlsym") || program_uses(program, "dladdr");
    char libraries[32];
    snprintf(libraries, sizeof libraries, "%s%s%s", has_look_ups ? "-ldl" : "",
             has_look_ups && plan->has_threads ? " " : "", plan->has_threads ? "-pthread" : "");
    if (plan->verdict != NULL)
        program_say(program, "%s: %s", check_name(plan->check), plan->verdict->sentence);
    else
        program_say(program, "Makes the calls of a trace, fills every block and verifies it.");
    program_say_build(program, "cc -O2 -Wall", libraries, NULL);
    program_say(program,
                "Exit status 0: all is well. 1: it is not, and one line on stderr says why.%s",
                plan->is_cycle ? " 2: too few cycles to tell." : "");
}

static bool is_rare(enum subject_call call)
{
    return (RARE_CALLS >> call & 1) != 0;
}

/* A function of the malloc family, or the allocator's walker. */
struct callee {
    const char *name, *result, *parameters;
    bool is_rare, is_used;
};

static const char *space_after(const char *type)
{
    return type[strlen(type) - 1] == '*' ? "" : " ";
}

static void put_pointers(FILE *out, const struct callee *callees, size_t count)
{
    fprintf(out,
            "/* Volatile, so that no compiler elides a call or assumes anything of its result. "
            "*/\n");
    for (size_t i = 0; i < count; i++) {
        const struct callee *callee = &callees[i];
        if (!callee->is_used)
            continue;
        fprintf(out, "static %s%s(*volatile do_%s)%s", callee->result, space_after(callee->result),
                callee->name, callee->parameters);
        if (callee->is_rare)
            fprintf(out, ";\n");
        else
            fprintf(out, " = %s;\n", callee->name);
    }
}

static void put_look_ups(FILE *out, const struct callee *callees, size_t count)
{
    fprintf(out, "\n/* Not every libc has these. */\n"
                 "__attribute__((constructor)) static void look_up(void)\n{\n");
    for (size_t i = 0; i < count; i++)
        if (callees[i].is_used && callees[i].is_rare && !program_has_names())
            fprintf(out, "    do_%s = (%s%s(*)%s)dlsym(RTLD_DEFAULT, \"%s\");\n", callees[i].name,
                    callees[i].result, space_after(callees[i].result), callees[i].parameters,
                    callees[i].name);
    fprintf(out, "}\n");
}

/* The pointers that the program calls through. */
static void put_calls(FILE *out, struct program *program)
{
    struct callee callees[] = {
#define CALL(name, result, parameters) \
    {#name, #result, #parameters, is_rare(SUBJECT_##name), false},
        SUBJECT_CALLS(CALL)
#undef CALL
            {"mallet_subject_check", "int", "(char *sentence, size_t capacity)", true, false}};
    enum { COUNT = sizeof callees / sizeof callees[0] };
    bool has_any = false, has_rare = false;
    for (size_t i = 0; i < COUNT; i++) {
        char pointer[64];
        snprintf(pointer, sizeof pointer, "do_%s", callees[i].name);
        callees[i].is_used = program_uses(program, pointer);
        callees[i].is_rare &= !program_names(callees[i].name);
        has_any |= callees[i].is_used;
        has_rare |= callees[i].is_used && callees[i].is_rare;
    }
    if (has_any)
        put_pointers(out, callees, COUNT);
    if (has_rare) {
        program_include(program, "dlfcn.h");
        put_look_ups(out, callees, COUNT);
    }
}

static void put_block_count(const struct plan *plan, FILE *out)
{
    if (plan_uses(plan, OP_FORK))
        fprintf(out,
                "\nenum { CHILD_BLOCKS = %d, CHILD_RESIZED = %d, BLOCKS = %zu + CHILD_BLOCKS };\n",
                RUN_CHILD_BLOCKS, RUN_CHILD_RESIZED, plan->slots);
    else
        fprintf(out, "\nenum { BLOCKS = %zu };\n", plan->slots > 0 ? plan->slots : 1);
}

static void put_state(const struct plan *plan, FILE *out)
{
    if (plan->is_filling) {
        put_block_count(plan, out);
        return;
    }
    if (plan->slots == 0)
        return;
    fprintf(out, "\nstatic void *p[%zu]; /* the blocks */\n", plan->slots);
    if (plan->has_sizes)
        fprintf(out, "static size_t n[%zu]; /* bytes asked for */\n", plan->slots);
}

static void add_helpers(const struct plan *plan, struct program *program)
{
    static const char *const helpers[] = {
        "harness/program/parts/fail.h",    "harness/program/parts/faults.c",
        "harness/program/parts/threads.c", "harness/program/parts/usable.c",
        "harness/program/parts/calls.c",   "harness/program/parts/break.c",
        "harness/program/parts/blocks.c",  "harness/program/parts/fork.c"};
    size_t count = sizeof helpers / sizeof helpers[0] - (plan->is_filling ? 0 : 2);
    for (size_t i = 0; i < count; i++)
        program_add_file(program, helpers[i], PROGRAM_NEEDED);
}

static void choose_variants(const struct plan *plan, struct program *program)
{
    const struct {
        const char *feature;
        bool is_on;
    } variants[] = {{"WITH_LARGE", plan->has_large},
                    {"WITH_OVERLAP", plan->check == CHECK_OVERLAP},
                    {"WITH_STABLE", plan->check == CHECK_USABLE},
                    {"WITH_UNTOUCHED", plan->check == CHECK_NULL},
                    {"WITH_FAULTS", plan->has_faults},
                    {"WITH_I386", program_size_max() == UINT32_MAX},
                    {"WITH_BREAK", plan_uses(plan, OP_SBRK)}};
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++)
        if (variants[i].is_on)
            program_with(program, variants[i].feature);
}

/* Who aborts under a lock may hang in the message. */
static bool may_hang(const struct plan *plan)
{
    return plan->check == CHECK_PROGRESS || plan->check == CHECK_CRASH;
}

static void include_headers(const struct plan *plan, struct program *program)
{
    static const char *const always[] = {"malloc.h", "stdint.h", "stdio.h", "stdlib.h", "unistd.h"};
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        program_include(program, always[i]);
    if (plan->check == CHECK_ERRNO)
        program_include(program, "errno.h");
    if (may_hang(plan))
        program_include(program, "signal.h");
}

/* ---- behind them ---- */

/* Locals of main, where the ops are all there. */
static void put_shared_state(const struct plan *plan)
{
    bool is_moving = plan_uses(plan, OP_REALLOC) || plan_uses(plan, OP_REALLOCARRAY);
    bool is_shared = plan_has_functions(plan);
    if (is_shared && !plan->is_filling && is_moving)
        export_put(plan, "static void *q;\n");
    if (is_shared && plan->check == CHECK_POLICY && plan->verdict->op < plan->trace->count)
        export_put(plan, "static int is_block;\n");
    if (plan_forks_once(plan))
        export_put(plan, "static unsigned cycles;\n");
    if (plan->has_safe_cycle)
        export_put(plan, "static int is_recovering;\n%s",
                   plan->recovers && plan->verdict->op < plan->trace->count
                       ? "static unsigned failed_before;\n"
                       : "");
}

/* The choice was seen before the trace, in a probe: make it once more. */
static void put_first_choice(const struct plan *plan)
{
    if (plan->verdict == NULL || plan->verdict->op >= plan->trace->count)
        return;
    if (!plan_has_functions(plan))
        export_put(plan, "    int is_block = 0;\n");
    if (plan->first_choice != SIZE_MAX)
        return;
    const struct trace_op *op = &plan->trace->ops[plan->verdict->op];
    export_put(plan, "    is_block = ");
    export_put_call(plan, op, "do_", op->kind == OP_REALLOC ? "do_malloc(40)" : "NULL");
    export_put(plan, " != NULL;\n");
}

/* A cycle with failures, and another in which the system refuses nothing. */
static void put_safe_cycle(const struct plan *plan)
{
    export_put(plan, "    watch_os();\n"
                     "    cycle();\n"
                     "    is_recovering = 1; /* now the system refuses nothing */\n"
                     "    cycle();\n");
}

static void put_calls_of_main(const struct plan *plan)
{
    if (plan->has_safe_cycle) {
        put_safe_cycle(plan);
        return;
    }
    if (plan->has_faults)
        export_put(plan, "    watch_os();\n");
    if (plan->repeats > 0)
        export_put(plan, "    for (int i = 0; i < %" PRIu64 "; i++)\n        cycle();\n",
                   plan->repeats);
    else
        export_put_body(plan);
}

static void put_main(const struct plan *plan)
{
    bool may_exit = plan->verdict != NULL && plan->check == CHECK_CRASH &&
                    strstr(plan->verdict->sentence, "exit") != NULL;
    export_put(plan, "int main(void)\n{\n");
    if (!plan_has_functions(plan) && !plan->is_filling &&
        (plan_uses(plan, OP_REALLOC) || plan_uses(plan, OP_REALLOCARRAY)))
        export_put(plan, "    void *q;\n");
    if (plan->check == CHECK_POLICY)
        put_first_choice(plan);
    if (may_hang(plan))
        export_put(plan, "    signal(SIGALRM, give_up);\n    alarm(%u);\n",
                   10 + trace_touch_ms(plan->trace, plan->trace->count) / 500);
    if (may_exit)
        export_put(plan, "    atexit(check_done);\n");
    put_calls_of_main(plan);
    export_put(plan, "%s    return 0;\n}\n", may_exit ? "    is_done = 1;\n" : "");
}

static void put_cycle(const struct plan *plan)
{
    export_put(plan, "static void cycle(void)\n{\n");
    export_put_body(plan);
    export_put(plan, "%s}\n\n", plan_forks_once(plan) ? "    cycles++;\n" : "");
}

static unsigned frees_in_cycle(const struct plan *plan)
{
    unsigned frees = 0;
    for (size_t i = 0; i < plan->trace->count; i++)
        frees += (trace_op_traits(plan->trace->ops[i].kind) & OP_HAS_SIZE) != 0;
    return frees;
}

static void put_main_of_cycles(const struct plan *plan)
{
    export_put(plan, "int main(void)\n{\n");
    if (plan->has_safe_cycle) {
        put_safe_cycle(plan);
        export_put(plan, "    is_recovering = 0;\n");
    }
    export_put(plan, "    watch_cycles(%zu, %u, %llu);\n    return 0;\n}\n",
               CYCLE_CALLS / (plan->trace->count + 1), frees_in_cycle(plan),
               (unsigned long long)plan->total);
}

static void put_main_of_recovery(const struct plan *plan)
{
    export_put(plan, "int main(void)\n{\n");
    if (plan->has_safe_cycle)
        put_safe_cycle(plan);
    else
        export_put(plan, "    cycle();\n");
    export_put(plan, "    return 0;\n}\n");
}

static void put_texts(struct plan *plan, struct program *program)
{
    plan->out = program_add_text(program);
    put_shared_state(plan);
    if (plan->has_threads)
        export_put_parts(plan);
    if (plan_has_cycles(plan))
        put_cycle(plan);
    program_add_file(program, "harness/base/trend.h", PROGRAM_NEEDED);
    program_add_file(program, "harness/base/trend.c", PROGRAM_NEEDED);
    program_add_file(program, "harness/program/parts/cycles.c", PROGRAM_NEEDED);
    program_add_file(program, "harness/program/parts/ends.c", PROGRAM_NEEDED);
    plan->out = program_add_text(program);
    if (plan->is_cycle)
        put_main_of_cycles(plan);
    else if (plan->recovers)
        put_main_of_recovery(plan);
    else
        put_main(plan);
}

int export_program(FILE *out, const struct trace *trace, const struct verdict *verdict)
{
    struct program *program = program_begin();
    if (program == NULL)
        return ENOMEM;
    struct plan plan = plan_make(trace, verdict);
    choose_variants(&plan, program);
    include_headers(&plan, program);
    FILE *top = program_add_text(program);
    add_helpers(&plan, program);
    put_texts(&plan, program);
    program_pick(program);
    put_calls(top, program);
    put_state(&plan, top);
    say_opening(&plan, program);
    return program_end(program, out);
}
