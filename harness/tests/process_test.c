/* SPDX-License-Identifier: MIT */
/* Children of real programs, most of them shells: what they get, what limits them, what is left of
 * them. */
#include "harness/base/clock.h"
#include "harness/process/fork_wait.h"
#include "harness/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { REPORT = 3, REPORT_SIZE = 4096, SLOW_MS = 20000 };

/* Kept alive as long as the plan that points to it. */
struct shell {
    const char *arguments[4];
    struct process_plan plan;
};

static struct process_plan *make_shell(struct shell *shell, const char *script)
{
    *shell = (struct shell){.arguments = {"sh", "-c", script, NULL}};
    shell->plan = (struct process_plan){.program = "sh",
                                        .arguments = shell->arguments,
                                        .memory = {{REPORT, REPORT_SIZE}},
                                        .output = PROCESS_OUTPUT_LINE,
                                        .wall_limit_ms = SLOW_MS};
    return &shell->plan;
}

/* To its end; the caller releases it. */
static struct process run_plan(const struct process_plan *plan)
{
    struct process process;
    assert_int_equal(process_spawn(plan, &process), 0);
    process_wait(&process);
    return process;
}

static struct process run_shell(const char *script)
{
    struct shell shell;
    return run_plan(make_shell(&shell, script));
}

static bool is_alive(pid_t pid)
{
    struct proc_stat stat;
    return proc_read_stat(pid, &stat) && stat.state != 'Z';
}

static bool ends_soon(pid_t pid)
{
    uint64_t end = clock_now_ms() + SLOW_MS;
    while (is_alive(pid) && clock_now_ms() < end)
        usleep(10000);
    return !is_alive(pid);
}

/* ---- what a child gets ---- */

static void program_that_is_missing_is_an_error_and_no_process(void **state)
{
    (void)state;
    struct shell shell;
    struct process process = {0};
    struct process_plan *plan = make_shell(&shell, "true");
    plan->program = "/nonexistent/program";
    assert_int_equal(process_spawn(plan, &process), ENOENT);
    assert_int_equal(process.pid, 0);
    process_release(&process);
    process_kill(&process); /* no process is no process group of ours */
}

/* As a program for another machine is none here: a shell would find something to do in it. */
static void file_that_is_no_program_is_given_to_no_shell(void **state)
{
    (void)state;
    struct shell shell;
    struct process process = {0};
    struct process_plan *plan = make_shell(&shell, "true");
    char path[] = "/tmp/mallet-no-program-XXXXXX";
    int file = mkstemp(path);
    assert_int_equal(write(file, "exit 0\n", 7), 7);
    assert_int_equal(fchmod(file, 0700), 0);
    close(file);
    plan->program = path;
    int result = process_spawn(plan, &process);
    unlink(path);
    assert_int_equal(result, ENOEXEC);
}

static void shared_memory_is_found_at_its_number(void **state)
{
    (void)state;
    struct process process = run_shell("printf hello >&3");
    assert_int_equal(process.status, 0);
    assert_string_equal(process.memory[0], "hello");
    process_release(&process);
    process_release(&process);
}

/* One byte to the first, two to the second. */
static void write_to_both(void *context)
{
    const int *numbers = context;
    if (write(numbers[0], "a", 1) != 1 || write(numbers[1], "bc", 2) != 2)
        _exit(1);
}

static void descriptors_may_swap_their_numbers(void **state)
{
    (void)state;
    struct process process;
    int files[] = {memfd_create("one", MFD_CLOEXEC), memfd_create("two", MFD_CLOEXEC)};
    const struct process_descriptor swapped[] = {{files[0], files[1]}, {files[1], files[0]}};
    const struct process_plan plan = {
        .body = write_to_both, .context = files, .descriptors = swapped, .descriptor_count = 2};
    assert_int_equal(process_run(&plan, &process), 0);
    assert_int_equal(lseek(files[0], 0, SEEK_END), 2);
    assert_int_equal(lseek(files[1], 0, SEEK_END), 1);
    close(files[0]);
    close(files[1]);
}

