/* SPDX-License-Identifier: MIT */
/* Each test runs in a forked child: a filter stays for good. */
#include "harness/run/os_calls.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAGE = 4096 };

static void *map(void)
{
    void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static int counts_only_what_the_subject_asks(void)
{
    map();
    os_calls_enter();
    void *memory = map();
    munmap(memory, PAGE);
    (void)!syscall(SYS_brk, syscall(SYS_brk, 0)); /* the second only asks */
    os_calls_leave();
    map();
    struct os_call_counts counts = os_calls_count();
    return counts.all == 3 && counts.calls[OS_CALL_mmap] == 1 &&
           counts.calls[OS_CALL_munmap] == 1 && counts.calls[OS_CALL_brk] == 1;
}

static int fails_the_nth_call_and_the_one_after_the_gap(void)
{
    os_calls_fail(2, 2);
    os_calls_enter();
    bool first = map() != NULL;
    errno = 0;
    bool second = map() == NULL && errno == ENOMEM;
    bool third = map() != NULL, fourth = map() == NULL, fifth = map() != NULL;
    os_calls_leave();
    return first && second && third && fourth && fifth && os_calls_count().failed == 2;
}

/* To refuse a question would be to refuse nothing; to sbrk, a refused lower break is a success. */
static int fails_only_a_break_that_rises(void)
{
    long before = syscall(SYS_brk, 0), high = syscall(SYS_brk, before + PAGE);
    os_calls_fail(1, 0);
    os_calls_enter();
    long asked = syscall(SYS_brk, 0), lowered = syscall(SYS_brk, before),
         raised = syscall(SYS_brk, high);
    os_calls_leave();
    return asked == high && lowered == before && raised == before && os_calls_count().failed == 1;
}

static int adds_to_what_is_pending(void)
{
    os_calls_add(2);
    os_calls_add(1);
    os_calls_enter();
    bool first = map() != NULL, second = map() == NULL, third = map() == NULL,
         fourth = map() != NULL;
    os_calls_leave();
    os_calls_add(1);
    os_calls_add(0); /* cancels */
    os_calls_enter();
    bool fifth = map() != NULL;
    os_calls_leave();
    return first && second && third && fourth && fifth;
}

static int watches_a_program_that_blocks_every_signal(void)
{
    sigset_t all, before, now;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    os_calls_enter();
    map();
    os_calls_leave();
    sigprocmask(SIG_SETMASK, &before, &now);
    bool is_blocked = sigismember(&now, SIGINT) == 1 && sigismember(&now, SIGSYS) == 0;
    sigprocmask(SIG_BLOCK, NULL, &now);
    bool is_undone = sigismember(&now, SIGINT) == 0;
    bool is_refused = sigprocmask(99, &all, NULL) == -1 && errno == EINVAL;
    return is_blocked && is_undone && is_refused && os_calls_count().all == 1;
}

static int fails_a_raw_call_and_sbrk(void)
{
    os_calls_fail(1, 0);
    os_calls_enter();
    long raw = syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool is_raw_failed = raw == -1 && errno == ENOMEM;
    os_calls_leave();
    os_calls_fail(1, 0);
    os_calls_enter();
    void *grown = sbrk(PAGE);
    os_calls_leave();
    return is_raw_failed && grown == (void *)-1;
}

static int passes_all_arguments(void)
{
    int file = memfd_create("test", 0);
    if (ftruncate(file, 2L * PAGE) != 0 || pwrite(file, "x", 1, PAGE) != 1)
        return 0;
    os_calls_enter();
    char *memory = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, PAGE);
    os_calls_leave();
    return memory != MAP_FAILED && memory[0] == 'x';
}

static int is_true_in_a_watched_child(int (*function)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(os_calls_watch() == 0 && function() ? 0 : 1);
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test(void **state)
{
    assert_true(is_true_in_a_watched_child((int (*)(void))(uintptr_t)*state));
}

#define TEST(function) {#function, test, NULL, NULL, (void *)(uintptr_t)function}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counts_only_what_the_subject_asks),
        TEST(fails_the_nth_call_and_the_one_after_the_gap),
        TEST(fails_only_a_break_that_rises),
        TEST(adds_to_what_is_pending),
        TEST(watches_a_program_that_blocks_every_signal),
        TEST(fails_a_raw_call_and_sbrk),
        TEST(passes_all_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
