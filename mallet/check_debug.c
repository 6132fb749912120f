/* SPDX-License-Identifier: MIT */
/* The way into a debugger: where the program of a finding makes the call that fails. */
#include "mallet/check_page.h"

#include <string.h>

/* In a program of a trace every call goes through a pointer do_NAME, and FAIL stands behind the one
 * that is blamed; before main there are helpers. A program that crashes has no FAIL for it: its last
 * call counts. 0: it has no such line. */
unsigned check_failing_line(const char *program)
{
    FILE *file = fopen(program, "re");
    char text[1024];
    unsigned line = 0, call = 0;
    bool is_main = false, is_over = false;
    while (file != NULL && !is_over && fgets(text, sizeof text, file) != NULL) {
        line++;
        is_main = is_main || strncmp(text, "int main(", 9) == 0;
        is_over = is_main && strstr(text, " FAIL(") != NULL;
        if (is_main && !is_over && strstr(text, "do_") != NULL)
            call = line;
    }
    if (file != NULL)
        fclose(file);
    return call;
}

void check_format_gdb(const struct check_cause *cause, const char *preload, char *ret_text,
                      size_t capacity)
{
    char environment[PATH_MAX + 64] = "", stop[64] = "";
    unsigned line = cause->trace[0] != '\0' ? check_failing_line(cause->program) : 0;
    if (preload[0] != '\0')
        snprintf(environment, sizeof environment, " -ex 'set environment LD_PRELOAD %s'", preload);
    if (line != 0)
        snprintf(stop, sizeof stop, " -ex 'break %u'", line);
    snprintf(ret_text, capacity, "gdb -q -ex 'set startup-with-shell off'%s%s -ex run ./program",
             environment, stop);
}