static void environment_is_clean_but_for_what_the_plan_adds(void **state)
{
    (void)state;
    struct shell shell;
    const char *const variables[] = {"ADDED=new", "", NULL};
    struct process_plan *plan = make_shell(&shell, "echo \"$LD_PRELOAD,$GLIBC_TUNABLES,$ADDED\"");
    setenv("LD_PRELOAD", "/nonexistent/old.so", 1);
    setenv("GLIBC_TUNABLES", "glibc.malloc.check=3", 1);
    setenv("ADDED", "old", 1);
    plan->variables = variables;
    struct process process = run_plan(plan);
    unsetenv("LD_PRELOAD");
    unsetenv("GLIBC_TUNABLES");
    unsetenv("ADDED");
    assert_string_equal(process.line, ",glibc.rtld.optional_static_tls=65536,new\n");
    process_release(&process);
}

static void signals_are_neither_blocked_nor_ignored(void **state)
{
    (void)state;
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXCPU, SIG_IGN);
    struct process process =
        run_shell("grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n' >&3");
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXCPU, SIG_DFL);
    assert_string_equal(process.memory[0], "SigBlk:0000000000000000SigIgn:0000000000000000");
    process_release(&process);
}

static void write_context(void *context)
{
    *(int *)context = getppid();
}

static void body_runs_in_a_fork(void **state)
{
    (void)state;
    struct process process;
    int *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const struct process_plan plan = {.body = write_context, .context = shared};
    assert_int_equal(process_run(&plan, &process), 0);
    assert_int_equal(process.status, 0);
    assert_int_equal(*shared, getpid());
    munmap(shared, sizeof *shared);
}

/* ---- limits ---- */

static void endless_output_ends_by_the_wall_limit_and_keeps_a_line(void **state)
{
    (void)state;
    struct shell shell;
    struct process_plan *plan = make_shell(&shell, "echo ===; while :; do echo spam; done");
    plan->wall_limit_ms = 300;
    struct process process = run_plan(plan);
    assert_true(process.is_timed_out);
    assert_string_equal(process.line, "spam\n");
    process_release(&process);
}

static void spinning_ends_by_the_cpu_limit(void **state)
{
    (void)state;
    struct shell shell;
    struct process_plan *plan = make_shell(&shell, "while :; do :; done");
    plan->cpu_limit_s = 1;
    plan->wall_limit_ms = 0;
    struct process process = run_plan(plan);
    assert_true(WIFSIGNALED(process.status) && WTERMSIG(process.status) == SIGXCPU);
    process_release(&process);
}

static uint64_t cancel_after_ms;

static bool is_late(void)
{
    return clock_now_ms() > cancel_after_ms;
}

static void cancelled_child_ends_at_once(void **state)
{
    (void)state;
    struct shell shell;
    struct process_plan *plan = make_shell(&shell, "sleep 1000");
    plan->is_cancelled = is_late;
    cancel_after_ms = clock_now_ms() + 100;
    struct process process = run_plan(plan);
    assert_true(process.was_cancelled && !process.is_timed_out);
    process_release(&process);
}

static void stop_kills_what_does_not_end_when_asked(void **state)
{
    (void)state;
    struct shell shell;
    struct process process;
    struct process_plan *plan =
        make_shell(&shell, "trap '' INT; echo up; while :; do sleep 1; done");
    assert_int_equal(process_spawn(plan, &process), 0);
    while (!process_has_ended(&process) && process.line[0] == '\0')
        usleep(1000);
    process_stop(&process, SIGINT, 200);
    assert_true(WIFSIGNALED(process.status) && WTERMSIG(process.status) == SIGKILL);
    process_release(&process);
}

static void ignore_signal(int number)
{
    (void)number;
}

static void interrupted_calls_are_repeated(void **state)
{
    (void)state;
    const struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = ignore_signal}, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    struct process process = run_shell("sleep 0.3; echo done; exit 7");
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    assert_true(WIFEXITED(process.status) && WEXITSTATUS(process.status) == 7);
    assert_string_equal(process.line, "done\n");
    process_release(&process);
}

