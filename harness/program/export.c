/* SPDX-License-Identifier: MIT */
/*
 * A trace as a standalone C program, as a person would write it for a bug report. Two shapes:
 *
 *   filling   what goes wrong is memory: every block is filled and verified by a few helpers, one
 *             line an op take(0, do_malloc(48), 48); move(0, do_realloc(hold(0), 200), 200);
 *             do_free(drop(0));
 *   plain     what goes wrong is the answer of one call (errno, NULL, alignment, …): bare calls,
 *             and one assertion after that call p[0] = do_malloc(48);
 *
 * The parts that a program does not need are left out, so that it compiles without warnings. Where
 * a trace has threads, the stretches between two of them become functions, which the threads run in
 * turn; where it has `fail-os`, the program filters its own system calls.
 */
#include "harness/program/export_internal.h"
#include "harness/program/export_text.h"
#include "harness/program/export_text_process.h"

#include <string.h>

#define FOOTPRINT_CALLS 400000u
#define CYCLES_FEWEST   16u
#define LOSS_AFFORDABLE ((uint64_t)64 << 20) /* bytes */

/* The parts before main. */

/* The sentence may hold words of the subject: none may end the comment. */
static void put_sentence(const struct plan *plan)
{
    export_put(plan, "/* %s: ", check_name(plan->check));
    for (const char *letter = plan->verdict->sentence; *letter != '\0'; letter++)
        fputc(*letter >= ' ' && *letter <= '~' && *letter != '*' && *letter != '\\' ? *letter : '?',
              plan->out);
    export_put(plan, "\n *\n");
}

static void put_opening(const struct plan *plan)
{
    if (plan->verdict != NULL)
        put_sentence(plan);
    else
        export_put(plan, "/* Makes the calls of a trace, fills every block and verifies it.\n *\n");
    export_put(plan,
               " *     cc -O2 -Wall program.c -o program%s%s\n"
               " *     LD_PRELOAD=/path/to/allocator.so ./program; echo $?\n"
               " *\n"
               " * Exit status 0: all is well. 1: it is not, and one line on stderr says why. */\n",
               plan->has_usable || plan->has_look_ups ? " -ldl" : "",
               plan->has_threads ? " -pthread" : "");
}

static void put_includes(const struct plan *plan)
{
    export_put(plan, "#define _GNU_SOURCE\n");
    if (plan->has_usable || plan->has_look_ups)
        export_put(plan, "#include <dlfcn.h>\n");
    if (plan->check == CHECK_ERRNO || plan->has_faults)
        export_put(plan, "#include <errno.h>\n");
    if (plan->is_cycle)
        export_put(plan, "#include <fcntl.h>\n");
    export_put(plan, "%s#include <malloc.h>\n", plan->has_faults ? TEXT_FAULTS_INCLUDES : "");
    if (plan->has_threads)
        export_put(plan, "#include <pthread.h>\n#include <semaphore.h>\n");
    if (plan->check == CHECK_PROGRESS || plan->has_faults)
        export_put(plan, "#include <signal.h>\n");
    export_put(plan, "#include <stdint.h>\n#include <stdio.h>\n#include <stdlib.h>\n");
    if (plan_uses(plan, OP_FORK) && plan->is_filling)
        export_put(plan, "#include <sys/wait.h>\n");
    export_put(plan, "#include <unistd.h>\n\n" TEXT_FAIL);
}

static bool is_rare(enum subject_call call)
{
    return (EXPORT_RARE_CALLS >> call & 1) != 0;
}

static const char *space_after(const char *type)
{
    return type[strlen(type) - 1] == '*' ? "" : " ";
}

static void put_pointer(const struct plan *plan, const char *name, const char *result,
                        const char *parameters, bool rare)
{
    export_put(plan, "static %s%s(*volatile do_%s)%s", result, space_after(result), name,
               parameters);
    if (rare)
        export_put(plan, ";\n");
    else
        export_put(plan, " = %s;\n", name);
}

static void put_look_up(const struct plan *plan, const char *name, const char *result,
                        const char *parameters)
{
    export_put(plan, "    do_%s = (%s%s(*)%s)dlsym(RTLD_DEFAULT, \"%s\");\n", name, result,
               space_after(result), parameters, name);
}

#define WALKER "mallet_subject_check", "int", "(char *sentence, size_t capacity)"

