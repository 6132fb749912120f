/* SPDX-License-Identifier: MIT */
/* What counts as stuck, on groups of real processes. Times are made up: the judge takes the clock
 * as an argument. */
#include "harness/process/control.h"
#include "harness/process/stall.h"

#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* As /proc/PID/stat has it behind the name in parentheses; 0: no such process. */
static int read_state(pid_t process)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    const char *name_end = fgets(text, sizeof text, file) != NULL ? strrchr(text, ')') : NULL;
    fclose(file);
    return name_end != NULL ? name_end[2] : 0;
}

/* Until it sleeps or has ended, which takes its time on a busy machine; or never does. */
static pid_t start_group(void (*body)(void))
{
    enum { WAITS = 200 };
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setpgid(0, 0);
        body();
        _exit(0);
    }
    setpgid(child, child);
    for (unsigned i = 0; i < WAITS && strchr("SZ", read_state(child)) == NULL; i++)
        usleep(10000);
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

static void *sleep_in_thread(void *unused)
{
    sleep_for_ever();
    return unused;
}

static pthread_mutex_t locks[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

/* Takes both locks in the one or in the other order; in the meantime the other thread takes one. */
static void *lock_both(void *first)
{
    size_t own = *(const size_t *)first;
    pthread_mutex_lock(&locks[own]);
    usleep(50000);
    pthread_mutex_lock(&locks[1 - own]);
    return NULL;
}

static void lock_each_other_out(void)
{
    static const size_t firsts[2] = {0, 1};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, lock_both, (void *)(uintptr_t)&firsts[i]);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

/* One more thread, which could unlock them. */
static void lock_each_other_out_beside_a_third(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_in_thread, NULL);
    lock_each_other_out();
}

/* Blocked for a time only, or by what another process may end. */
static void wait_with_a_limit(void)
{
    static uint32_t word;
    const struct timespec limit = {.tv_sec = 1000};
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0);
}

static void end_at_once(void) {}

static void wait_for_another_process(void)
{
    static uint32_t word;
    syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
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

/* Beside a starved control process: how busy the machine is does not matter. */
static void assert_stuck(void (*body)(void), bool is_soon)
{
    enum { WAITS = 1000 };
    pid_t group = start_group(body);
    struct proc_group now = proc_read_group(group);
    usleep(200000);
    for (unsigned i = 0; is_soon && i < WAITS && !proc_group_is_locked(&now); i++) {
        usleep(10000);
        now = proc_read_group(group);
    }
    turns_each_look = 1;
    unsigned looks = count_looks(group, 100, 0);
    turns_each_look = IDLE_TURNS;
    end_group(group);
    assert_in_range(looks, is_soon ? 4 : 100, is_soon ? 8 : 100);
}

/* ThreadSanitizer has a thread of its own in every process, which sleeps and waits for nobody. */
extern void __tsan_init(void) __attribute__((weak));

static void threads_that_wait_for_each_other_are_stuck_after_a_second(void **state)
{
    (void)state;
    if (__tsan_init != NULL)
        skip();
    assert_stuck(lock_each_other_out, true);
    assert_stuck(lock_each_other_out_beside_a_third, false);
    assert_stuck(wait_with_a_limit, false);
    assert_stuck(end_at_once, false);
    assert_stuck(wait_for_another_process, false);
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
        cmocka_unit_test(threads_that_wait_for_each_other_are_stuck_after_a_second),
        cmocka_unit_test(blocked_beside_a_starved_control_process_is_not_stuck),
        cmocka_unit_test(the_control_process_takes_turns),
        cmocka_unit_test(progress_is_never_stuck),
        cmocka_unit_test(processes_that_follow_each_other_are_not_stuck),
        cmocka_unit_test(a_thread_that_only_retries_is_stuck),
        cmocka_unit_test(a_running_thread_is_not_stuck_however_long_by_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
