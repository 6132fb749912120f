/* SPDX-License-Identifier: MIT */
/* The gate when its probes cannot be started: an error, and nobody is killed for it. */
#include "conformance/gate.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Exit status: the gate's result. */
static _Noreturn void run_gate_in_own_group(const char *program)
{
    char error[SUBJECT_ERROR_MAX];
    struct gate_results results;
    const struct subject_plan subject = subject_plan_host("missing", program);
    const struct gate_options options = {.subject = &subject};
    setpgid(0, 0);
    _exit(gate_run(&options, &results, error));
}

static int run_gate(const char *program)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        run_gate_in_own_group(program);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void program_that_is_missing_is_an_error_and_the_gate_lives_on(void **state)
{
    (void)state;
    int status = run_gate("/nonexistent/mallet-conform");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ENOENT);
}

static void program_that_cannot_be_executed_is_an_error_too(void **state)
{
    (void)state;
    int status = run_gate("/dev/null");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EACCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(program_that_is_missing_is_an_error_and_the_gate_lives_on),
        cmocka_unit_test(program_that_cannot_be_executed_is_an_error_too),
    };
    return cmocka_run_group_tests_name("gate_process", tests, NULL, NULL);
}