static void put_look_ups(const struct plan *plan)
{
    export_put(plan, TEXT_LOOK_UP);
#define CALL(name, result, parameters)                               \
    if (plan_calls(plan, SUBJECT_##name) && is_rare(SUBJECT_##name)) \
        put_look_up(plan, #name, #result, #parameters);
    SUBJECT_CALLS(CALL)
#undef CALL
    if (plan->check == CHECK_HEAP)
        put_look_up(plan, WALKER);
    export_put(plan, "}\n\n");
}

static void put_calls(const struct plan *plan)
{
    if (plan->calls != 0)
        export_put(plan, TEXT_VOLATILE);
#define CALL(name, result, parameters)    \
    if (plan_calls(plan, SUBJECT_##name)) \
        put_pointer(plan, #name, #result, #parameters, is_rare(SUBJECT_##name));
    SUBJECT_CALLS(CALL)
#undef CALL
    if (plan->check == CHECK_HEAP)
        put_pointer(plan, WALKER, true);
    export_put(plan, plan->calls != 0 ? "\n" : "");
    if (plan->has_look_ups)
        put_look_ups(plan);
}

static void put_state(const struct plan *plan)
{
    if (plan->slots == 0)
        return;
    export_put(plan, "static %s *p[%zu]; /* the blocks */\n",
               plan->is_filling ? "unsigned char" : "void", plan->slots);
    if (plan->has_sizes)
        export_put(plan, "static size_t n[%zu]; /* bytes asked for */\n", plan->slots);
    if (plan->is_filling)
        export_put(plan, "static size_t filled[%zu];\nstatic unsigned seed[%zu];\n", plan->slots,
                   plan->slots);
    export_put(plan, "\n");
}

static void put_filling_helpers(const struct plan *plan)
{
    const char *step = plan->has_large ? "at = next(at, filled[i])" : "at++";
    export_put(plan, plan->has_large ? TEXT_NEXT : "");
    export_put(plan, TEXT_BYTE_AT);
    export_put(plan, TEXT_VERIFY, step);
    export_put(plan, TEXT_TAKE_BEGIN);
    if (plan->check == CHECK_OVERLAP)
        export_put(plan, TEXT_TAKE_OVERLAP, plan->slots);
    export_put(plan, TEXT_TAKE_END, step);
    export_put(plan, "%s%s%s%s", TEXT_HOLD_BEGIN,
               plan->check == CHECK_USABLE ? TEXT_HOLD_STABLE : "", TEXT_HOLD_END, TEXT_DROP);
    if (plan_uses(plan, OP_REALLOC) || plan_uses(plan, OP_REALLOCARRAY) || plan_uses(plan, OP_FORK))
        export_put(plan, "%s", TEXT_MOVE);
    if (plan_uses(plan, OP_CALLOC))
        export_put(plan, TEXT_ZEROED, plan->has_large ? "at = next(at, size)" : "at++");
    if (plan_uses(plan, OP_FORK))
        export_put(plan, TEXT_FORK, plan->has_faults ? "        fail_os(0);\n" : "", plan->slots,
                   plan->slots, plan->slots);
}

/* Locals of main, where the ops are all there. */
static void put_shared_state(const struct plan *plan)
{
    bool is_moving = plan_uses(plan, OP_REALLOC) || plan_uses(plan, OP_REALLOCARRAY);
    bool is_shared = plan->has_threads || plan->recovers;
    if (is_shared && !plan->is_filling && is_moving)
        export_put(plan, "static void *q;\n");
    if (is_shared && plan->check == CHECK_POLICY && plan->verdict->op < plan->trace->count)
        export_put(plan, "static int is_block;\n");
    if (plan->has_safe_cycle)
        export_put(plan, "static int is_recovering;\n%s",
                   plan->recovers && plan->verdict->op < plan->trace->count
                       ? "static unsigned failed_before;\n"
                       : "");
}

static void put_process_helpers(const struct plan *plan)
{
    const char *begin = plan->has_faults ? TEXT_UNCOUNTED_BEGIN : "",
               *end = plan->has_faults ? TEXT_UNCOUNTED_END : "";
    if (plan->has_faults)
        export_put(plan, TEXT_FAULTS);
    if (plan->has_threads)
        export_put(plan, TEXT_THREADS, begin, end);
    if (plan_uses(plan, OP_THREAD_EXIT))
        export_put(plan, TEXT_END_THREAD, begin, end);
}

static void put_helpers(const struct plan *plan)
{
    put_process_helpers(plan);
    if (plan->has_times)
        export_put(plan, "%s", TEXT_TIMES);
    if (plan->has_usable)
        export_put(plan, "%s%s", TEXT_IS_OWN, TEXT_USABLE);
    if (plan->is_filling)
        put_filling_helpers(plan);
    if (plan_uses(plan, OP_POSIX_MEMALIGN))
        export_put(plan, "%s%s%s", TEXT_POSIX_BEGIN,
                   plan->check == CHECK_NULL ? TEXT_POSIX_UNTOUCHED : "", TEXT_POSIX_END);
    if (plan->check == CHECK_HEAP)
        export_put(plan, "%s", TEXT_WALKER);
    if (plan_calls(plan, SUBJECT_free_sized))
        export_put(plan, TEXT_FREE_SIZED);
    if (plan_calls(plan, SUBJECT_free_aligned_sized))
        export_put(plan, TEXT_FREE_ALIGNED_SIZED);
}

/* The choice was seen before the trace, in a probe: make it once more. */
static void put_first_choice(const struct plan *plan)
{
    if (plan->verdict->op >= plan->trace->count)
        return;
    if (!plan->has_threads)
        export_put(plan, "    int is_block = 0;\n");
    if (plan->first_choice != SIZE_MAX)
        return;
    const struct trace_op *op = &plan->trace->ops[plan->verdict->op];
    export_put(plan, "    is_block = ");
    export_put_call(plan, op, "do_", op->kind == OP_REALLOC ? "do_malloc(40)" : "NULL");
    export_put(plan, " != NULL;\n");
}

static void put_main(const struct plan *plan)
{
    bool may_exit = plan->verdict != NULL && plan->check == CHECK_CRASH &&
                    strstr(plan->verdict->sentence, "exit") != NULL;
    export_put(plan, "%s%sint main(void)\n{\n", plan->check == CHECK_PROGRESS ? TEXT_PROGRESS : "",
               may_exit ? TEXT_EXIT : "");
    if (!plan->has_threads && !plan->is_filling &&
        (plan_uses(plan, OP_REALLOC) || plan_uses(plan, OP_REALLOCARRAY)))
        export_put(plan, "    void *q;\n");
    if (plan->check == CHECK_POLICY)
        put_first_choice(plan);
    if (plan->check == CHECK_PROGRESS)
        export_put(plan, "    signal(SIGALRM, give_up);\n    alarm(10);\n");
    if (may_exit)
        export_put(plan, "    atexit(check_done);\n");
    if (plan->has_faults)
        export_put(plan, "    watch_os();\n");
    export_put_body(plan);
    export_put(plan, "%s    return 0;\n}\n", may_exit ? "    is_done = 1;\n" : "");
}

static void put_cycle(const struct plan *plan)
{
    export_put(plan, "static void cycle(void)\n{\n");
    export_put_body(plan);
    export_put(plan, "}\n\n");
}

/* What a failure loses, it may lose in every cycle: not more than a machine has. */
static unsigned cycles_affordable(const struct plan *plan)
{
    uint64_t rounds = FOOTPRINT_CALLS / (plan->trace->count + 1),
             by_bytes = LOSS_AFFORDABLE / (plan->total + 1);
    if (plan->has_faults && rounds > by_bytes)
        rounds = by_bytes;
    return rounds < 32 ? 32 : rounds > 2000 ? 2000 : (unsigned)rounds;
}

static void put_cycles(const struct plan *plan)
{
    unsigned most = cycles_affordable(plan), first = most;
    while (plan->has_faults && first / 4 >= CYCLES_FEWEST)
        first /= 4;
    export_put(plan, "%s", TEXT_RESIDENT);
    put_cycle(plan);
    export_put(plan, TEXT_FOOTPRINT_MAIN,
               plan->has_safe_cycle ? TEXT_SAFE_CYCLE TEXT_SAFE_CYCLE_OVER : "", first, most);
}

static void put_recovery(const struct plan *plan)
{
    put_cycle(plan);
    export_put(plan, "int main(void)\n{\n%s    return 0;\n}\n",
               plan->has_safe_cycle ? TEXT_SAFE_CYCLE : "    cycle();\n");
}

void export_program(FILE *out, const struct trace *trace, const struct verdict *verdict)
{
    struct plan plan = plan_make(out, trace, verdict);
    put_opening(&plan);
    put_includes(&plan);
    put_calls(&plan);
    put_state(&plan);
    put_helpers(&plan);
    put_shared_state(&plan);
    if (plan.has_threads)
        export_put_parts(&plan);
    if (plan.is_cycle)
        put_cycles(&plan);
    else if (plan.recovers)
        put_recovery(&plan);
    else
        put_main(&plan);
}
