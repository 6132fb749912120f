/* SPDX-License-Identifier: MIT */
/* What counts as stuck, on groups of real processes. Times are made up: the judge takes the clock
 * as an argument. */
#include "harness/process/control.h"
#include "harness/process/stall.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static pid_t start_group(void (*body)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setpgid(0, 0);
        body();
        _exit(0);
    }
    setpgid(child, child);
    usleep(50000);
    return child;
}

static void end_group(pid_t group)
{
    kill(-group, SIGKILL);
    waitpid(group, NULL, 0);
}

static void sleep_for_ever(void)
{
    for (;;)
        pause();
}

static void spin_for_ever(void)
{
    for (;;)
        getppid();
}

static void retry_for_ever(void)
{
    for (;;)
        usleep(500);
}

/* The control process, made up as the times are. */
enum { IDLE_TURNS = 25 }; /* in half a second */
static uint64_t turns, turns_each_look = IDLE_TURNS;

static uint64_t read_turns(void)
{
    return turns += turns_each_look;
}

/* How many looks, half a second apart, until the group counts as stuck; at most `looks`. */
static unsigned count_looks(pid_t group, unsigned looks, unsigned moves)
{
    struct stall stall = {0};
    for (unsigned look = 1; look <= looks; look++)
        if (stall_observe(&stall, group, look < moves ? look : moves, 1000 + look * 500,
                          read_turns) != STALL_NONE)
            return look;
    return looks;
}

static void all_blocked_is_stuck_after_ten_seconds(void **state)
{
    (void)state;
    pid_t group = start_group(sleep_for_ever);
    unsigned looks = count_looks(group, 100, 0);
    end_group(group);
    assert_in_range(looks, 21, 26);
}

static void blocked_beside_a_starved_control_process_is_not_stuck(void **state)
{
    (void)state;
    pid_t group = start_group(sleep_for_ever);
    turns_each_look = 1;
    unsigned looks = count_looks(group, 100, 0);
    turns_each_look = IDLE_TURNS;
    end_group(group);
    assert_int_equal(looks, 100);
}

static void the_control_process_takes_turns(void **state)
{
    (void)state;
    uint64_t first = control_turns();
    for (unsigned waits = 0; control_turns() == first; waits++) {
        assert_true(waits < 10000);
        usleep(10000);
    }
}

static void progress_is_never_stuck(void **state)
{
    (void)state;
    pid_t group = start_group(sleep_for_ever);
    unsigned looks = count_looks(group, 100, 1000);
    end_group(group);
    assert_int_equal(looks, 100);
}

static void a_running_thread_is_not_stuck_however_long_by_the_clock(void **state)
{
    (void)state;
    pid_t group = start_group(spin_for_ever);
    unsigned looks = count_looks(group, 400, 0);
    end_group(group);
    assert_int_equal(looks, 400);
}

static void start_one_process_after_another(void)
{
    for (;;) {
        pid_t child = fork();
        if (child == 0) {
            struct timespec now = {0};
            while (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0 && now.tv_nsec < 20000000)
                ;
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
}

/* The sums are smaller after a process has ended. */
static void processes_that_follow_each_other_are_not_stuck(void **state)
{
    (void)state;
    pid_t group = start_group(start_one_process_after_another);
    struct stall stall = {0};
    enum stall_kind kind = STALL_NONE;
    for (unsigned look = 1; look <= 60 && kind == STALL_NONE; look++) {
        kind = stall_observe(&stall, group, 0, 1000 + look * 500, read_turns);
        usleep(7000);
    }
    end_group(group);
    assert_int_equal(kind, STALL_NONE);
}

static void a_thread_that_only_retries_is_stuck(void **state)
{
    (void)state;
    pid_t group = start_group(retry_for_ever);
    struct stall stall = {0};
    bool is_stuck = false;
    for (unsigned look = 1; look <= 1000 && !is_stuck; look++) {
        is_stuck = stall_observe(&stall, group, 0, 1000 + look * 500, read_turns) == STALL_RETRY;
        usleep(10000); /* the turns are real */
    }
    end_group(group);
    assert_true(is_stuck);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_blocked_is_stuck_after_ten_seconds),
        cmocka_unit_test(blocked_beside_a_starved_control_process_is_not_stuck),
        cmocka_unit_test(the_control_process_takes_turns),
        cmocka_unit_test(progress_is_never_stuck),
        cmocka_unit_test(processes_that_follow_each_other_are_not_stuck),
        cmocka_unit_test(a_thread_that_only_retries_is_stuck),
        cmocka_unit_test(a_running_thread_is_not_stuck_however_long_by_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
