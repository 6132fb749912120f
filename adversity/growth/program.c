/* SPDX-License-Identifier: MIT */
/* A program is what a workload is written with, the workload, the measuring, and a main. */
#include "adversity/growth/program.h"

#include "harness/program/program.h"

#include <errno.h>

static void say_opening(struct program *program, const char *subject,
                        const struct growth_result *result)
{
    program_say(program, "%s, %s: %s.", subject, check_name(result->check), result->workload->does);
    program_say(program, "%s", result->sentence);
    program_say_build(program, "cc -O1 -fno-builtin -pthread", "", NULL);
    program_say(program, "Without LD_PRELOAD it measures the libc's own malloc. Exit status 1: it "
                         "shows.");
}

static void include_headers(struct program *program)
{
    static const char *const headers[] = {"malloc.h",   "pthread.h",  "stdbool.h", "stddef.h",
                                          "stdint.h",   "stdio.h",    "stdlib.h",  "string.h",
                                          "sys/mman.h", "sys/wait.h", "unistd.h"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        program_include(program, headers[i]);
}

static void add_file(struct program *program, const char *format, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, format, name);
    program_add_file(program, path, PROGRAM_WHOLE);
}

static void add_os_calls(struct program *program)
{
    add_file(program, "harness/run/os_calls.%s", "h");
    add_file(program, "harness/run/os_calls.%s", "c");
    fputs("#define calls family /* another table above has that name */\n",
          program_add_text(program));
}

static void add_judge(struct program *program)
{
    add_file(program, "harness/base/%s", "trend.h");
    add_file(program, "harness/base/%s", "trend.c");
    add_file(program, "adversity/growth/%s", "judge.h");
    add_file(program, "adversity/growth/%s", "judge.c");
}

static void put_settings(FILE *out, const struct growth_result *result)
{
    fprintf(out, "#define IS_COST %d /* else the finding is a death or a hang */\n",
            result->check == CHECK_FOOTPRINT || result->check == CHECK_SCALING);
    if (result->workload->kind == WORKLOAD_FOOTPRINT)
        fprintf(out, "#define ROUNDS %zu\n", result->count);
    else if (result->workload->kind == WORKLOAD_ROOM)
        fprintf(out, "#define SIZE %zu\n#define COUNT %zu\n#define BOUND %.3f\n", result->size,
                result->count, result->bound);
    else
        fprintf(out,
                "#define SIZE %zu\n#define COUNT %zu\n#define IS_COUNTING %d\n#define "
                "OS_CALLS_LEAST %.3f\n#define IS_ONE_BLOCK %d\n",
                result->size, result->count, result->has_os_calls, result->os_calls / 2,
                workload_has_one_block(result->workload));
}

int growth_program(FILE *out, const char *subject, const struct growth_result *result)
{
    enum workload_kind kind = result->workload->kind;
    bool is_memory = kind == WORKLOAD_FOOTPRINT || kind == WORKLOAD_ROOM;
    struct program *program = program_begin();
    if (program == NULL)
        return ENOMEM;
    say_opening(program, subject, result);
    include_headers(program);
    put_settings(program_add_text(program), result);
    add_os_calls(program);
    add_file(program, "harness/subject/%s", "subject_calls.h");
    add_file(program, "harness/base/memory.%s", "h");
    add_file(program, "harness/base/memory.%s", "c");
    add_file(program, "adversity/growth/%s", "report.h");
    add_file(program, "adversity/growth/%s", "testlib.h");
    add_file(program, "adversity/growth/%s", "plain.h");
    add_file(program, "adversity/growth/%s", "testlib.c");
    if (kind == WORKLOAD_FOOTPRINT)
        add_judge(program);
    if (result->check == CHECK_PROGRESS)
        add_file(program, "adversity/growth/%s", "program_watch.c");
    add_file(program, "adversity/growth/workloads/%s.c", result->workload->job.name);
    add_file(program, "adversity/growth/measure_%s.c", is_memory ? "footprint" : "scaling");
    add_file(program, "adversity/growth/program_%s.c",
             kind == WORKLOAD_ROOM ? "room"
             : is_memory           ? "footprint"
                                   : "scaling");
    return program_end(program, out);
}
