/* SPDX-License-Identifier: MIT */
/* The way into a debugger: where the program of a finding makes the call that fails. */
#include "mallet/check_page.h"

#include <string.h>

static bool begins_calls(const char *line)
{
    static const char *const names[] = {"int main(", "static void cycle(", "static void part_1("};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* In a program of a trace every call goes through a pointer do_NAME, and FAIL stands behind the one
 * that is blamed; before the function with the calls there are helpers. A program that crashes has
 * no FAIL for it: its last call counts. 0: it has no such line. */
unsigned check_failing_line(const char *program)
{
    FILE *file = fopen(program, "re");
    char text[1024];
    unsigned line = 0, call = 0;
    bool has_begun = false, is_over = false;
    while (file != NULL && !is_over && fgets(text, sizeof text, file) != NULL) {
        line++;
        has_begun = has_begun || begins_calls(text);
        is_over = has_begun && strstr(text, " FAIL(") != NULL;
        if (has_begun && !is_over && strstr(text, "do_") != NULL)
            call = line;
    }
    if (file != NULL)
        fclose(file);
    return call;
}

void check_format_gdb(const struct check_cause *cause, const char *preload, char *ret_text,
                      size_t capacity)
{
    char environment[PATH_MAX + 64] = "", stop[96] = "";
    const struct verdict verdict = finding_verdict(&cause->lead);
    unsigned line = cause->trace[0] != '\0' ? check_failing_line(cause->program) : 0;
    if (preload[0] != '\0')
        snprintf(environment, sizeof environment, " -ex 'set environment LD_PRELOAD %s'", preload);
    if (line != 0 && verdict_is_late(&verdict))
        snprintf(stop, sizeof stop, " -ex 'break %u' -ex 'ignore 1 %u'", line, verdict.cycle);
    else if (line != 0)
        snprintf(stop, sizeof stop, " -ex 'break %u'", line);
    snprintf(ret_text, capacity, "gdb -q -ex 'set startup-with-shell off'%s%s -ex run ./program",
             environment, stop);
}
