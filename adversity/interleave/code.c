/* SPDX-License-Identifier: MIT */
/* One addr2line for the whole process, asked through two pipes when the first name is wanted. */
#include "code.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const char __executable_start[];

static FILE *questions, *answers; /* NULL: not there, or no longer */
static int has_started;

static void be_addr2line(int in, int out, const char *program)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execlp("addr2line", "addr2line", "-s", "-f", "-p", "-e", program, (char *)NULL);
    _exit(127);
}

static void start(void)
{
    int to[2], from[2];
    char program[4096] = "";
    has_started = 1;
    if (readlink("/proc/self/exe", program, sizeof program - 1) <= 0 || pipe(to) != 0 ||
        pipe(from) != 0)
        return;
    pid_t child = fork();
    if (child == 0) {
        close(to[1]);
        close(from[0]);
        be_addr2line(to[0], from[1], program);
    }
    close(to[0]);
    close(from[1]);
    questions = fdopen(to[1], "w");
    answers = fdopen(from[0], "r");
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