/* ---- what is left ---- */

static void child_that_kills_its_group_ends_itself_alone(void **state)
{
    (void)state;
    struct process process = run_shell("kill -ABRT 0; sleep 1000");
    assert_true(WIFSIGNALED(process.status) && WTERMSIG(process.status) == SIGABRT);
    process_release(&process);
}

static void what_a_child_started_ends_with_it(void **state)
{
    (void)state;
    struct process process = run_shell("sleep 1000 & echo $! >&3");
    pid_t left = atoi(process.memory[0]);
    assert_true(left > 0);
    assert_true(ends_soon(left));
    process_release(&process);
}

/* A child that starts another in a group of its own, and tells both numbers. */
static _Noreturn void start_family_and_wait(char *ret_numbers)
{
    struct shell shell;
    struct process process;
    struct process_plan *plan =
        make_shell(&shell, "trap '' INT TERM; sleep 1000 & echo $$ $! >&3; sleep 1000");
    if (process_spawn(plan, &process) == 0)
        while (!process_has_ended(&process))
            snprintf(ret_numbers, REPORT_SIZE, "%s", (const char *)process.memory[0]);
    _exit(0);
}

static void check_that_nothing_survives(int signal_number)
{
    int leader = 0, other = 0;
    char *numbers =
        mmap(NULL, REPORT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t parent = fork();
    if (parent == 0)
        start_family_and_wait(numbers);
    while (sscanf(numbers, "%d %d", &leader, &other) != 2 || strchr(numbers, '\n') == NULL)
        usleep(1000);
    assert_true(is_alive(leader) && is_alive(other));
    kill(parent, signal_number);
    waitpid(parent, NULL, 0);
    assert_true(ends_soon(leader));
    assert_true(ends_soon(other));
    munmap(numbers, REPORT_SIZE);
}

static void nothing_survives_the_end_of_the_parent_by_a_signal(void **state)
{
    (void)state;
    check_that_nothing_survives(SIGINT);
    check_that_nothing_survives(SIGTERM);
    check_that_nothing_survives(SIGKILL);
}

/* ---- plain forks ---- */

static enum fork_end wait_for_fork(void (*body)(void), int *ret_status)
{
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(3);
    }
    return fork_wait(child, 200, 500, ret_status);
}

static void return_at_once(void) {}

static void spin(void)
{
    for (;;)
        getppid();
}

static void sleep_for_ever(void)
{
    for (;;)
        pause();
}

static void wait_for_a_fork_tells_ends_hangs_and_deadlocks_apart(void **state)
{
    (void)state;
    int status = 0;
    assert_int_equal(wait_for_fork(return_at_once, &status), FORK_ENDED);
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_int_equal(wait_for_fork(spin, &status), FORK_HUNG);
    assert_int_equal(wait_for_fork(sleep_for_ever, &status), FORK_STUCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(program_that_is_missing_is_an_error_and_no_process),
        cmocka_unit_test(file_that_is_no_program_is_given_to_no_shell),
        cmocka_unit_test(shared_memory_is_found_at_its_number),
        cmocka_unit_test(descriptors_may_swap_their_numbers),
        cmocka_unit_test(environment_is_clean_but_for_what_the_plan_adds),
        cmocka_unit_test(signals_are_neither_blocked_nor_ignored),
        cmocka_unit_test(body_runs_in_a_fork),
        cmocka_unit_test(endless_output_ends_by_the_wall_limit_and_keeps_a_line),
        cmocka_unit_test(spinning_ends_by_the_cpu_limit),
        cmocka_unit_test(cancelled_child_ends_at_once),
        cmocka_unit_test(stop_kills_what_does_not_end_when_asked),
        cmocka_unit_test(interrupted_calls_are_repeated),
        cmocka_unit_test(child_that_kills_its_group_ends_itself_alone),
        cmocka_unit_test(what_a_child_started_ends_with_it),
        cmocka_unit_test(nothing_survives_the_end_of_the_parent_by_a_signal),
        cmocka_unit_test(wait_for_a_fork_tells_ends_hangs_and_deadlocks_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
