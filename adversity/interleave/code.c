/* SPDX-License-Identifier: MIT */
/* One addr2line for the whole process, asked through two pipes when the first name is wanted. */
#include "code.h"

#include "harness/base/proc.h"
#include "harness/process/process.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const char __executable_start[];

static FILE *questions, *answers; /* NULL: not there, or no longer */
static int has_started;

static void open_streams(int to, int from)
{
    questions = fdopen(to, "w");
    answers = fdopen(from, "r");
}

static void start(void)
{
    static struct process process;
    int to[2], from[2];
    char program[PATH_MAX];
    has_started = 1;
    if (!proc_own_program(program, sizeof program) || pipe2(to, O_CLOEXEC) != 0 ||
        pipe2(from, O_CLOEXEC) != 0)
        return;
    const char *const arguments[] = {"addr2line", "-s", "-f", "-p", "-e", program, NULL};
    const struct process_descriptor ends[] = {{STDIN_FILENO, to[0]}, {STDOUT_FILENO, from[1]}};
    const struct process_plan plan = {.program = arguments[0],
                                      .arguments = arguments,
                                      .keeps_environment = true,
                                      .descriptors = ends,
                                      .descriptor_count = 2};
    if (process_spawn(&plan, &process) == 0)
        open_streams(to[1], from[0]);
    close(to[0]);
    close(from[1]);
}

static int ask(uint64_t offset, char ret_name[CODE_NAME_MAX])
{
    if (!has_started)
        start();
    if (questions == NULL || answers == NULL ||
        fprintf(questions, "%#lx\n", (unsigned long)offset) < 0 || fflush(questions) != 0)
        return 0;
    if (fgets(ret_name, CODE_NAME_MAX, answers) == NULL)
        return 0;
    ret_name[strcspn(ret_name, "\n")] = 0;
    return ret_name[0] != '?';
}

const char *code_name(uint64_t code, char ret_name[CODE_NAME_MAX])
{
    /* the call before the return address */
    uint64_t offset = code - (uint64_t)(uintptr_t)__executable_start - 1;
    ret_name[0] = 0;
    if (code != 0 && !ask(offset, ret_name))
        snprintf(ret_name, CODE_NAME_MAX, "+%#lx", (unsigned long)offset);
    return ret_name;
}
